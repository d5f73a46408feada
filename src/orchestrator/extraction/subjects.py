"""Whom a conversation tells something about: its customers, by the profiles that they are by now."""

from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.conversations.model import Conversation
from orchestrator.domain.identity import ParticipantType
from orchestrator.kernel.unit import Unit
from orchestrator.memory import stores, turns
from orchestrator.memory.errors import MalformedStoreId, StoreNotActive, StoreNotFound
from orchestrator.memory.stores import Store


@dataclass(frozen=True, slots=True)
class Subjects:
    """The customers, in a store in which nobody merges or deletes profiles before the unit ends."""

    store: Store
    participants: dict[str, list[str]]
    """Ids of participants by profile, in the order of the profiles' ids."""
    canonical: dict[str, str]
    """What each of their profiles, and of those asked for, is part of by now; what is not there is left out."""

    def now(self, profile_id: str, participant_ids: Collection[str]) -> str | None:
        """The profile of somebody who had this one, and was these participants, a while ago."""
        canonical = self.canonical.get(profile_id)
        if canonical in self.participants:
            return canonical
        # Given another profile since, or one that was taken out of the one it had been merged into.
        return next((one for one, ids in self.participants.items() if not set(ids).isdisjoint(participant_ids)), None)


async def of_conversation(
    unit: Unit, conversation: Conversation, *, also: Collection[str] = (), writing: bool = False
) -> Subjects | str:
    """Whom it tells about, or why nobody. `also` are further profiles to look up.

    `writing` keeps the store from being deleted.
    """
    store_id = conversation.settings.memory_store_id
    try:
        store = await stores.serving_store(unit, conversation.account_id, store_id, writing=writing)
    except (MalformedStoreId, StoreNotFound, StoreNotActive):
        return "its memory store is not there"
    # Before profiles are looked at: from here on they stay what they are.
    await turns.share(unit, [(store.account_id, store.id)])
    customers = [
        (one.profile_id, one.id)
        for one in conversation.participants
        if one.type is ParticipantType.CUSTOMER and one.profile_id is not None
    ]
    canonical = await _canonical(unit, store, {*also, *(profile_id for profile_id, _ in customers)})
    participants: dict[str, list[str]] = {}
    for profile_id, participant_id in customers:
        if profile_id in canonical:
            participants.setdefault(canonical[profile_id], []).append(participant_id)
    if not participants:
        return "no customer has a profile"
    return Subjects(store, dict(sorted(participants.items())), canonical)


async def _canonical(unit: Unit, store: Store, profile_ids: Collection[str]) -> dict[str, str]:
    """What these profiles are part of by now; those that are not there are left out."""
    rows = await unit.driver.fetch(
        """
        select id, coalesce(merged_into, id) as canonical from profiles
        where account_id = $1 and store_id = $2 and id = any ($3::text[])
        """,
        store.account_id,
        store.id,
        list(profile_ids),
    )
    return {row["id"]: row["canonical"] for row in rows}
