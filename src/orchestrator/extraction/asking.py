"""Which conversations get a job when they come to rest: heard in the transaction of the change (memory.md 5.4)."""

from dataclasses import dataclass

from orchestrator.conversations.happenings import ConversationsRested
from orchestrator.conversations.model import Conversation
from orchestrator.domain.lifecycle import Status
from orchestrator.extraction import store
from orchestrator.kernel.unit import Unit, Units
from orchestrator.settings import Settings


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator has set."""

    extracts: bool = False
    """There is an extractor."""
    digests: bool = False
    """Without one, a closed conversation leaves a digest."""

    @property
    def is_idle(self) -> bool:
        """Whether there is never anything to do."""
        return not (self.extracts or self.digests)

    def wants(self, conversation: Conversation) -> bool:
        """Whether something may come of a conversation that has just come to rest."""
        if conversation.status is Status.ACTIVE or not conversation.settings.memory_store_id:
            return False
        if self.extracts:
            return conversation.settings.extracts_memory
        return self.digests and conversation.status is Status.CLOSED


def policy(settings: Settings) -> Policy:
    """What these settings come to."""
    return Policy(extracts=settings.extractor_url is not None, digests=settings.digest_summaries)


def connect(units: Units, policy: Policy) -> None:
    """From now on, conversations that come to rest in these units get their jobs."""

    async def hear(unit: Unit, happening: ConversationsRested) -> None:
        if wanted := [one for one in happening.conversations if policy.wants(one)]:
            await store.insert(unit, wanted)

    units.listeners[ConversationsRested] = hear
