"""Conversations: opened for a grouping key, moved through their life, written back.

Lock order: configuration, then key, then conversation, then its participants, communications and events.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import asyncpg

from orchestrator.configurations import service as configurations
from orchestrator.configurations.model import Configuration
from orchestrator.conversations import key_store, schemas, store
from orchestrator.conversations.happenings import ConversationsRested
from orchestrator.conversations.key_store import ConversationKey, GroupKey
from orchestrator.conversations.model import Conversation
from orchestrator.domain import lifecycle
from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import Settings, callbacks_from_wire, settings_from_wire
from orchestrator.domain.events import EventType
from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.errors import BadRequest, NotFound
from orchestrator.kernel.ids import CONVERSATION, is_id, new_id
from orchestrator.kernel.paging import Page, PageRequest
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox
from orchestrator.participants import service as participants
from orchestrator.participants.model import Participant


class Overtaken(Exception):
    """A conversation ended before it could be locked, while others are held: let go of everything and begin again."""


async def open_for(
    unit: Unit, outbox: Outbox, wanted: Mapping[GroupKey, Configuration]
) -> dict[GroupKey, Conversation]:
    """The one open conversation of each grouping key, locked; a new one where nobody holds the key.

    A conversation whose closing time has passed is closed here first, so that where a message lands does not depend
    on when the sweep last looked. Keys of a configuration that is being deleted are left out. Raises Overtaken, never
    for a single key.
    """
    opened: dict[GroupKey, Conversation] = {}
    remaining = dict(wanted)
    entered: dict[ConversationKey, Conversation] = {}
    ended: dict[GroupKey, str] = {}
    while remaining:
        holders = await key_store.holders(unit, remaining)
        free = {key: configuration for key, configuration in remaining.items() if key not in holders}
        if free:
            alive = await configurations.lock_for_opening(unit, {key[:2] for key in free})
            new = {key: _new(unit, free[key], ended.get(key)) for key in free if key[:2] in alive}
            won = await key_store.take(unit, {key: conversation.id for key, conversation in new.items()})
            opened |= {key: new[key] for key in won}
            for key in free:
                if key in won or key not in new:
                    del remaining[key]
        live = {key[:2]: configuration for key, configuration in wanted.items()}
        for key in await enter(unit, outbox, holders, entered, live, alone=len(wanted) == 1):
            opened[key] = entered[key[0], holders[key]]
            del remaining[key]
        ended |= {key: holder for key, holder in holders.items() if (key[0], holder) not in entered}
    return opened


def _new(unit: Unit, configuration: Configuration, succeeds: str | None) -> Conversation:
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
        succeeds=succeeds,
    )


async def enter(
    unit: Unit,
    outbox: Outbox,
    holders: Mapping[GroupKey, str],
    entered: dict[ConversationKey, Conversation],
    live: Mapping[tuple[str, str], Configuration] | None = None,
    *,
    alone: bool = True,
) -> list[GroupKey]:
    """Lock the conversations that hold keys, but for those entered before; returns the keys that open ones still hold.

    Those that have ended meanwhile are closed: their keys are free. So is one that was given up before the lock came,
    because a participant has another address now.

    Unless these are `alone`, Overtaken is raised when somebody else has ended one: whoever takes its key next may then
    wait for a conversation that is locked here, and we would wait for the key.
    """
    strange = {(key[0], holder) for key, holder in holders.items()} - entered.keys()
    held: Mapping[GroupKey, str] = holders
    if strange:
        loaded = await load(unit, await store.lock(unit, strange), live)
        if not alone and sum(one.status is not Status.CLOSED for one in loaded) < len(strange):
            raise Overtaken
        await close_overdue(unit, outbox, loaded)
        entered |= {(found.account_id, found.id): found for found in loaded if found.status is not Status.CLOSED}
        # Only an open conversation holds a key; whatever else is named by one would be met again and again.
        if dead := strange - entered.keys():
            await key_store.release(unit, dead)
        held = await key_store.holders(unit, holders)
    return [key for key, holder in holders.items() if (key[0], holder) in entered and held.get(key) == holder]


async def close_overdue(unit: Unit, outbox: Outbox, conversations: Sequence[Conversation]) -> None:
    """Close those of these locked conversations whose closing time has passed."""
    overdue = [
        one for one in conversations if one.status is not Status.CLOSED and lifecycle.has_ended(one.life, unit.now)
    ]
    for conversation in overdue:
        change_status(unit, outbox, conversation, Status.CLOSED)
    await save(unit, overdue)


async def load(
    unit: Unit, rows: Sequence[asyncpg.Record], live: Mapping[tuple[str, str], Configuration] | None = None
) -> list[Conversation]:
    """Conversations from their rows, with participants, the settings in force and the callbacks in force.

    `live` are the current configurations by (account, id), where the caller knows them already.
    """
    if not rows:
        return []
    pinned = {
        (row["account_id"], row["configuration_id"], row["configuration_version"])
        for row in rows
        if row["settings"] is None
    }
    settings = await configurations.settings_of(unit, pinned)
    members = await participants.of_conversations(unit, {(row["account_id"], row["id"]) for row in rows})
    if live is None:
        current = await configurations.current(unit, {row["account_id"] for row in rows})
        live = {(one.account_id, one.id): one for several in current.values() for one in several}
    return [_from_row(row, settings, live, members[row["account_id"], row["id"]]) for row in rows]


def _from_row(
    row: asyncpg.Record,
    pinned: Mapping[tuple[str, str, int], Settings],
    live: Mapping[tuple[str, str], Configuration],
    members: list[Participant],
) -> Conversation:
    own_body, own_callbacks = row["settings"], row["status_callbacks"]
    scope = (row["account_id"], row["configuration_id"])
    settings = settings_from_wire(own_body) if own_body else pinned[*scope, row["configuration_version"]]
    configuration = live.get(scope)
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
        own_body=own_body,
    )


def communicate(unit: Unit, outbox: Outbox, conversation: Conversation, channel: Channel) -> None:
    """A communication arrives now: the channel's timers start anew, and an INACTIVE conversation is ACTIVE again."""
    # A unit that waited for the lock may be older than the one before it.
    conversation.activity[channel] = max(unit.now, conversation.activity.get(channel, unit.now))
    if conversation.status is Status.INACTIVE:
        change_status(unit, outbox, conversation, Status.ACTIVE)


