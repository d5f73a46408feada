"""Where calls belong, if they say so: told by an event, or remembered of one before; judged by what is there now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from orchestrator.configurations import service as configurations
from orchestrator.configurations.model import Configuration
from orchestrator.conversations import service as conversations
from orchestrator.conversations.model import Conversation
from orchestrator.domain.lifecycle import has_ended
from orchestrator.domain.messages import InboundMessage
from orchestrator.ingest.attributes import Attribute, AttributeName
from orchestrator.ingest.calls import recall
from orchestrator.ingest.landing import ConversationKey, Target
from orchestrator.ingest.voice import Call, CallEvent
from orchestrator.kernel.unit import Unit


@dataclass(frozen=True, slots=True)
class Belonging:
    """Where the call of an event belongs."""

    attribute: Attribute
    is_told: bool
    """By the event itself: then it must lead somewhere."""
    attaches: bool = True
    """No event before this one has attached the call there."""
    conversation: Conversation | None = None
    """The one that is named, if the account has it; looked at, not locked."""

    def target(self, current: Sequence[Configuration], now: datetime) -> Target | None:
        """Where it leads among the account's current configurations; None if what was told before has ended since.

        Raises BadRequest when the event itself names what is not there, or has ended.
        """
        found, problem = self._look_up(current, now)
        if found is None and self.is_told:
            raise self.attribute.refusal(problem)
        return found

    def _look_up(self, current: Sequence[Configuration], now: datetime) -> tuple[Target | None, str]:
        if self.attribute.name is AttributeName.CONFIGURATION:
            found = next((one for one in current if one.id == self.attribute.value), None)
            return found, "the account has no such configuration"
        if self.conversation is None:
            return None, "the account has no such conversation"
        if has_ended(self.conversation.life, now):
            return None, "this conversation is CLOSED; a closed conversation never changes"
        return self.conversation, ""


Belongings = Mapping[int, Belonging]
"""By the identity of their messages. Calls that do not say where they belong have none."""


async def find_belongings(unit: Unit, messages: Sequence[InboundMessage]) -> Belongings:
    """Where the calls of these messages belong. What an event tells holds from then on; no call, no statement."""
    events = [message for message in messages if isinstance(message, CallEvent)]
    if not events:
        return {}
    known = await recall(unit, {event.call.key for event in events})
    calls: dict[int, Call] = {}
    for event in events:
        call = known.get(event.call.key, Call(*event.call.key))
        known[call.key] = calls[id(event)] = replace(call, attribute=event.call.attribute or call.attribute)
    named = await _look_at(unit, calls.values())
    return {
        id(event): Belonging(attribute, event.call.attribute is not None, not call.is_attached, _of(call, named))
        for event in events
        if (attribute := (call := calls[id(event)]).attribute) is not None
    }


async def check(unit: Unit, told: Call) -> None:
    """Raise BadRequest when what a webhook tells of a call leads nowhere."""
    assert told.attribute is not None
    named = await _look_at(unit, [told])
    current = await configurations.current(unit, {told.account_id})
    belonging = Belonging(told.attribute, is_told=True, conversation=_of(told, named))
    belonging.target(current[told.account_id], unit.now)


def _named(call: Call) -> ConversationKey | None:
    """The conversation that the attribute names, if it names one."""
    if call.attribute is None or call.attribute.name is not AttributeName.CONVERSATION:
        return None
    return (call.account_id, call.attribute.value)


def _of(call: Call, looked_at: Mapping[ConversationKey, Conversation]) -> Conversation | None:
    key = _named(call)
    return None if key is None else looked_at.get(key)


async def _look_at(unit: Unit, calls: Iterable[Call]) -> dict[ConversationKey, Conversation]:
    """The conversations that calls name, not locked; those that are not there are left out."""
    named = {key for call in calls if (key := _named(call)) is not None}
    return await conversations.find_all(unit, named) if named else {}
