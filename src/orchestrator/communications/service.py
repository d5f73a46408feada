"""Communications: appended to conversations that the unit has locked, once per provider message."""

from collections.abc import Collection, Sequence

from orchestrator.communications import schemas, store
from orchestrator.communications.model import Communication, place_of
from orchestrator.conversations import service as conversations
from orchestrator.conversations.model import Conversation
from orchestrator.domain.events import EventType
from orchestrator.domain.lifecycle import has_ended
from orchestrator.domain.messages import DeliveryStatus, advanced
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.ids import COMMUNICATION, is_id
from orchestrator.kernel.paging import Page, PageRequest
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox

Appended = tuple[Conversation, Communication]


async def append(unit: Unit, outbox: Outbox, appended: Sequence[Appended]) -> None:
    """Write communications. One whose `resourceId` its conversation has already updates that one instead.

    The communication is then the one that was there, with content and recipients of its own.
    """
    written = await store.insert(unit, [communication for _, communication in appended])
    repeated = [pair for pair in appended if pair[1].id not in written]
    changed = await _update(unit, repeated) if repeated else set()
    for conversation, communication in appended:
        if communication.id in written:
            outbox.append(conversation, EventType.COMMUNICATION_CREATED, schemas.to_wire(communication))
        elif communication.id in changed:
            outbox.append(conversation, EventType.COMMUNICATION_UPDATED, schemas.to_wire(communication))


async def of_resource(unit: Unit, conversation: Conversation, resource_id: str | None) -> Communication | None:
    """The communication of a provider message in this conversation, which is locked."""
    if resource_id is None:
        return None
    found = await store.of_resources(unit, {(conversation.account_id, resource_id)})
    return next((one for one in found if one.conversation_id == conversation.id), None)


async def elsewhere(unit: Unit, communication: Communication) -> list[Communication]:
    """The same provider message in other conversations."""
    if communication.resource_id is None:
        return []
    found = await store.of_resources(unit, {(communication.account_id, communication.resource_id)})
    return [one for one in found if one.id != communication.id]


async def change(
    unit: Unit, outbox: Outbox, conversation: Conversation, known: Communication, changed: Communication
) -> Communication:
    """Write a communication back that is different now, with its event; one that is not stays as it is.

    A delivery status never moves backwards.
    """
    changed.recipients = _merged(known.recipients, changed.recipients)
    if changed == known:
        return known
    changed.updated_at = unit.now
    await store.update(unit, [changed])
    outbox.append(conversation, EventType.COMMUNICATION_UPDATED, schemas.to_wire(changed))
    return changed


async def _update(unit: Unit, repeated: Sequence[Appended]) -> set[str]:
    """Make repeats what was there, updated; returns the ids of those that are different now."""
    resources = {(one.account_id, one.resource_id) for _, one in repeated if one.resource_id is not None}
    present = {
        (one.account_id, one.conversation_id, one.resource_id): one for one in await store.of_resources(unit, resources)
    }
    changed = []
    for _, communication in repeated:
        known = present[communication.account_id, communication.conversation_id, communication.resource_id]
        communication.id, communication.author, communication.channel_id = known.id, known.author, known.channel_id
        communication.occurred_at, communication.created_at = known.occurred_at, known.created_at
        communication.updated_at, communication.trace = known.updated_at, known.trace
        communication.recipients = _merged(known.recipients, communication.recipients)
        if communication != known:
            communication.updated_at = unit.now
            changed.append(communication)
    if changed:
        await store.update(unit, changed)
    return {communication.id for communication in changed}


def _merged(known: Sequence[dict[str, str]], given: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The recipients given, whose delivery never moves backwards."""
    before = {place_of(one): one.get("deliveryStatus") for one in known}
    return [_further(recipient, before.get(place_of(recipient))) for recipient in given]


def _further(recipient: dict[str, str], before: str | None) -> dict[str, str]:
    if before is None:
        return recipient
    reported = DeliveryStatus(recipient.get("deliveryStatus") or before)
    return {**recipient, "deliveryStatus": advanced(DeliveryStatus(before), reported)}


async def find(
    unit: Unit, account_id: str, communication_id: str, *, in_conversation: str | None = None
) -> Communication:
    """One communication. Raises NotFound."""
    known = is_id(communication_id, COMMUNICATION)
    communication = await store.find(unit, account_id, communication_id) if known else None
    if communication is None or in_conversation not in (None, communication.conversation_id):
        raise NotFound(f"there is no communication {communication_id}")
    return communication


async def find_all(unit: Unit, account_id: str, ids: Sequence[str]) -> list[Communication]:
    """Communications in the order of these ids; those that are not there are left out."""
    found = await store.of_ids(unit, account_id, ids)
    return [found[one] for one in ids if one in found]


async def list_page(unit: Unit, account_id: str, conversation_id: str, page: PageRequest) -> Page[Communication]:
    """A page of a conversation's communications, oldest first; filter `channelId`."""
    ids = await store.page_of_ids(unit, account_id, conversation_id, page)
    found = await store.of_ids(unit, account_id, [row.id for row in ids.items])
    # One that was deleted between the two statements is left out.
    return Page([found[row.id] for row in ids.items if row.id in found], ids.next_token, ids.previous_token)


Report = tuple[str, str, DeliveryStatus]
"""Account id, provider's message id, what became of the message."""


async def report_delivery(unit: Unit, reports: Collection[Report]) -> int:
    """Move the delivery status of messages forward; returns how many communications changed.

    Reports for CLOSED conversations are dropped: a closed conversation never changes.
    """
    found = await store.of_resources(unit, {(account_id, resource_id) for account_id, resource_id, _ in reports})
    if not found:
        return 0
    locked = await conversations.lock_all(unit, {(one.account_id, one.conversation_id) for one in found})
    open_ = {key: one for key, one in locked.items() if not has_ended(one.life, unit.now)}
    # Read again: now that the conversations are locked, nobody else changes these.
    found = await store.of_resources(unit, {(account_id, resource_id) for account_id, resource_id, _ in reports})
    outbox = Outbox(unit)
    changed = [one for one in found if (one.account_id, one.conversation_id) in open_ and _advance(one, reports)]
    for communication in changed:
        communication.updated_at = unit.now
        conversation = open_[communication.account_id, communication.conversation_id]
        outbox.append(conversation, EventType.COMMUNICATION_UPDATED, schemas.to_wire(communication))
    if changed:
        await store.update(unit, changed)
        touched = {(one.account_id, one.conversation_id) for one in changed}
        await conversations.save(unit, [open_[key] for key in sorted(touched)])
        await outbox.write()
    return len(changed)


def _advance(communication: Communication, reports: Collection[Report]) -> bool:
    """Move the status of each recipient forward; True when that is news."""
    before = [dict(recipient) for recipient in communication.recipients]
    for account_id, resource_id, status in reports:
        if (account_id, resource_id) != (communication.account_id, communication.resource_id):
            continue
        for recipient in communication.recipients:
            current = recipient.get("deliveryStatus")
            recipient["deliveryStatus"] = advanced(current and DeliveryStatus(current), status)
    return communication.recipients != before
