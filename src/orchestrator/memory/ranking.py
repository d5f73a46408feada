"""How much of a query each of somebody's memories has (memory.md 5.3): lexical, in PostgreSQL, for every language.

A memory's score, from 0 to 1, is the share of the query's words that it has. A word counts the more the fewer of the
memories have it, so that everyday words, of which no list knows those of every language, hardly count; PostgreSQL's
own `ts_rank` weighs all words alike. Words are whole and in small letters (the configuration `simple`).

Where something tells how like the query a memory is in meaning, the score is half of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from orchestrator.kernel.unit import Unit
from orchestrator.memory.stores import Store

MOST_CANDIDATES = 1000
"""Memories of a kind that are compared by meaning: those with most of the words, and then the newest."""

Table = Literal["observations", "conversation_summaries"]


@dataclass(frozen=True, slots=True)
class Sought:
    """Whose memories are sought, and which."""

    store: Store
    profile_id: str
    begin: datetime | None
    """Inclusive, for when it occurred."""
    end: datetime | None
    """Exclusive."""
    words: Sequence[str]
    """From `words_of`; without any, the newest are sought."""
    threshold: float
    """Least score; without words, nothing has one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A memory that may be what is sought."""

    id: str
    content: str
    occurred_at: datetime
    score: float
    """By its words."""


async def words_of(unit: Unit, query: str) -> list[str]:
    """The words of a text in the form for comparing. Empty when it has none."""
    words: list[str] = await unit.driver.fetchval(_WORDS, query)
    return words


async def best(unit: Unit, sought: Sought, table: Table, *, most: int) -> list[tuple[str, float | None]]:
    """Ids and scores of one kind of memories, the highest score first, of the same score the newest."""
    if not most:
        return []
    store = sought.store
    given = (store.account_id, store.id, sought.profile_id, sought.begin, sought.end, most)
    if not sought.words:
        rows = await unit.driver.fetch(_NEWEST.format(table=table), *given)
        return [(row["id"], None) for row in rows]
    rows = await unit.driver.fetch(_RANKED.format(table=table), *given, sought.words, sought.threshold)
    return [(row["id"], row["score"]) for row in rows]


async def candidates(unit: Unit, sought: Sought, table: Table) -> list[Candidate]:
    """The memories of one kind, whether they have any of the words or not, and whatever the threshold."""
    store = sought.store
    given = (store.account_id, store.id, sought.profile_id, sought.begin, sought.end, MOST_CANDIDATES)
    rows = await unit.driver.fetch(_RANKED.format(table=table), *given, sought.words, 0.0)
    return [Candidate(row["id"], row["content"], row["occurred_at"], row["score"]) for row in rows]


def mixed(found: Sequence[Candidate], alike: Sequence[float], *, threshold: float) -> list[tuple[str, float]]:
    """Ids and scores by words and meaning (`alike`, from 0 to 1), ordered as in `best`."""
    scored = [
        (round((one.score + likeness) / 2, 6), one.occurred_at, one.id)
        for one, likeness in zip(found, alike, strict=True)
    ]
    return [(one, score) for score, _, one in sorted(scored, reverse=True) if score >= threshold]


# What PostgreSQL takes for a letter depends on the database's locale: in C, all beyond ASCII. So signs are taken out
# first, and each character of Chinese and Japanese, which put no blanks between words, is a word.
_SIGNS = r"[\u00a0-\u00b4\u00b6-\u00bf\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
_CHARACTERS = r"([\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff])"


def _vector(text: str) -> str:
    """A tsvector of the words of an SQL expression."""
    plain = f"regexp_replace(regexp_replace({text}, '{_SIGNS}', ' ', 'g'), '{_CHARACTERS}', ' \\1 ', 'g')"
    return f"to_tsvector('simple', {plain})"


_WORDS = f"select tsvector_to_array({_vector('$1::text')})"
_OF_PROFILE = """
      from {table}
      where account_id = $1 and store_id = $2 and profile_id = $3
        and ($4::timestamptz is null or occurred_at >= $4) and ($5::timestamptz is null or occurred_at < $5)
"""
_NEWEST = f"select id {_OF_PROFILE} order by occurred_at desc, id desc limit $6"

# The score is rounded, because sums of the same weights in another order differ in their last digit.
_RANKED = f"""
    with memories as materialized (
      select id, occurred_at, content, {_vector("content")} as words {_OF_PROFILE}
    ), found as (
      select id, lexeme
      from memories cross join unnest(words) as word join unnest($7::text[]) as sought on sought = lexeme
    ), weights as (
      select sought, ln(1 + (select count(*) from memories) / greatest(count(id), 1)::float8) as weight
      from unnest($7::text[]) as sought left join found on lexeme = sought
      group by sought
    ), scores as (
      select id, round((sum(weight) / (select sum(weight) from weights))::numeric, 6)::float8 as score
      from found join weights on sought = lexeme
      group by id
    )
    select id, content, occurred_at, coalesce(score, 0) as score
    from memories left join scores using (id)
    where coalesce(score, 0) >= $8
    order by coalesce(score, 0) desc, occurred_at desc, id desc
    limit $6
"""  # noqa: S608 - constants
