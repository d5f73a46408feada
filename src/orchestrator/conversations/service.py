"""Conversations: opened for a grouping key, moved through their life, written back.

Lock order: configuration, then key, then conversation, then its participants, communications and events.
"""

from collections.abc import Collection, Mapping, Sequence

import asyncpg

from orchestrator.configurations import service as configurations
from orchestrator.configurations.model import Configuration
from orchestrator.conversations import schemas, store
from orchestrator.conversations.model import Conversation
from orchestrator.conversations.store import GroupKey
from orchestrator.domain import lifecycle
from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import Settings, callbacks_from_wire
from orchestrator.domain.events import EventType
from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.ids import CONVERSATION, is_id, new_id
from orchestrator.kernel.paging import Page, PageRequest
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox
from orchestrator.participants import service as participants
from orchestrator.participants.model import Participant


async def open_for(
    unit: Unit, outbox: Outbox, wanted: Mapping[GroupKey, Configuration]
) -> dict[GroupKey, Conversation]:
    """The one open conversation of each grouping key, locked; a new one where nobody holds the key.

    A conversation whose closing time has passed is closed here first, so that where a message lands does not depend
    on when the sweep last looked. Keys of a configuration that is being deleted are left out.
    """
    opened: dict[GroupKey, Conversation] = {}
    remaining = dict(wanted)
    while remaining:
        holders = await store.holders(unit, remaining)
        free = {key: configuration for key, configuration in remaining.items() if key not in holders}
        if free:
            alive = await configurations.lock_for_opening(unit, {key[:2] for key in free})
            new = {key: _new(unit, configuration) for key, configuration in free.items() if key[:2] in alive}
            won = await store.take_keys(unit, {key: conversation.id for key, conversation in new.items()})
            opened |= {key: new[key] for key in won}
            for key in free:
                if key in won or key not in new:
                    del remaining[key]
        entered = await _enter(unit, outbox, holders, {key: remaining[key] for key in holders})
        for key, conversation in entered.items():
            opened[key] = conversation
            del remaining[key]
    return opened


def _new(unit: Unit, configuration: Configuration) -> Conversation:
    return Conversation(
        account_id=configuration.account_id,
        id=new_id(CONVERSATION),
        configuration_id=configuration.id,
        configuration_version=configuration.version,
        settings=configuration.settings,
        status=Status.ACTIVE,
        created_at=unit.now,
        updated_at=unit.now,
        live_callbacks=configuration.settings.status_callbacks,
        is_new=True,
    )


async def _enter(
    unit: Unit, outbox: Outbox, holders: Mapping[GroupKey, str], held: Mapping[GroupKey, Configuration]
) -> dict[GroupKey, Conversation]:
    """Lock the conversations that hold keys. Those that have ended meanwhile are not returned: their keys are free."""
    if not held:
        return {}
    rows = await store.lock(unit, {(key[0], holders[key]) for key in held})
    loaded = await load(unit, rows, {key[:2]: configuration for key, configuration in held.items()})
    ended = [found for found in loaded if lifecycle.has_ended(found.life, unit.now)]
    overdue = [found for found in ended if found.status is not Status.CLOSED]
    for conversation in overdue:
        change_status(unit, outbox, conversation, Status.CLOSED)
    await save(unit, overdue)
    gone = {(conversation.account_id, conversation.id) for conversation in ended}
    alive = {(found.account_id, found.id): found for found in loaded if (found.account_id, found.id) not in gone}
    # Only an open conversation holds a key; whatever else is named by one would be met again and again.
    if dead := {(key[0], holders[key]) for key in held} - alive.keys():
        await store.release_keys(unit, dead)
    return {key: alive[key[0], holders[key]] for key in held if (key[0], holders[key]) in alive}


async def load(
    unit: Unit, rows: Sequence[asyncpg.Record], live: Mapping[tuple[str, str], Configuration] | None = None
) -> list[Conversation]:
    """Conversations from their rows, with participants, pinned settings and the callbacks in force.

    `live` are the current configurations by (account, id), where the caller knows them already.
    """
    if not rows:
        return []
    pinned = await configurations.settings_of(
        unit, {(row["account_id"], row["configuration_id"], row["configuration_version"]) for row in rows}
    )
    members = await participants.of_conversations(unit, {(row["account_id"], row["id"]) for row in rows})
    if live is None:
        current = await configurations.current(unit, {row["account_id"] for row in rows})
        live = {(one.account_id, one.id): one for several in current.values() for one in several}
    return [_from_row(row, pinned, live, members[row["account_id"], row["id"]]) for row in rows]


