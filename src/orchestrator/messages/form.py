"""The form that asks for a message, read and judged before anything is written.

Source: the Messages API's reference, as the official SDK documents it (`twilio/rest/api/v2010/account/message`).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from orchestrator.actions.messages_form import MOST_BODY
from orchestrator.actions.model import Content
from orchestrator.domain.addresses import Address, Channel, InvalidAddress, is_e164
from orchestrator.kernel.errors import BadRequest
from orchestrator.messages import errors
from orchestrator.messages.errors import MessageRefused
from orchestrator.messages.model import Wanted, read_address

MOST_MEDIA = 10
_MESSAGE = frozenset({"To", "From", "Body", "MediaUrl", "ContentSid", "ContentVariables"})
_SCHEDULED = ("SendAt", "ScheduleType")
_CONTENT_SID = re.compile(r"HX[0-9a-fA-F]{32}")
_NAME = re.compile(r"[A-Za-z0-9 &_-]{1,11}")
"""A short code, or an alphanumeric sender id."""
_LONGEST_URL = 2_048

Form = Mapping[str, list[str]]
"""The values of each field, in their order."""


def read_form(body: bytes) -> Form:
    """The fields of a form; U+0000, which Postgres cannot keep, is replaced. Raises BadRequest."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1_000)
    except (UnicodeDecodeError, ValueError) as error:
        raise BadRequest(f"the body is not a valid form: {error}") from error
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name.replace("\x00", "\ufffd"), []).append(value.replace("\x00", "\ufffd"))
    return form


def read_wanted(form: Form) -> Wanted:
    """The message that a form asks for. Raises MessageRefused."""
    recipient, sender = _recipient(form), _sender(form)
    if recipient.channel is not sender.channel:
        raise MessageRefused(
            errors.MIXED_CHANNELS, "'From' and 'To' must be of the same channel", "From", sender.address
        )
    if recipient.canonical == sender.canonical:
        raise MessageRefused(errors.SAME_NUMBER, "'To' and 'From' number cannot be the same", "To", recipient.address)
    for name in _SCHEDULED:
        if _one(form, name):
            raise MessageRefused(BadRequest.code, f"{name}: messages are not scheduled here; send it when it is time")
    return Wanted(sender, recipient, _content(form), _settings(form))


def check_redaction(form: Form) -> None:
    """Raise MessageRefused for a form that asks for another change than an empty `Body`."""
    if _one(form, "Status"):
        raise MessageRefused(
            errors.NOT_SCHEDULED, "This message cannot be canceled: messages are not scheduled here.", "Status"
        )
    if "Body" not in form:
        raise MessageRefused(BadRequest.code, "Nothing is to be changed: send an empty 'Body'", "Body")
    if text := form["Body"][-1]:
        raise MessageRefused(BadRequest.code, "The 'Body' of a message can only be emptied", "Body", text)


def _one(form: Form, name: str) -> str:
    return form.get(name, [""])[-1].strip()


def _recipient(form: Form) -> Address:
    text = _one(form, "To")
    if not text:
        raise MessageRefused(errors.NO_TO, "A 'To' phone number is required.", "To")
    address = _address(text, "To", errors.INVALID_TO)
    if not is_e164(address.canonical):
        raise MessageRefused(errors.INVALID_TO, f"Invalid 'To' Phone Number: {text[:200]}", "To", text)
    return address


def _sender(form: Form) -> Address:
    text = _one(form, "From")
    if not text:
        raise MessageRefused(
            errors.NO_FROM, "A 'From' phone number is required, also with a MessagingServiceSid.", "From"
        )
    address = _address(text, "From", errors.INVALID_FROM)
    by_name = address.channel is Channel.RCS or (address.channel is Channel.SMS and _NAME.fullmatch(address.canonical))
    if not (by_name or is_e164(address.canonical)):
        raise MessageRefused(errors.INVALID_FROM, f"Invalid 'From' Phone Number: {text[:200]}", "From", text)
    return address


def _address(text: str, name: str, code: int) -> Address:
    try:
        return read_address(text)
    except InvalidAddress as error:
        raise MessageRefused(code, f"Invalid '{name}' Phone Number: {error}", name, text) from error


def _content(form: Form) -> Content:
    text = form.get("Body", [""])[-1]
    media, template = _media(form.get("MediaUrl", ())), _one(form, "ContentSid")
    if len(text) > MOST_BODY:
        raise MessageRefused(errors.TOO_LONG, f"The message body exceeds the {MOST_BODY} character limit.", "Body")
    if not (text.strip() or media or template):
        raise MessageRefused(errors.NO_CONTENT, "Message body is required.", "Body")
    if template and not _CONTENT_SID.fullmatch(template):
        raise MessageRefused(errors.INVALID_CONTENT, "The ContentSid is invalid.", "ContentSid", template)
    return Content(text if text.strip() else None, template or None, _variables(form), media)


def _media(given: Iterable[str]) -> tuple[str, ...]:
    urls = tuple(url for url in given if url.strip())
    if len(urls) > MOST_MEDIA:
        raise MessageRefused(errors.TOO_MANY_MEDIA, f"A message has at most {MOST_MEDIA} media files.", "MediaUrl")
    for url in urls:
        if len(url) > _LONGEST_URL or not _is_web_address(url):
            raise MessageRefused(errors.INVALID_MEDIA, "Invalid media URL.", "MediaUrl", url)
    return urls


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _variables(form: Form) -> dict[str, str]:
    text = _one(form, "ContentVariables")
    try:
        given: Any = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict) or not all(_is_storable(one) for pair in given.items() for one in pair):
        raise MessageRefused(
            errors.INVALID_VARIABLES, "ContentVariables must be a JSON object of texts.", "ContentVariables", text
        )
    return given


def _is_storable(value: object) -> bool:
    return isinstance(value, str) and "\x00" not in value


def _settings(form: Form) -> dict[str, Any]:
    """Everything else, for the one who sends. What is empty was not meant."""
    kept = {name: [one for one in values if one.strip()] for name, values in form.items() if name not in _MESSAGE}
    return {name: values[0] if len(values) == 1 else values for name, values in kept.items() if name and values}
