"""Which profile the customer of each message is. Fail-open: no profile never stops a message."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.identity import ParticipantType, recognition, sides_by_profile
from orchestrator.domain.linking import LINKED, Linking
from orchestrator.domain.messages import CallType
from orchestrator.ingest.landing import Landing, Side
from orchestrator.kernel.unit import Unit
from orchestrator.memory import identity, turns
from orchestrator.memory.identity import Resolution, Subject

SKIPPED = 530001
"""No profile, or not for certain: the address has no identifier, several profiles have it, or both sides have one.

What to do: merge the profiles if they are one person; register your own numbers under `/orchestrator/v1/Numbers`.
"""
LOOKUP_FAILED = 530003
"""The customer could not be looked up: the memory store was deleted, or is not there.

What to do: put a store that exists into the configuration.
"""
CREATION_FAILED = 530004
"""The customer has no profile, and none could be made, because the look-up failed.

What to do: put a store that exists into the configuration.
"""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that identification depends on."""

    linking: Linking = LINKED
    passive_profile_creation: bool = True


async def identify(unit: Unit, landings: Sequence[Landing], policy: Policy) -> None:
    """Resolve customers to profiles, and tell customers by their profiles where nothing else tells."""
    customers = _asked(landings, policy, lambda _, side: side.type is ParticipantType.CUSTOMER)
    unknown = _asked(landings, policy, lambda landing, _: landing.told_by == "none")
    if customers and unknown:
        # The turns of all stores in one sorted step: two look-ups, one after the other, would take them in any order.
        stores = {(subject.account_id, subject.store_id) for subject in customers.keys() | unknown.keys()}
        await turns.share(unit, stores)
    if customers:
        find = identity.recognise_or_create if policy.passive_profile_creation else identity.recognise
        _take(customers, await find(unit, customers))
    if unknown:
        _take(unknown, await identity.recognise(unit, unknown))
    for landing in landings:
        if landing.told_by == "none":
            _tell_sides(landing)
        else:
            _diagnose(landing)


def _asked(
    landings: Sequence[Landing], policy: Policy, is_asked: Callable[[Landing, Side], bool]
) -> dict[Subject, list[Side]]:
    """Who is to be looked up, and the sides that each of them is."""
    asked: dict[Subject, list[Side]] = {}
    for landing in landings:
        for side in landing.sides:
            if is_asked(landing, side) and (subject := _subject(landing, side, policy)) is not None:
                asked.setdefault(subject, []).append(side)
    return asked


def _subject(landing: Landing, side: Side, policy: Policy) -> Subject | None:
    recognised_by = recognition(
        side.address,
        call_type=landing.message.attributes.get("callType", CallType.PSTN),
        linking=policy.linking,
    )
    store_id = landing.settings.memory_store_id
    if recognised_by is None or not store_id:
        return None
    return Subject(landing.message.account_id, store_id, recognised_by)


def _take(asked: Mapping[Subject, Sequence[Side]], resolved: Mapping[Subject, Resolution]) -> None:
    for subject, sides in asked.items():
        for side in sides:
            side.resolution = resolved[subject]


def _tell_sides(landing: Landing) -> None:
    """Neither side is known to be ours: a single known profile tells which one is the customer."""
    author_known, recipient_known = (side.profile_id is not None for side in landing.sides)
    if author_known and recipient_known:
        landing.diagnostics.append(SKIPPED)
    landing.take_sides(sides_by_profile(author_known=author_known, recipient_known=recipient_known))
    for side in landing.sides:
        if side.type is not ParticipantType.CUSTOMER:
            side.resolution = None


def _diagnose(landing: Landing) -> None:
    for side in landing.sides:
        if side.type is not ParticipantType.CUSTOMER or side.profile_id is not None:
            continue
        if side.resolution is None:
            landing.diagnostics.append(SKIPPED)
        elif side.resolution.outcome == "store-missing":
            landing.diagnostics += [LOOKUP_FAILED, CREATION_FAILED]
        else:
            # Nobody is known by this address and none is to be made: not a customer that we know of.
            side.type = ParticipantType.UNKNOWN