def change_status(unit: Unit, outbox: Outbox, conversation: Conversation, status: Status) -> None:
    """Move a conversation that is not CLOSED. The caller saves it."""
    moved = status is not conversation.status
    conversation.status = status
    conversation.updated_at = max(unit.now, conversation.updated_at)
    outbox.append(conversation, EventType.CONVERSATION_UPDATED, schemas.to_event(conversation))
    if moved:
        conversation.rested_at = None if status is Status.ACTIVE else conversation.event_sequence


async def save(unit: Unit, conversations: Sequence[Conversation]) -> None:
    """Write conversations back; those that are CLOSED free their keys. Tells of those that have come to rest.

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
        await key_store.release(unit, {(conversation.account_id, conversation.id) for conversation in closed})
    if rested := [conversation for conversation in conversations if conversation.rested_at is not None]:
        await unit.tell(ConversationsRested(rested))
        for conversation in rested:
            conversation.rested_at = None


async def lock_all(unit: Unit, keys: Collection[ConversationKey]) -> dict[ConversationKey, Conversation]:
    """Conversations by (account, id), locked for a change; those that are not there are left out."""
    found = await load(unit, await store.lock(unit, keys))
    return {(conversation.account_id, conversation.id): conversation for conversation in found}


async def lock_open_with(
    unit: Unit, outbox: Outbox, account_id: str, profile_ids: Collection[str]
) -> list[Conversation]:
    """The open conversations of everybody with one of these profiles, locked. Overdue ones are closed."""
    found = await load(unit, await store.lock(unit, await store.open_with_profiles(unit, account_id, profile_ids)))
    await close_overdue(unit, outbox, found)
    return [conversation for conversation in found if conversation.status is not Status.CLOSED]


async def lock_due(unit: Unit, *, limit: int) -> list[Conversation]:
    """Open conversations whose next look is due, locked; those that somebody else works on are left to them."""
    return await load(unit, await store.lock_due(unit, limit=limit))


async def lock(unit: Unit, account_id: str, conversation_id: str) -> Conversation:
    """One conversation, locked for a change. Raises NotFound."""
    found = await load(unit, await store.lock(unit, _known([(account_id, conversation_id)])))
    if not found:
        raise NotFound(f"there is no conversation {conversation_id}")
    return found[0]


async def remove(unit: Unit, account_id: str, conversation_id: str) -> None:
    """Delete one conversation with everything that belongs to it. Raises NotFound."""
    if not await store.lock(unit, _known([(account_id, conversation_id)])):
        raise NotFound(f"there is no conversation {conversation_id}")
    await store.remove(unit, account_id, conversation_id)


async def find(unit: Unit, account_id: str, conversation_id: str) -> Conversation:
    """One conversation, to look at. Raises NotFound."""
    key = (account_id, conversation_id)
    found = (await find_all(unit, [key])).get(key)
    if found is None:
        raise NotFound(f"there is no conversation {conversation_id}")
    return found


async def find_all(unit: Unit, keys: Collection[ConversationKey]) -> dict[ConversationKey, Conversation]:
    """Conversations by (account, id), to look at; those that are not there are left out."""
    found = await load(unit, await store.read(unit, _known(keys)))
    return {(conversation.account_id, conversation.id): conversation for conversation in found}


def require_open(unit: Unit, conversation: Conversation) -> None:
    """Raise BadRequest when a conversation is CLOSED, or should be by now: that is final."""
    if lifecycle.has_ended(conversation.life, unit.now):
        raise BadRequest(f"conversation {conversation.id} is CLOSED; a closed conversation never changes")


def _known(keys: Iterable[ConversationKey]) -> list[ConversationKey]:
    """What to look up: no text that is no id, which the database might not be able to compare."""
    return [key for key in keys if is_id(key[1], CONVERSATION)]


async def list_page(unit: Unit, account_id: str, page: PageRequest) -> Page[Conversation]:
    """A page of the account's conversations, newest first, with the filters of `store.page_of_ids`."""
    ids = await store.page_of_ids(unit, account_id, page)
    found = await find_all(unit, [(account_id, row.id) for row in ids.items])
    # One that was deleted between the two statements is left out.
    there = [one for row in ids.items if (one := found.get((account_id, row.id))) is not None]
    return Page(there, ids.next_token, ids.previous_token)
