"""What must be so at the end, in words for people who never saw the code."""

from collections import Counter
from dataclasses import dataclass

from orchestrator.cli.prove.counts import Kept
from orchestrator.cli.prove.play import Played
from orchestrator.cli.prove.receiver import Receiver
from orchestrator.cli.prove.replay import Replay


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was counted."""

    about: str
    """What of: a heading."""
    what: str
    expected: int
    found: int

    @property
    def holds(self) -> bool:
        return self.expected == self.found


def all_checks(played: Played, kept: Kept, replay: Replay, receiver: Receiver) -> list[Check]:
    """Everything but what is asked of the server itself."""
    return [
        *_about_messages(played, kept),
        *_about_conversations(played, kept, replay),
        *_about_events(kept, replay),
        *_about_callbacks(kept, receiver),
    ]


def _about_messages(played: Played, kept: Kept) -> list[Check]:
    copies = Counter(kept.messages)
    early = played.reported_early
    return [
        Check("messages", "answered with 200, and stored", len(played.answered), len(played.answered & copies.keys())),
        Check("messages", "stored more than once", 0, sum(count > 1 for count in copies.values())),
        Check("messages", "stored, though nobody sent them", 0, len(copies.keys() - played.answered)),
        Check("messages", "captured by no configuration", 0, kept.uncaptured),
        Check("messages", "reported delivered early, and known to be", len(early), len(early & kept.delivered)),
    ]


def _about_conversations(played: Played, kept: Kept, replay: Replay) -> list[Check]:
    return [
        Check("conversations", "in the database, as in the event log", replay.opened, kept.conversations),
        Check("conversations", "opened while another was open for their grouping key", 0, replay.doubled),
        Check("conversations", "messages that landed in a closed one", 0, replay.too_late),
        Check("conversations", "messages that landed in another customer's", 0, replay.astray),
        Check("conversations", "not closed by their timers", 0, max(kept.still_open, replay.still_open)),
        Check("conversations", "grouping keys that closed ones did not free", 0, kept.keys),
        Check("profiles", "customers linked to one profile who have several, or none", 0, kept.split),
    ]


def _about_events(kept: Kept, replay: Replay) -> list[Check]:
    return [
        Check("events", "recorded, and in the event log of the API", kept.events, replay.events),
        Check("events", "not the next one of the log or of their conversation", 0, replay.misplaced),
        Check("events", "conversations whose numbering has gaps", 0, kept.gaps),
    ]


def _about_callbacks(kept: Kept, receiver: Receiver) -> list[Check]:
    several = sum(count > 1 for count in receiver.effects.values())
    return [
        Check("callbacks", "events recorded, and received", kept.events, len(receiver.effects)),
        Check("callbacks", "events that took effect more than once (several tokens)", 0, several),
        Check("callbacks", "tokens that came with several events", 0, receiver.ambiguous),
        Check("callbacks", "out of order in their conversation", 0, receiver.misordered),
        Check("callbacks", "without a valid signature", 0, receiver.unsigned),
        Check("callbacks", "given up, or never settled", 0, kept.undelivered),
    ]
