"""What is posted: the webhooks of messages, or of one call on which several things are said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from orchestrator import phones
from orchestrator.cli.errors import WrongUsage
from orchestrator.kernel.ids import new_sid
from orchestrator.phones import Webhook

Direction = Literal["inbound", "outbound"]
Side = Literal["agent", "customer"]
DeliveryWord = Literal["sent", "delivered", "read", "failed", "undelivered"]

_TWILIO_SAYS: dict[Direction, Literal["inbound", "outbound-api"]] = {"inbound": "inbound", "outbound": "outbound-api"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be sent."""

    channel: phones.Channel
    texts: Sequence[str]
    sender: str | None = None
    to: str | None = None
    """Neither is needed to go on speaking on a call."""
    direction: Direction | None = None
    """As the provider states it; None: it states none for a message, and a call is inbound."""
    status: DeliveryWord | None = None
    """What the provider reports of the messages afterwards."""
    call_sid: str | None = None
    """The call to go on speaking on; None: a new one."""
    side: Side = "customer"
    """Who speaks on the call."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message, or one fragment of a call."""

    text: str
    resource_id: str
    webhook: Webhook


@dataclass(frozen=True, slots=True)
class Traffic:
    """All of it."""

    said: Sequence[Said]
    """In the order in which it was said, whatever the order in which it is posted."""
    before: Sequence[Webhook] = ()
    """Posted first: the call's own webhook."""
    after: Sequence[Webhook] = ()
    """Posted last: delivery reports."""
    call_sid: str | None = None


def repeated(texts: Sequence[str], times: int) -> list[str]:
    """The texts that many times over, numbered so that no two are alike; as they are for once."""
    return [f"{text} ({round_})" for round_ in range(1, times + 1) for text in texts] if times > 1 else list(texts)


def traffic_of(wish: Wish) -> Traffic:
    """The webhooks that Twilio would post. Raises WrongUsage where what is wished for does not fit together."""
    _check(wish)
    return _call(wish) if wish.channel == "VOICE" else _messages(wish)


def _check(wish: Wish) -> None:
    is_voice = wish.channel == "VOICE"
    if not is_voice and (wish.call_sid or wish.side != "customer"):
        raise WrongUsage("--call and --as are for voice: a message says by --from who sends it")
    if is_voice and wish.status:
        raise WrongUsage("--status is for messages: nobody reports that speech was delivered")
    if is_voice and not all(text.strip() for text in wish.texts):
        raise WrongUsage("voice: say something; a transcription without words tells nothing")
    if bool(wish.sender) != bool(wish.to) or not (wish.sender or wish.call_sid):
        raise WrongUsage("give both --from and --to" + (", or --call of a call that the service knows" * is_voice))
    for option, address in (("--from", wish.sender), ("--to", wish.to)):
        if address and phones.is_of_another(wish.channel, address):
            raise WrongUsage(f"{option}: the prefix of {address} is of another channel than {wish.channel.lower()}")


def _messages(wish: Wish) -> Traffic:
    said = [_message(wish, text, new_sid("SM")) for text in wish.texts]
    reports = [phones.delivery_report(one.resource_id, wish.status) for one in said] if wish.status else []
    return Traffic(said, after=reports)


def _message(wish: Wish, text: str, sid: str) -> Said:
    assert wish.sender is not None
    assert wish.to is not None
    webhook = phones.message(wish.channel, wish.sender, wish.to, text, sid=sid)
    if wish.direction:
        webhook = replace(webhook, fields={**webhook.fields, "Direction": _TWILIO_SAYS[wish.direction]})
    return Said(text, sid, webhook)


def _call(wish: Wish) -> Traffic:
    call_sid = wish.call_sid or new_sid("CA")
    transcription_sid = new_sid("GT")  # of its own, so that its positions may begin at 1 on a call that goes on
    said = [
        # Twilio's inbound track is what it hears of the far end: the customer's, whoever called whom.
        Said(
            text,
            f"{transcription_sid}{position}",
            phones.fragment(
                call_sid,
                text,
                transcription_sid=transcription_sid,
                position=position,
                by_caller=wish.side == "customer",
            ),
        )
        for position, text in enumerate(wish.texts, start=1)
    ]
    return Traffic(said, before=_opening(wish, call_sid), call_sid=call_sid)


def _opening(wish: Wish, call_sid: str) -> list[Webhook]:
    if wish.sender is None or wish.to is None:
        return []  # the service knows the call
    direction = _TWILIO_SAYS[wish.direction or "inbound"]
    return [phones.call(wish.sender, wish.to, sid=call_sid, direction=direction)]
