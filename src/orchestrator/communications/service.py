"""Communications: appended to conversations that the unit has locked, once per provider message."""

from collections.abc import Collection, Mapping, Sequence

from orchestrator.communications import schemas, store
from orchestrator.communications.model import Communication
from orchestrator.conversations import service as conversations
from orchestrator.conversations.model import Conversation
from orchestrator.domain.events import EventType
from orchestrator.domain.lifecycle import Status
from orchestrator.domain.messages import DeliveryStatus, advanced
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.ids import COMMUNICATION, is_id
from orchestrator.kernel.paging import Page, PageRequest
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox

Appended = tuple[Conversation, Communication]


async def append(unit: Unit, outbox: Outbox, appended: Sequence[Appended]) -> None:
    """Write communications. One whose `resourceId` its conversation has already updates that one instead.

    The communication then takes the id and creation time of the one that was there.
    """
    written = await store.insert(unit, [communication for _, communication in appended])
    repeated = [pair for pair in appended if pair[1].id not in written]
    if repeated:
        await _update(unit, repeated)
    for conversation, communication in appended:
        event = EventType.COMMUNICATION_CREATED if communication.id in written else EventType.COMMUNICATION_UPDATED
        outbox.append(conversation, event, schemas.to_wire(communication))


async def _update(unit: Unit, repeated: Sequence[Appended]) -> None:
    resources = {(one.account_id, one.resource_id) for _, one in repeated if one.resource_id is not None}
    present = {
        (one.account_id, one.conversation_id, one.resource_id): one for one in await store.of_resources(unit, resources)
    }
    for _, communication in repeated:
        known = present[communication.account_id, communication.conversation_id, communication.resource_id]
        communication.id, communication.created_at = known.id, known.created_at
        communication.occurred_at, communication.author = known.occurred_at, known.author
        communication.recipients = _merged(known.recipients, communication.recipients)
    await store.update(unit, [communication for _, communication in repeated])


def _merged(known: Sequence[dict[str, str]], given: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The recipients given, whose delivery never moves backwards."""
    before = {(one["channel"], one["address"]): one.get("deliveryStatus") for one in known}
    return [_further(recipient, before.get((recipient["channel"], recipient["address"]))) for recipient in given]


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


async def list_page(unit: Unit, account_id: str, conversation_id: str, page: PageRequest) -> Page[Communication]:
    """A page of a conversation's communications, oldest first; filter `channelId`."""
    ids = await store.page_of_ids(unit, account_id, conversation_id, page)
    found = await store.of_ids(unit, account_id, [row.id for row in ids.items])
    return Page([found[row.id] for row in ids.items], ids.next_token, ids.previous_token)


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
    # Read again: now that the conversations are locked, nobody else changes these.
    found = await store.of_resources(unit, {(account_id, resource_id) for account_id, resource_id, _ in reports})
    outbox = Outbox(unit)
    changed = [one for one in found if _advance(one, reports, locked)]
    for communication in changed:
        communication.updated_at = unit.now
        conversation = locked[communication.account_id, communication.conversation_id]
        outbox.append(conversation, EventType.COMMUNICATION_UPDATED, schemas.to_wire(communication))
    if changed:
        await store.update(unit, changed)
        touched = {(one.account_id, one.conversation_id) for one in changed}
        await conversations.save(unit, [locked[key] for key in sorted(touched)])
        await outbox.write()
    return len(changed)


def _advance(
    communication: Communication, reports: Collection[Report], locked: Mapping[tuple[str, str], Conversation]
) -> bool:
    conversation = locked.get((communication.account_id, communication.conversation_id))
    if conversation is None or conversation.status is Status.CLOSED:
        return False
    before = [dict(recipient) for recipient in communication.recipients]
    for account_id, resource_id, status in reports:
        if (account_id, resource_id) != (communication.account_id, communication.resource_id):
            continue
        for recipient in communication.recipients:
            current = recipient.get("deliveryStatus")
            recipient["deliveryStatus"] = advanced(current and DeliveryStatus(current), status)
    return communication.recipients != before
