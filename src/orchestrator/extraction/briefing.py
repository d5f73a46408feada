"""What the extractor is told: the conversation, what was said since it was last asked, and what is known by now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from orchestrator.communications.model import Communication
from orchestrator.communications.schemas import to_wire as communication_to_wire
from orchestrator.conversations import service as conversations
from orchestrator.conversations.model import Conversation
from orchestrator.conversations.schemas import to_event as conversation_to_wire
from orchestrator.domain.lifecycle import Status
from orchestrator.extraction import said, subjects
from orchestrator.extraction.model import Job
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.paging import PageRequest
from orchestrator.kernel.unit import Unit
from orchestrator.memory import observations
from orchestrator.memory.observations import Observation

MOST_OBSERVATIONS = 100
"""Of each profile, the newest."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody whom the conversation tells about."""

    profile_id: str
    participant_ids: Sequence[str]
    observations: Sequence[Observation]


@dataclass(frozen=True, slots=True)
class Briefing:
    """Everything that is told."""

    conversation: Conversation
    state: Status
    subjects: Sequence[Subject]
    communications: Sequence[Communication]
    """Those that no job before has covered, oldest first."""
    earlier: Sequence[Communication]
    """Those before them, for the summary; only when the conversation is CLOSED."""
    omitted: int
    """How many of both were too many, the oldest."""

    @property
    def ends_at(self) -> datetime:
        """When the last of it was said."""
        return max(one.occurred_at for one in (*self.communications, *self.earlier))

    def to_json(self) -> bytes:
        """The body of the request."""
        return orjson.dumps(
            {
                "conversation": conversation_to_wire(self.conversation),
                "state": self.state,
                "profiles": [_subject(one) for one in self.subjects],
                "communications": [communication_to_wire(one) for one in self.communications],
                "earlierCommunications": [communication_to_wire(one) for one in self.earlier],
                "omittedCommunications": self.omitted,
            }
        )


async def prepare(unit: Unit, job: Job) -> Briefing | str:
    """What there is to tell, or why nothing. A conversation that is CLOSED is told whole: it is to be summed up."""
    try:
        conversation = await conversations.find(unit, job.account_id, job.conversation_id)
    except NotFound:
        return "the conversation is not there"
    if not conversation.settings.extracts_memory:
        return "memoryExtractionEnabled is off"
    found = await subjects.of_conversation(unit, conversation)
    if isinstance(found, str):
        return found
    covered = await said.covered(unit, job)
    everything = await said.until(unit, job, covered, after=0 if job.state is Status.CLOSED else covered.sequence)
    if not everything.communications:
        return "nothing was said that is not covered"
    return Briefing(
        conversation,
        job.state,
        [
            Subject(profile_id, participant_ids, await _known(unit, found, profile_id))
            for profile_id, participant_ids in found.participants.items()
        ],
        [one for number, one in everything.communications if number > covered.sequence],
        [one for number, one in everything.communications if number <= covered.sequence],
        everything.omitted,
    )


async def _known(unit: Unit, found: subjects.Subjects, profile_id: str) -> Sequence[Observation]:
    newest = PageRequest(size=MOST_OBSERVATIONS)
    return (await observations.list_page(unit, found.store, profile_id, newest, descending=True)).items


def _subject(subject: Subject) -> dict[str, Any]:
    return {
        "profileId": subject.profile_id,
        "participantIds": subject.participant_ids,
        "observations": [
            {
                "id": one.id,
                "content": one.content,
                "source": one.source,
                "occurredAt": rest_time(one.occurred_at),
                "conversationIds": one.conversation_ids,
            }
            for one in subject.observations
        ],
    }
