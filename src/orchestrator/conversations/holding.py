"""The grouping keys of a conversation whose participants a caller names: all are held at once, or none.

Traffic takes its one key as it comes (`service.open_for`).
"""

from collections.abc import Collection, Mapping, Sequence, Set

from orchestrator.conversations import key_store, service, store
from orchestrator.conversations.key_store import GroupKey
from orchestrator.conversations.model import Conversation
from orchestrator.domain import lifecycle
from orchestrator.domain.grouping import pairs_of_addresses, profile_key
from orchestrator.kernel.errors import BadRequest, Conflict
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox
from orchestrator.participants.model import Participant

MOST_KEYS = 10_000
"""Of addresses, between the participants of one conversation: as many keys it may hold."""


class AddressConflict(Conflict):
    """An open conversation, or another participant, holds the address. The code is what clients of Twilio know.

    What to do: use the conversation or participant that `details.conflictingResourceId` names, or close it first.
    """

    code = 400

    def __init__(self, message: str, resource_id: str) -> None:
        super().__init__(
            message,
            details={"conflictingResourceId": resource_id},
            headers={"X-Conflicting-Resource-Id": resource_id},
        )


async def turn(unit: Unit, seen: Conversation) -> Conversation:
    """Wait for our turn to change who takes part; returns the conversation as it is then, not locked. Raises NotFound.

    Grouping keys are taken before the conversation is locked, by what is seen. Without turns another caller could
    change that meanwhile, and the keys that are then missing could only be taken under the lock: whoever does so and
    traffic, which takes a key and then wants the conversation, wait for each other.
    """
    await store.lock_membership(unit, seen.account_id, seen.id)
    return await service.find(unit, seen.account_id, seen.id)


def keys(conversation: Conversation, members: Sequence[Participant]) -> set[GroupKey]:
    """The keys that these members mean. Raises BadRequest when there would be too many."""
    pairs = pairs_of_addresses((member.type, len(member.addresses)) for member in members)
    if pairs > MOST_KEYS:
        raise BadRequest(
            f"the participants' addresses make {pairs} pairs; a conversation holds at most {MOST_KEYS}",
            details={"limit": MOST_KEYS},
        )
    return conversation.keys(members)


async def hold(unit: Unit, outbox: Outbox, conversation: Conversation, members: Sequence[Participant]) -> set[GroupKey]:
    """Take the keys that the conversation means once these are its members; returns all of those.

    Raises AddressConflict when another open conversation holds one, BadRequest when there would be too many.
    """
    meant = keys(conversation, members)
    new = meant if conversation.is_new else meant - conversation.keys()
    others = await take(unit, outbox, conversation, new)
    if others:
        holder = min(others.values())
        raise AddressConflict(
            f"address mapping already exists on conversation {holder}; write there, or close it first", holder
        )
    return meant


async def take(
    unit: Unit, outbox: Outbox, conversation: Conversation, wanted: Collection[GroupKey]
) -> dict[GroupKey, str]:
    """Take what is free of these keys; returns those that other open conversations hold, and which."""
    open_, others = set(wanted), dict[GroupKey, str]()
    while open_:
        open_ -= await key_store.take(unit, dict.fromkeys(open_, conversation.id))
        holders = await key_store.holders(unit, open_) if open_ else {}
        own = {key for key, holder in holders.items() if holder == conversation.id}
        strange = {key: holder for key, holder in holders.items() if key not in own}
        held = await _held_by_open(unit, outbox, strange) if strange else []
        others |= {key: strange[key] for key in held}
        open_ -= own | set(held)
    return others


async def _held_by_open(unit: Unit, outbox: Outbox, holders: Mapping[GroupKey, str]) -> list[GroupKey]:
    """Those of these keys that an open conversation holds.

    One whose closing time has passed is closed. An open one is not locked: whoever works on it may be waiting for us.
    """
    rows = await store.read(unit, {(key[0], holder) for key, holder in holders.items()})
    seen = {(one.account_id, one.id): one for one in await service.load(unit, rows)}
    open_ = {place for place, one in seen.items() if not lifecycle.has_ended(one.life, unit.now)}
    ended = {key: holder for key, holder in holders.items() if (key[0], holder) not in open_}
    reopened = await service.enter(unit, outbox, ended, {}) if ended else []
    return [key for key in holders if key not in ended or key in reopened]


async def drop(unit: Unit, conversation: Conversation, members: Sequence[Participant], taken: Set[GroupKey]) -> None:
    """Free what these members do not mean: of the keys of the participants of now, and of those taken before the lock.

    Those were taken by what was seen, and the participants may have changed since.
    """
    if obsolete := (conversation.keys() | taken) - conversation.keys(members):
        await key_store.drop(unit, [conversation.id], obsolete)


async def settle(unit: Unit, conversations: Collection[Conversation], profile_ids: Collection[str]) -> None:
    """Settle anew which conversation the keys of these profiles lead to, after somebody's profile has changed.

    The conversations are all open ones that somebody with one of these profiles takes part in, and locked; the turn of
    the store is had alone, so nobody else takes one of these keys. Of those that mean a key, the one with the latest
    communication holds it, the later one of two; the others wait until it ends (contract: memory.md 6.6).
    """
    settled = {profile_key(profile_id) for profile_id in profile_ids}
    await key_store.drop(
        unit,
        [conversation.id for conversation in conversations],
        {(*conversation.scope, key) for conversation in conversations for key in settled},
    )
    holders, waiting = dict[GroupKey, str](), list[tuple[GroupKey, str]]()
    for conversation in sorted(conversations, key=lambda one: (one.latest, one.id), reverse=True):
        for key in sorted(conversation.keys()):
            if key[2] in settled and holders.setdefault(key, conversation.id) != conversation.id:
                waiting.append((key, conversation.id))
    await key_store.settle(unit, holders, waiting)
