"""The fields of a webhook, and the refusal of one that makes no sense."""

from collections.abc import Mapping

from orchestrator.domain.addresses import Address, Channel, InvalidAddress, parse
from orchestrator.domain.messages import Direction
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.fields import refused

Fields = Mapping[str, str]

_MOST_TEXT = 8_388_608
LONGEST_SID = 255
"""Characters. SIDs have 34; they are parts of indexes, whose entries Postgres limits to about 2,700 bytes."""
_DIRECTIONS = {"inbound": Direction.INBOUND, "outbound": Direction.OUTBOUND}


def wrong(name: str, why: str, value: str | None = None) -> BadRequest:
    """The error for a field that makes no sense."""
    return refused(f"/{name}", why, None if value is None else value[:200])


def required(fields: Fields, *names: str) -> str:
    """The first of these fields that is given. Raises BadRequest when none is."""
    for name in names:
        if value := fields.get(name, "").strip():
            return value
    raise BadRequest(f"/{names[0]}: this field is required", params={"field": f"/{names[0]}"})


def sid(fields: Fields, *names: str) -> str:
    """The first of these fields that is given, if it can be an id. Raises BadRequest."""
    value = required(fields, *names)
    if len(value) > LONGEST_SID:
        raise wrong(names[0], f"has at most {LONGEST_SID} characters", value)
    return value


def short_enough(name: str, text: str) -> str:
    """A text of a length that is admitted. Raises BadRequest."""
    if len(text) > _MOST_TEXT:
        raise wrong(name, f"has at most {_MOST_TEXT} characters")
    return text


def address(channel: Channel, name: str, text: str) -> Address:
    """An address field. Raises BadRequest."""
    try:
        return parse(channel, text)
    except InvalidAddress as error:
        raise wrong(name, str(error), text) from error


def direction(fields: Fields) -> Direction | None:
    """Twilio writes `inbound`, `outbound-api`, `outbound-reply`, `outbound-call`, `outbound-dial`."""
    return _DIRECTIONS.get(fields.get("Direction", "").strip().lower().partition("-")[0])
