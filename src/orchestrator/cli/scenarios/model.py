"""What a scenario file may say. docs/scenarios.md tells it to those who write one."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]
"""What a scenario calls something."""
Text = Annotated[str, StringConstraints(min_length=1)]
Duration = Annotated[str, StringConstraints(pattern=r"^(\d+[smhdy]|to-next-deadline)$")]
"""Time that passes, as the clock takes it."""
Seconds = Annotated[str, StringConstraints(pattern=r"^\d+s$")]
Status = Literal["ACTIVE", "INACTIVE", "CLOSED"]
Fields = dict[str, str]
"""More fields of the provider's form."""

DOINGS = ("send", "call", "say", "report", "act", "advance", "receiver")
"""What a step may do; the keys of a step."""
TO_NEXT_DEADLINE = "to-next-deadline"


class Part(BaseModel):
    """A mapping of the file; it may have no other keys than these."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Profile(Part):
    """Somebody whom the memory store knows from the start."""

    traits: dict[str, dict[str, Any]] = {}
    identifiers: list[dict[str, Any]] = []
    """Each the body of a POST of an identifier."""


class Given(Part):
    """What is there before the first step."""

    phones: dict[Name, str] = {}
    """Addresses by name; of one that begins with +1 each run on a shared instance has a fresh one."""
    numbers: list[str] = []
    """Addresses that are registered as our own."""
    profiles: dict[Name, Profile] = {}
    configurations: dict[Name, dict[str, Any]] = {}
    """Bodies of a POST of a configuration; what every one needs is added."""


class Send(Part):
    """A message comes from the provider."""

    channel: Literal["SMS", "WHATSAPP", "RCS"] | None = None
    sender: Text | None = Field(None, alias="from")
    to: Text | None = None
    text: Text | None = None
    times: int = Field(1, ge=1, le=20)
    """How often the provider posts it, at the same moment."""
    again: Name | None = None
    """An earlier message; the provider posts it once more."""
    fields: Fields = {}

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        told = [self.channel, self.sender, self.to, self.text]
        if self.again is None and None in told:
            raise ValueError("channel, from, to and text are expected, or again")
        if self.again is not None and any(one is not None for one in told):
            raise ValueError("a message that is sent again is the same: nothing but again and times is expected")
        return self


class Call(Part):
    """A call begins; nothing is said yet."""

    sender: Text = Field(alias="from")
    to: Text
    direction: Literal["inbound", "outbound-api"] = "inbound"
    fields: Fields = {}


class Say(Part):
    """A transcript of something that is said on a call comes from the provider."""

    during: Name
    """The call."""
    by: Text
    """Whoever of the two says it: the call's `from` or `to`."""
    text: Text
    position: int | None = Field(None, ge=1)
    """In the transcript. By default the next one."""
    at: Seconds | None = None
    """When, counted from the beginning of the call. By default it is the moment when the transcript comes."""
    fields: Fields = {}


class Report(Part):
    """The provider tells what became of a message."""

    of: Name
    """An earlier message, or an action that sent one."""
    status: Literal["queued", "sent", "delivered", "read", "undelivered", "failed"]


class Act(Part):
    """A request to the API."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Annotated[str, StringConstraints(pattern=r"^/")]
    body: Any = None
    headers: dict[str, str] = {}


class Receiver(Part):
    """From now on status callbacks are answered so."""

    answer: int = Field(ge=200, le=599)


def _one_or_several(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class Expectation(Part):
    """What must be so after the step. Objects may have more than is expected of them, lists may not."""

    of: Name | None = None
    """The earlier step that it is about. By default it is about this one."""
    within: Name | None = Field(None, alias="in")
    """The configuration, where several have captured the message."""
    landing: Annotated[str, StringConstraints(pattern=r"^(new|uncaptured|same as [a-z][a-z0-9-]*)$")] | None = None
    trace: dict[str, Any] | None = None
    communication: dict[str, Any] | None = None
    conversation: dict[str, Any] | None = None
    participants: list[dict[str, Any]] | None = None
    communications: list[str | dict[str, Any]] | None = None
    """Of the whole conversation, in its order; a text stands for one that says it."""
    profile: str | None = None
    """`new`, `none`, or a given one: whose the customer of the conversation is."""
    conversations: int | dict[Status, int] | None = None
    """How many the configurations of the scenario have, in all or by status."""
    callbacks: list[str] | None = None
    """Types of the events that were told of the conversation, and accepted, since they were last expected."""
    refused_callbacks: list[str] | None = Field(None, alias="refusedCallbacks")
    """Likewise those that the receiver refused."""
    transitions: list[str] | None = None
    """Of this scenario's conversations, as `ACTIVE to CLOSED`, while the clock was turned."""
    answer: Any = None
    """What the API answered."""
    error: dict[str, Any] | None = None
    """How the API refused; of `message` a part is enough."""

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not self.model_fields_set - {"of", "within"}:
            raise ValueError("nothing is expected")
        return self


class Step(Part):
    """One thing is done, something is expected, or both."""

    note: Text | None = None
    """What happens, in a sentence for people."""
    name: Name | None = Field(None, alias="as")
    """What later steps call it."""
    send: Send | None = None
    call: Call | None = None
    say: Say | None = None
    report: Report | None = None
    act: Act | None = None
    advance: Duration | None = None
    receiver: Receiver | None = None
    expect: Annotated[list[Expectation], BeforeValidator(_one_or_several)] = []

    @property
    def doing(self) -> str | None:
        """The key that says what is done."""
        return next((key for key in DOINGS if getattr(self, key) is not None), None)

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        found = [key for key in DOINGS if getattr(self, key) is not None]
        if len(found) > 1:
            raise ValueError(f"one thing at a time is expected, not {' and '.join(found)}")
        if not found and not self.expect:
            raise ValueError(f"one of {', '.join(DOINGS)}, or expect, is expected")
        if self.name is not None and self.doing not in ("send", "call", "say", "act"):
            raise ValueError("only what is sent, said or asked for has a name")
        return self


class Scenario(Part):
    """A story in steps."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    description: Text
    given: Given = Given()
    steps: Annotated[list[Step], Field(min_length=1)]

    @property
    def advances(self) -> list[str]:
        """Every turn of the clock."""
        return [step.advance for step in self.steps if step.advance is not None]