def _from_row(
    row: asyncpg.Record,
    pinned: Mapping[tuple[str, str, int], Settings],
    live: Mapping[tuple[str, str], Configuration],
    members: list[Participant],
) -> Conversation:
    settings = pinned[row["account_id"], row["configuration_id"], row["configuration_version"]]
    configuration = live.get((row["account_id"], row["configuration_id"]))
    own_callbacks = row["status_callbacks"]
    return Conversation(
        account_id=row["account_id"],
        id=row["id"],
        configuration_id=row["configuration_id"],
        configuration_version=row["configuration_version"],
        settings=settings,
        status=Status(row["status"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        live_callbacks=(configuration.settings if configuration else settings).status_callbacks,
        own_callbacks=None if own_callbacks is None else callbacks_from_wire(own_callbacks),
        name=row["name"],
        metadata=row["metadata"],
        activity=store.activity_from(row["channel_activity"]),
        next_transition_at=row["next_transition_at"],
        event_sequence=row["event_sequence"],
        participants=members,
    )


def communicate(unit: Unit, outbox: Outbox, conversation: Conversation, channel: Channel) -> None:
    """A communication arrives now: the channel's timers start anew, and an INACTIVE conversation is ACTIVE again."""
    # A unit that waited for the lock may be older than the one before it.
    conversation.activity[channel] = max(unit.now, conversation.activity.get(channel, unit.now))
    if conversation.status is Status.INACTIVE:
        change_status(unit, outbox, conversation, Status.ACTIVE)


def change_status(unit: Unit, outbox: Outbox, conversation: Conversation, status: Status) -> None:
    """Move a conversation that is not CLOSED. The caller saves it."""
    conversation.status = status
    conversation.updated_at = max(unit.now, conversation.updated_at)
    outbox.append(conversation, EventType.CONVERSATION_UPDATED, schemas.to_event(conversation))


async def save(unit: Unit, conversations: Sequence[Conversation]) -> None:
    """Write conversations back; those that are CLOSED free their keys.

    The next look of the sweep is only ever brought forward: a deadline that moved away is found when the sweep looks,
    so that ordinary traffic does not touch the index of deadlines.
    """
    for conversation in conversations:
        due = lifecycle.next_transition(conversation.life)
        planned = conversation.next_transition_at
        if due is None:
            conversation.next_transition_at = None
        else:
            conversation.next_transition_at = due.at if planned is None else min(planned, due.at)
    new = [conversation for conversation in conversations if conversation.is_new]
    known = [conversation for conversation in conversations if not conversation.is_new]
    closed = [conversation for conversation in known if conversation.status is Status.CLOSED]
    if new:
        await store.insert(unit, new)
    if known:
        await store.update(unit, known)
    if closed:
        await store.release_keys(unit, {(conversation.account_id, conversation.id) for conversation in closed})


async def lock_all(unit: Unit, keys: Collection[store.ConversationKey]) -> dict[store.ConversationKey, Conversation]:
    """Conversations by (account, id), locked for a change; those that are not there are left out."""
    found = await load(unit, await store.lock(unit, keys))
    return {(conversation.account_id, conversation.id): conversation for conversation in found}


async def lock_due(unit: Unit, *, limit: int) -> list[Conversation]:
    """Open conversations whose next look is due, locked; those that somebody else works on are left to them."""
    return await load(unit, await store.lock_due(unit, limit=limit))


async def lock(unit: Unit, account_id: str, conversation_id: str) -> Conversation:
    """One conversation, locked for a change. Raises NotFound."""
    found = await load(unit, await store.lock(unit, _key(account_id, conversation_id)))
    if not found:
        raise NotFound(f"there is no conversation {conversation_id}")
    return found[0]


async def find(unit: Unit, account_id: str, conversation_id: str) -> Conversation:
    """One conversation, to look at. Raises NotFound."""
    found = await load(unit, await store.read(unit, _key(account_id, conversation_id)))
    if not found:
        raise NotFound(f"there is no conversation {conversation_id}")
    return found[0]


async def require(unit: Unit, account_id: str, conversation_id: str) -> None:
    """Raises NotFound when the account has no such conversation."""
    if not await store.read(unit, _key(account_id, conversation_id)):
        raise NotFound(f"there is no conversation {conversation_id}")


def _key(account_id: str, conversation_id: str) -> list[store.ConversationKey]:
    """What to look up: nothing for a text that is no id, which the database might not be able to compare."""
    return [(account_id, conversation_id)] if is_id(conversation_id, CONVERSATION) else []


async def list_page(unit: Unit, account_id: str, page: PageRequest) -> Page[Conversation]:
    """A page of the account's conversations, newest first; filters `status` (any of) and `channelId`."""
    ids = await store.page_of_ids(unit, account_id, page)
    found = {
        one.id: one for one in await load(unit, await store.read(unit, [(account_id, row.id) for row in ids.items]))
    }
    return Page([found[row.id] for row in ids.items], ids.next_token, ids.previous_token)
