"""A message as the form that Twilio's Messages API takes.

Source: the API's reference, as the official SDK documents it (`twilio/rest/api/v2010/account/message`).
"""

from collections.abc import Iterator
from typing import Any

import orjson

from orchestrator.actions.model import Message
from orchestrator.actions.senders import Refused
from orchestrator.domain.addresses import Address, Channel

MOST_BODY = 1_600
"""Characters."""

_PREFIXES = {Channel.SMS: "", Channel.WHATSAPP: "whatsapp:", Channel.RCS: "rcs:"}
_TOLD_OTHERWISE = frozenset({"To", "From", "Body", "MediaUrl", "ContentSid", "ContentVariables", "ChannelId"})
"""Names that settings cannot give: they are the message itself, or none of the API's."""

Form = list[tuple[str, str]]


def form_of(message: Message, status_callback: str | None) -> Form:
    """The form of a message; `status_callback` is told what becomes of it, unless its caller names another URL.

    It is sent from the address that the action names, also with a messaging service: that must have it in its pool.
    Raises Refused for what the API does not send.
    """
    if message.channel not in _PREFIXES:
        raise Refused(f"Twilio's Messages API does not send on {message.channel}")
    if len(message.recipients) > 1:
        raise Refused("Twilio's Messages API sends to one recipient at a time; ask for one action for each")
    form = [("To", _wire(message.recipients[0].address)), ("From", _wire(message.sender.address))]
    form += _content(message)
    settings = {name[:1].upper() + name[1:]: value for name, value in message.channel_settings.items()}
    settings["StatusCallback"] = settings.get("StatusCallback") or status_callback
    for name, value in settings.items():
        if name and name not in _TOLD_OTHERWISE:
            form += [(name, text) for text in _values(value)]
    return form


def _wire(address: Address) -> str:
    return _PREFIXES[address.channel] + address.canonical


def _content(message: Message) -> Form:
    content = message.content
    form: Form = []
    if content.text is not None:
        if len(content.text) > MOST_BODY:
            raise Refused(f"Twilio's Messages API takes {MOST_BODY} characters, this text has {len(content.text)}")
        form.append(("Body", content.text))
    form += [("MediaUrl", url) for url in content.media_urls]
    if content.content_id is not None:
        form.append(("ContentSid", content.content_id))
        if content.variables:
            form.append(("ContentVariables", orjson.dumps(content.variables).decode()))
    return form


def _values(value: Any) -> Iterator[str]:
    """A setting as form values: none for null, several for a list, JSON for an object."""
    if isinstance(value, list):
        for one in value:
            yield from _values(one)
    elif isinstance(value, str):
        yield value
    elif value is not None:
        yield orjson.dumps(value).decode()
