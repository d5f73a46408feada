"""Which of somebody's memories matter: those that have words or meaning of a query, or the newest (memory.md 5.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from orchestrator.kernel.unit import Unit
from orchestrator.memory import observations, profiles, summaries
from orchestrator.memory.embedding import Meaning
from orchestrator.memory.observations import Observation
from orchestrator.memory.ranking import Sought, Table, best, candidates, mixed, words_of
from orchestrator.memory.stores import Store
from orchestrator.memory.summaries import Summary

Memory = TypeVar("Memory")


@dataclass(frozen=True, slots=True)
class Wish:
    """What may be recalled."""

    most_observations: int
    most_summaries: int
    threshold: float
    """Least score, from 0 to 1, of what is ranked."""
    begin: datetime | None
    """What occurred then or later."""
    end: datetime | None
    """What occurred before."""


@dataclass(frozen=True, slots=True)
class Memories:
    """What was recalled, each with its score; None when nothing is ranked."""

    observations: list[tuple[Observation, float | None]]
    summaries: list[tuple[Summary, float | None]]


async def recall(
    unit: Unit, store: Store, profile_id: str, query: str | None, wish: Wish, meaning: Meaning | None = None
) -> Memories:
    """The memories that have most of the query's words, or of its words and its meaning; without words, the newest.

    Raises NotFound for the profile.
    """
    await profiles.require(unit, store, profile_id)
    words = await words_of(unit, query) if query else []
    sought = Sought(store, profile_id, wish.begin, wish.end, words, wish.threshold)
    asked = (query or "", meaning) if meaning is not None and words else None
    noticed = await _best(unit, sought, "observations", wish.most_observations, asked)
    told = await _best(unit, sought, "conversation_summaries", wish.most_summaries, asked)
    return Memories(
        _joined(noticed, await observations.of_ids(unit, store, [one for one, _ in noticed])),
        _joined(told, await summaries.of_ids(unit, store, [one for one, _ in told])),
    )


async def _best(
    unit: Unit, sought: Sought, table: Table, most: int, asked: tuple[str, Meaning] | None
) -> Sequence[tuple[str, float | None]]:
    """Ids and scores, by the words alone where nothing is asked by meaning, or the embedder fails."""
    if most and asked is not None:
        query, meaning = asked
        found = await candidates(unit, sought, table)
        alike = await meaning.likeness(query, [one.content for one in found])
        if alike is not None:
            return mixed(found, alike, threshold=sought.threshold)[:most]
    return await best(unit, sought, table, most=most)


def _joined(
    found: Sequence[tuple[str, float | None]], by_id: Mapping[str, Memory]
) -> list[tuple[Memory, float | None]]:
    # One that was deleted between the two statements is left out.
    return [(by_id[one], score) for one, score in found if one in by_id]
