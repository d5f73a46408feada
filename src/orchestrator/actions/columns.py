"""How a message is kept in the column `message`."""

from collections.abc import Mapping
from typing import Any

from orchestrator.actions.model import Content, Correspondent, Message
from orchestrator.domain.addresses import Address, Channel


def message_to_column(message: Message) -> dict[str, Any]:
    """What `message_from_column` reads; the account and the SID have columns of their own."""
    return {
        "from": _end_to_column(message.sender),
        "to": [_end_to_column(recipient) for recipient in message.recipients],
        "content": {
            "text": message.content.text,
            "contentId": message.content.content_id,
            "variables": message.content.variables,
            "mediaUrls": message.content.media_urls,
        },
        "channelSettings": message.channel_settings,
    }


def message_from_column(account_id: str, column: Mapping[str, Any], sid: str | None) -> Message:
    """The message as it was resolved."""
    content = column["content"]
    return Message(
        account_id=account_id,
        sender=_end_from_column(column["from"]),
        recipients=tuple(_end_from_column(recipient) for recipient in column["to"]),
        content=Content(content["text"], content["contentId"], content["variables"], tuple(content["mediaUrls"])),
        channel_settings=column["channelSettings"],
        sid=sid,
    )


def _end_to_column(end: Correspondent) -> dict[str, Any]:
    address = end.address
    return {
        "channel": address.channel,
        "address": address.address,
        "canonical": address.canonical,
        "participantId": end.participant_id,
    }


def _end_from_column(column: Mapping[str, Any]) -> Correspondent:
    address = Address(Channel(column["channel"]), column["address"], column["canonical"])
    return Correspondent(address, column["participantId"])
