"""Reads the event log from its beginning, and finds what must never be in it.

It knows nothing of how the service decides: only that a key has one open conversation at a time, and that what is
closed stays as it is. Keys are made from what the events tell: numbers, channels, profiles.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.cli.prove.customers import OUR_NUMBERS, owner

Key = tuple[str, ...]


@dataclass(slots=True)
class _Conversation:
    configuration_id: str
    sequence: int = 0
    is_open: bool = True
    key: Key | None = None
    customer: int | None = None


@dataclass
class Replay:
    """What the events that were read so far amount to."""

    groupings: Mapping[str, str]
    """Grouping types by the ids of the configurations."""
    events: int = 0
    position: int = 0
    misplaced: int = 0
    """Events whose position, or whose number in their conversation, is not the next one."""
    opened: int = 0
    doubled: int = 0
    """Conversations that began while another one was open for their key."""
    too_late: int = 0
    """Messages in a conversation that was closed."""
    astray: int = 0
    """Messages in a conversation of another customer."""
    _conversations: dict[str, _Conversation] = field(default_factory=dict)
    _open: dict[Key, set[str]] = field(default_factory=dict)

    @property
    def still_open(self) -> int:
        """Conversations that nothing has closed."""
        return sum(one.is_open for one in self._conversations.values())

    def read(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Go on with the next events of the log, in the form of the API."""
        for event in events:
            self._read(event["conversationId"], event["eventType"], event)

    def _read(self, conversation_id: str, kind: str, event: Mapping[str, Any]) -> None:
        self.events += 1
        data = event["data"]
        if kind == "CONVERSATION_CREATED":
            self.opened += 1
            self._conversations[conversation_id] = _Conversation(data["configurationId"])
        conversation = self._conversations[conversation_id]
        self.misplaced += event["position"] != self.position + 1 or event["sequence"] != conversation.sequence + 1
        self.position, conversation.sequence = event["position"], event["sequence"]
        if kind == "CONVERSATION_UPDATED" and data["status"] == "CLOSED":
            self._close(conversation_id, conversation)
        elif kind.startswith("PARTICIPANT_") and data["type"] == "CUSTOMER":
            self._know(conversation_id, conversation, data)
        elif kind == "COMMUNICATION_CREATED":
            self.too_late += not conversation.is_open
            self.astray += _customer_of(data) != conversation.customer

    def _know(self, conversation_id: str, conversation: _Conversation, participant: Mapping[str, Any]) -> None:
        """Somebody takes part; if they are the first, the conversation began for their key.

        Later their profile may become one with another's, whose open conversation then means the same key: that is no
        breach, as long as no third one begins.
        """
        key = self._key(conversation.configuration_id, participant)
        if conversation.key is None:
            self.doubled += bool(self._open.get(key))
            conversation.customer = owner(participant["addresses"][0]["address"])
        elif conversation.is_open:
            self._open[conversation.key].discard(conversation_id)
        conversation.key = key
        if conversation.is_open:
            self._open.setdefault(key, set()).add(conversation_id)

    def _close(self, conversation_id: str, conversation: _Conversation) -> None:
        conversation.is_open = False
        if conversation.key is not None:
            self._open[conversation.key].discard(conversation_id)

    def _key(self, configuration_id: str, participant: Mapping[str, Any]) -> Key:
        grouping, address = self.groupings[configuration_id], participant["addresses"][0]
        if grouping == "GROUP_BY_PROFILE":
            return configuration_id, participant["profileId"]
        number = address["address"].removeprefix("whatsapp:")
        if grouping == "GROUP_BY_PARTICIPANT_ADDRESSES":
            return configuration_id, number
        return configuration_id, number, address["channel"]


def _customer_of(communication: Mapping[str, Any]) -> int:
    ends = [communication["author"], *communication["recipients"]]
    (theirs,) = [one["address"] for one in ends if one["address"].removeprefix("whatsapp:") not in OUR_NUMBERS]
    return owner(theirs)
