"""Who writes what, when, and how often it is told: everything follows from a seed."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

MESSAGES_EACH = 8
"""Messages of one customer."""
OUR_NUMBERS = {
    "+16505550101": "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE",
    "+16505550102": "GROUP_BY_PARTICIPANT_ADDRESSES",
    "+16505550103": "GROUP_BY_PROFILE",
}
"""Each is captured by a configuration of its own, with this grouping type."""
INACTIVE, CLOSED = 1, 2
"""Minutes after which the conversations of these configurations move."""

Post = tuple[str, dict[str, str]]
"""Path and form of a webhook."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that is said: a message, or a sentence on a call."""

    channel: str
    sender: str
    to: str
    sid: str
    is_ours: bool
    """We say it; a delivery report follows, or comes before."""
    at_once: int = 1
    """How often it is posted at the same moment."""
    later: int = 0
    """How often it is posted again after what follows it."""
    reported_early: bool = False

    @property
    def resource_id(self) -> str:
        """What the stored communication is found by."""
        return f"GT{self.sid}1" if self.channel == "VOICE" else f"SM{self.sid}"

    @property
    def posts(self) -> list[Post]:
        """What a provider posts, one after another: of a call first that it began."""
        if self.channel == "VOICE":
            return [("/ingest/twilio/voice", self._call()), ("/ingest/twilio/voice", self._sentence())]
        prefix = "whatsapp:" if self.channel == "WHATSAPP" else ""
        ends = {"From": prefix + self.sender, "To": prefix + self.to}
        status = "sent" if self.is_ours else "received"
        form = {"MessageSid": self.resource_id, **ends, "Body": self.sid, "NumMedia": "0", "SmsStatus": status}
        return [("/ingest/twilio/messages", form)]

    @property
    def report(self) -> Post:
        """That it was delivered."""
        return "/ingest/twilio/message-status", {"MessageSid": self.resource_id, "MessageStatus": "delivered"}

    def _call(self) -> dict[str, str]:
        ends = {"From": self.sender, "To": self.to, "Direction": "inbound"}
        return {"CallSid": f"CA{self.sid}", **ends, "CallStatus": "in-progress"}

    def _sentence(self) -> dict[str, str]:
        return {
            "CallSid": f"CA{self.sid}",
            "TranscriptionSid": f"GT{self.sid}",
            "TranscriptionEvent": "transcription-content",
            "TranscriptionData": json.dumps({"transcript": self.sid, "confidence": 0.9}),
            "Track": "inbound_track",
            "SequenceId": "1",
            "Final": "true",
        }


@dataclass(frozen=True, slots=True)
class Burst:
    """Messages that are sent at the same moment."""

    after: float
    """Minutes of silence before."""
    messages: tuple[Message, ...]
    links: bool = False
    """Meanwhile somebody finds out that the customer's two phones are one person's."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody with two phones."""

    number: int
    """Counted from 0."""
    bursts: tuple[Burst, ...]

    @property
    def phones(self) -> tuple[str, str]:
        return phone(2 * self.number), phone(2 * self.number + 1)


def phone(number: int) -> str:
    """The number of a customer's phone: two for each."""
    return f"+1555{number:07d}"


def owner(address: str) -> int:
    """The customer whose phone it is."""
    return int(address.rpartition("+1555")[2]) // 2


def customers(messages: int, seed: int) -> Iterator[Customer]:
    """As many customers as say so many messages; the last one may say fewer."""
    for number, first in enumerate(range(0, messages, MESSAGES_EACH)):
        yield _customer(number, min(MESSAGES_EACH, messages - first), random.Random(f"{seed} {number}"))  # noqa: S311


def _customer(number: int, messages: int, chance: random.Random) -> Customer:
    sizes = []
    while messages:
        sizes.append(min(messages, chance.choice([1, 1, 1, 2, 3])))
        messages -= sizes[-1]
    linked_at = chance.randrange(len(sizes)) if chance.random() < 0.5 else None
    home = chance.choice(list(OUR_NUMBERS))
    bursts = tuple(
        Burst(_silence(chance), tuple(_message(number, home, chance) for _ in range(size)), place == linked_at)
        for place, size in enumerate(sizes)
    )
    return Customer(number, bursts)


def _silence(chance: random.Random) -> float:
    """Mostly none. Else about as long as a timeout, so that the message and the timer race."""
    if chance.random() < 0.8:
        return 0.0
    return chance.choice([INACTIVE, CLOSED]) + chance.uniform(-0.15, 0.3)


def _message(number: int, home: str, chance: random.Random) -> Message:
    channel = chance.choices(["SMS", "WHATSAPP", "VOICE"], [5, 3, 2])[0]
    theirs = phone(2 * number + (chance.random() < 0.3))
    ours = home if chance.random() < 0.7 else chance.choice(list(OUR_NUMBERS))
    is_ours = channel != "VOICE" and chance.random() < 0.3
    sender, to = (ours, theirs) if is_ours else (theirs, ours)
    at_once = chance.choices([1, 2, 3], [90, 8, 2])[0]
    later = chance.choices([0, 1], [95, 5])[0]
    sid = f"{chance.getrandbits(128):032x}"
    return Message(channel, sender, to, sid, is_ours, at_once, later, is_ours and chance.random() < 0.5)
