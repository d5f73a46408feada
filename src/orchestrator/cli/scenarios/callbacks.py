"""Status callbacks that were told of a conversation, beside those that were expected."""

from collections.abc import AsyncIterator
from typing import Any

from orchestrator.cli.receiver import Callback
from orchestrator.cli.scenarios.comparing import Check, check
from orchestrator.cli.scenarios.model import Expectation
from orchestrator.cli.scenarios.outcomes import Outcome
from orchestrator.cli.scenarios.stage import Stage

CALLBACKS = ("callbacks", "refused_callbacks")
"""Fields of an expectation."""


async def callback_checks(stage: Stage, wanted: dict[str, Any], conversation_id: str) -> AsyncIterator[Check]:
    """What an expectation says of callbacks. Raises CommandFailed."""
    for key in CALLBACKS:
        if key in wanted:
            yield await _told(stage, conversation_id, key, wanted[key])


async def _told(stage: Stage, conversation_id: str, key: str, wanted: list[str]) -> Check:
    """Callbacks since they were last expected. All that are on their way must have come, so that none is too many."""
    accepted, refused = (stage.receiver.accepted_of(conversation_id), stage.receiver.refused_of(conversation_id))
    before = stage.told.get(conversation_id, (0, 0))
    label = f"conversation {stage.label(conversation_id)}"
    if key == "refused_callbacks":
        return check(f"{label}: refused callbacks", wanted, [_type(one) for one in refused[before[1] :]])
    types = [_type(one) for one in accepted[before[0] :]]
    due = (await stage.api.get("/orchestrator/v1/Deliveries", conversationId=conversation_id, pageSize="1000"))[
        "deliveries"
    ]
    to_come = {one["eventId"] for one in due if one["url"].startswith(stage.receiver.url)}
    found = types + ["…"] * (len(to_come) - len(accepted))
    return check(f"{label}: callbacks", wanted, found)


def _type(callback: Callback) -> str:
    return callback.type if callback.signed else f"{callback.type} (not signed)"


def note_told(stage: Stage, expected: Expectation, outcome: Outcome) -> None:
    """Callbacks that were expected are not expected again."""
    subject = outcome if expected.of is None else stage.outcomes[expected.of]
    conversation_id = subject.conversation_in(expected.within)
    if conversation_id is None:
        return
    accepted, refused = stage.told.get(conversation_id, (0, 0))
    if expected.callbacks is not None:
        accepted = len(stage.receiver.accepted_of(conversation_id))
    if expected.refused_callbacks is not None:
        refused = len(stage.receiver.refused_of(conversation_id))
    stage.told[conversation_id] = (accepted, refused)
