"""Nobody's words go to somebody else: the rules of `domain.replying`, for the participants of a conversation.

They are asked when an action is accepted, and whether a recipient still is who was meant, before it is handed over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.actions.model import Correspondent, Message, Said
from orchestrator.conversations.model import Conversation
from orchestrator.domain.addresses import Address
from orchestrator.domain.identity import ParticipantType
from orchestrator.domain.replying import Person, owners, same_customer, strays
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.fields import refused


@dataclass(frozen=True, slots=True)
class Named:
    """A recipient, and how the caller named it."""

    pointer: str
    """Its place in the request."""
    recipient: Correspondent
    by_address: bool
    """The caller has written this very address, and so means it."""


def check_sender(conversation: Conversation, pointer: str, sender: Correspondent) -> None:
    """Raise BadRequest for a message from the address of a CUSTOMER of the conversation."""
    for owner in owners(sender.address, _people(conversation)):
        if owner.type is ParticipantType.CUSTOMER:
            message = (
                f"{_shown(sender.address)} belongs to participant {owner.id}, a CUSTOMER; messages are from our side"
            )
            raise refused(pointer, message, sender.address.address)


def check_presence(conversation: Conversation, named: Sequence[Named]) -> None:
    """Raise BadRequest for a recipient who is not in the conversation."""
    people = _people(conversation)
    for one in named:
        address = one.recipient.address
        if not owners(address, people):
            path = f"/v2/Conversations/{conversation.id}/Participants"
            raise refused(
                one.pointer,
                f"nobody in conversation {conversation.id} has the address {_shown(address)}; add it first: "
                f"POST {path} for somebody new, PUT {path}/{{ParticipantId}} for one more address of a participant",
                address.address,
            )


def in_question(conversation: Conversation, named: Sequence[Named]) -> dict[str, set[str]]:
    """The participants whose last words decide whether a recipient is met where it wrote, by the recipient's id.

    Of those alone who were not named by the address.
    """
    people = {person.id: person for person in _people(conversation)}
    ids = [one.recipient.participant_id for one in named if not one.by_address]
    return {id_: same_customer(people[id_], people.values()) for id_ in ids if id_ is not None}


def check_replies(named: Sequence[Named], persons: Mapping[str, set[str]], said: Mapping[str, Said]) -> None:
    """Raise BadRequest for a recipient who is in question and wrote last from another address than would be reached.

    `persons` is the answer of `in_question`; `said` is the last that each participant has said.
    """
    for one in named:
        theirs = persons.get(one.recipient.participant_id or "", ()) if not one.by_address else ()
        last = max((said[id_] for id_ in theirs if id_ in said), key=lambda words: words.order, default=None)
        if last is not None and strays(one.recipient.address, last.address):
            raise _stray(one, last)


def lost_recipient(conversation: Conversation, message: Message) -> str | None:
    """Why an accepted message must not go out: its recipient has lost the address since. None when nothing is wrong."""
    people = _people(conversation)
    for recipient in message.recipients:
        ids = {owner.id for owner in owners(recipient.address, people)}
        if not ids:
            return f"nobody in the conversation has the address {_shown(recipient.address)} any more"
        if recipient.participant_id is not None and recipient.participant_id not in ids:
            return f"participant {recipient.participant_id} no longer has the address {_shown(recipient.address)}"
    return None


def _stray(named: Named, last: Said) -> BadRequest:
    reached = named.recipient
    error = refused(
        named.pointer,
        f"participant {reached.participant_id} would be reached at {_shown(reached.address)}, but this customer wrote "
        f'last from {_shown(last.address)}: name the address and its channel, or set "force": true in the payload',
        reached.participant_id,
    )
    details: dict[str, Any] = {
        **(error.details or {}),
        "lastInbound": {
            **_end(last.participant_id, last.address),
            "communicationId": last.communication_id,
            "occurredAt": rest_time(last.occurred_at),
        },
        "wouldReach": _end(reached.participant_id, reached.address),
    }
    return BadRequest(error.message, params=error.params, details=details)


def _end(participant_id: str | None, address: Address) -> dict[str, Any]:
    return {"participantId": participant_id, "channel": address.channel, "address": address.address}


def _shown(address: Address) -> str:
    return f"{address.address} on {address.channel}"


def _people(conversation: Conversation) -> list[Person]:
    return [
        Person(member.id, member.type, tuple(own.value for own in member.addresses), member.profile_id)
        for member in conversation.participants
    ]
