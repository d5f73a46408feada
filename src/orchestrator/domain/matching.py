"""Who somebody is to a memory store, by the identifiers they come with (contract: memory.md 4.4)."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from orchestrator.domain.identifiers import IdentitySettings
from orchestrator.domain.identity import Identifier

Holders = Mapping[Identifier, Collection[str]]
"""The profiles that have an identifier."""

ENOUGH = 2
"""How many values that several profiles may have, each of another type, tell who somebody is."""


def matches(settings: IdentitySettings, wanted: Collection[Identifier], holders: Holders) -> set[str]:
    """The profiles that somebody with these identifiers is: none, one, or several that are one person.

    A value that belongs to one profile only decides. Values that may be shared count where no other has decided: two
    of them, of different types, name a profile; of several such profiles the earliest is meant. Types that no rule
    names do not count.
    """
    found = {
        profile_id
        for identifier in wanted
        if settings.is_exclusive(identifier.id_type)
        for profile_id in holders.get(identifier, ())
    }
    if found:
        return found
    shared = settings.shared_rules()
    types: defaultdict[str, set[str]] = defaultdict(set)
    for identifier in wanted:
        if identifier.id_type in shared:
            for profile_id in holders.get(identifier, ()):
                types[profile_id].add(identifier.id_type)
    alike = [profile_id for profile_id, in_common in types.items() if len(in_common) >= ENOUGH]
    return {min(alike)} if alike else set()


def others(settings: IdentitySettings, profile_id: str, wanted: Collection[Identifier], holders: Holders) -> set[str]:
    """The profiles that are in the way when a profile is to have these identifiers: those that they belong to."""
    return {
        holder
        for identifier in wanted
        if settings.is_exclusive(identifier.id_type)
        for holder in holders.get(identifier, ())
    } - {profile_id}
