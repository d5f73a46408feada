"""Writes what an extractor has told into the memory store, in one transaction with the end of the job."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from orchestrator.conversations import service as conversations
from orchestrator.domain.lifecycle import Status
from orchestrator.extraction import subjects
from orchestrator.extraction.answers import About, Answer, Noted
from orchestrator.extraction.briefing import Briefing
from orchestrator.extraction.model import Job, Result
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.unit import Unit
from orchestrator.memory import observations, profiles, summaries
from orchestrator.memory.stores import Store

log = structlog.get_logger(__name__)

SOURCE_OF_OBSERVATIONS = "conversational-intelligence"
SOURCE_OF_SUMMARIES = "conversations"

_MOST_CONVERSATIONS = 10
"""Of an observation (memory.md 5.1)."""


async def write(unit: Unit, job: Job, briefing: Briefing, answer: Answer) -> Result:
    """Write an answer. Those whom it is about may have been merged or deleted since the extractor was told of them."""
    try:
        conversation = await conversations.find(unit, job.account_id, job.conversation_id)
    except NotFound:
        return Result(note="the conversation is not there")
    told = {one.profile_id: one.participant_ids for one in briefing.subjects}
    found = await subjects.of_conversation(unit, conversation, also=told, writing=True)
    if isinstance(found, str):
        return Result(note=found)
    writer = _Writer(unit, job, found.store, briefing.ends_at)
    abouts: dict[str, list[About]] = {profile_id: [] for profile_id in found.participants}
    for about in answer.profiles or []:
        profile_id = found.now(about.profile_id, told[about.profile_id]) if about.profile_id in told else None
        if profile_id is None:
            writer.ignore("profile", about.profile_id)
        else:
            abouts[profile_id].append(about)
    # In sorted order, so that no two transactions wait for each other.
    for profile_id, of_one in abouts.items():
        await writer.note(profile_id, [noted for about in of_one for noted in about.observations or []])
        if job.state is Status.CLOSED:
            given = [about.summary for about in of_one if about.summary]
            await writer.sum_up(profile_id, given or ([answer.summary] if answer.summary else []))
    return writer.result()


@dataclass(slots=True)
class _Writer:
    """Writes into one store, and counts."""

    unit: Unit
    job: Job
    store: Store
    ends_at: datetime
    created: int = 0
    revised: int = 0
    summed_up: int = 0
    ignored: int = 0

    async def note(self, profile_id: str, noted: Sequence[Noted]) -> None:
        """Write what was noticed about somebody."""
        if not noted:
            return
        await profiles.require_held(self.unit, self.store, profile_id)
        if new := [one for one in noted if one.id is None]:
            await observations.create(self.unit, self.store, profile_id, [self._new(one) for one in new])
            self.created += len(new)
        for one in noted:
            if one.id is not None:
                await self._revise(profile_id, one.id, one)

    async def sum_up(self, profile_id: str, contents: Sequence[str]) -> None:
        """Write what came of the conversation with somebody."""
        for content in contents:
            await write_summary(self.unit, self.store, profile_id, self.job, content, self.ends_at)
            self.summed_up += 1

    def ignore(self, kind: str, its_id: str) -> None:
        """Leave out what the extractor says of something that is not there."""
        self.ignored += 1
        log.warning("an extractor told of what is not there", job=self.job.key, kind=kind, id=its_id[:100])

    def result(self) -> Result:
        """What was written."""
        return Result(self.created, self.revised, self.summed_up, self.ignored)

    def _new(self, noted: Noted) -> dict[str, Any]:
        return {
            "content": noted.content,
            "source": SOURCE_OF_OBSERVATIONS,
            "occurred_at": noted.occurred_at or self.ends_at,
            "conversation_ids": [self.job.conversation_id],
        }

    async def _revise(self, profile_id: str, observation_id: str, noted: Noted) -> None:
        try:
            known = await observations.find(self.unit, self.store, profile_id, observation_id)
        except NotFound:
            self.ignore("observation", observation_id)
            return
        others = [one for one in known.conversation_ids if one != self.job.conversation_id]
        changes = {
            "content": noted.content,
            "source": SOURCE_OF_OBSERVATIONS,
            "occurred_at": noted.occurred_at or known.occurred_at,
            "conversation_ids": [*others, self.job.conversation_id][-_MOST_CONVERSATIONS:],
        }
        await observations.revise(self.unit, self.store, profile_id, observation_id, changes)
        self.revised += 1


async def write_summary(
    unit: Unit, store: Store, profile_id: str, job: Job, content: str, occurred_at: datetime
) -> None:
    """Write what came of the job's conversation with somebody."""
    summary = {
        "content": content,
        "conversation_id": job.conversation_id,
        "occurred_at": occurred_at,
        "source": SOURCE_OF_SUMMARIES,
    }
    await summaries.create(unit, store, profile_id, [summary])
