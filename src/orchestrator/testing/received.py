"""What became of traffic that a test let arrive: where it landed, and why."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from orchestrator import phones
from orchestrator.domain.explaining import sentences
from orchestrator.testing.api import Api

__tracebackhide__ = True  # pytest shows the line of the test


class NotCaptured(AssertionError):
    """It landed nowhere; the message says why."""


@dataclass(frozen=True, slots=True)
class Landing:
    """One communication that the traffic became."""

    conversation_id: str
    communication_id: str
    outcome: str
    """NEW opened the conversation, JOINED found it open, REOPENED made an INACTIVE one active again."""
    trace: dict[str, Any] = field(repr=False)

    @property
    def why(self) -> list[str]:
        """The trace in words."""
        return sentences(self.trace)


@dataclass(frozen=True, slots=True)
class Received:
    """A message, or something said on a call. What is asked of it is that of its one landing."""

    resource_id: str
    """The provider's id: a message's SID; transcription and position of what was said."""
    landings: tuple[Landing, ...]
    """One for each conversation; several where the rules of several configurations match."""
    uncaptured: dict[str, Any] | None = field(default=None, repr=False)
    """The trace of what landed nowhere."""

    @property
    def is_captured(self) -> bool:
        return bool(self.landings)

    @property
    def landing(self) -> Landing:
        """The only one. Raises NotCaptured if there is none, LookupError if there are several."""
        if not self.landings:
            raise NotCaptured(f"{self.resource_id} landed nowhere. {' '.join(self.why)}")
        if len(self.landings) > 1:
            places = ", ".join(one.conversation_id for one in self.landings)
            raise LookupError(
                f"{self.resource_id} landed in {len(self.landings)} conversations ({places}): ask .landings"
            )
        return self.landings[0]

    @property
    def conversation_id(self) -> str:
        return self.landing.conversation_id

    @property
    def communication_id(self) -> str:
        return self.landing.communication_id

    @property
    def outcome(self) -> str:
        """The landing's, or UNCAPTURED."""
        return self.landing.outcome if self.landings else "UNCAPTURED"

    @property
    def trace(self) -> dict[str, Any]:
        """The landing's, or that of traffic that landed nowhere."""
        return self.uncaptured if self.uncaptured is not None else self.landing.trace

    @property
    def why(self) -> list[str]:
        """The trace in words; of all landings, one after the other."""
        if self.uncaptured is not None:
            return sentences(self.uncaptured)
        return [sentence for one in self.landings for sentence in one.why]


def receive(api: Api, webhook: phones.Webhook, resource_id: str, channel_id: str) -> Received:
    """Let it arrive, and find out what became of it."""
    api.receive(webhook)
    landings = tuple(_landings(api, resource_id, channel_id))
    return Received(resource_id, landings, None if landings else _uncaptured(api, resource_id))


def _landings(api: Api, resource_id: str, channel_id: str) -> list[Landing]:
    found = []
    for conversation in api.all("/v2/Conversations", "conversations", channelId=channel_id):
        path = f"/v2/Conversations/{conversation['id']}/Communications"
        for said in api.all(path, "communications", channelId=channel_id):
            if said["resourceId"] == resource_id:
                trace = api.get(f"/orchestrator/v1/Communications/{said['id']}/Trace")["trace"]
                found.append(Landing(conversation["id"], said["id"], trace["outcome"], trace))
    return found[::-1]


def _uncaptured(api: Api, resource_id: str) -> dict[str, Any]:
    found = api.get("/orchestrator/v1/Uncaptured", resourceId=resource_id)["uncaptured"]
    trace: dict[str, Any] = found[0]["trace"]
    return trace


@dataclass(slots=True)
class Call:
    """A call that goes on until the test is over. Nothing lands anywhere before something is said."""

    sid: str
    _receive: Callable[[phones.Webhook, str, str], Received] = field(repr=False)
    _transcription_sid: str = field(repr=False)
    _said: int = field(default=0, repr=False)

    def say(self, text: str, *, by_caller: bool = True) -> Received:
        """The caller says something, or the one who was called."""
        self._said += 1
        fragment = phones.fragment(
            self.sid, text, transcription_sid=self._transcription_sid, position=self._said, by_caller=by_caller
        )
        return self._receive(fragment, f"{self._transcription_sid}{self._said}", self.sid)
