"""Whether what a step expects is so."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from orchestrator.cli.api import Refused
from orchestrator.cli.scenarios.callbacks import CALLBACKS, callback_checks
from orchestrator.cli.scenarios.comparing import Check, check, compared, settled
from orchestrator.cli.scenarios.model import Expectation
from orchestrator.cli.scenarios.outcomes import Landed, Outcome
from orchestrator.cli.scenarios.stage import Stage


async def checks(stage: Stage, expected: Expectation, outcome: Outcome) -> list[Check]:
    """All that an expectation asks for. Raises CommandFailed, and UnknownReference."""
    subject = outcome if expected.of is None else stage.outcomes[expected.of]
    wanted: dict[str, Any] = stage.rendered(expected.model_dump(exclude_unset=True))
    found = [one async for one in _of_outcome(wanted, outcome)]
    found += [one async for one in _of_landing(stage, wanted, subject)]
    if "conversations" in wanted:
        found.append(await _counted(stage, wanted["conversations"]))
    conversation_id = subject.conversation_in(expected.within)
    if conversation_id is not None:
        found += [one async for one in _of_conversation(stage, wanted, conversation_id)]
        found += [one async for one in callback_checks(stage, wanted, conversation_id)]
    elif missing := wanted.keys() & {"conversation", "participants", "communications", "profile", *CALLBACKS}:
        found.append(Check("conversation", f"one, for {', '.join(sorted(missing))}", None, holds=False))
    return found


async def _of_outcome(wanted: dict[str, Any], outcome: Outcome) -> AsyncIterator[Check]:
    if "answer" in wanted:
        for one in compared("answer", wanted["answer"], outcome.answer):
            yield one
    if "error" in wanted:
        for one in _refusal(wanted["error"], outcome.refused):
            yield one
    if "transitions" in wanted:
        found = [f"{one['from']} to {one['to']}" for one in outcome.transitions]
        yield replace(check("transitions", wanted["transitions"], found), final=True)


def _refusal(wanted: dict[str, Any], refused: Refused | None) -> list[Check]:
    """Of a message a part is enough: the rest of it names ids."""
    if refused is None:
        return [Check("error", wanted, None, holds=False)]
    said = str(refused.body.get("message", ""))
    part = wanted.get("message")
    body = refused.body | {"status": refused.status, "message": part if part and part in said else said}
    return list(compared("error", wanted, body))


async def _of_landing(stage: Stage, wanted: dict[str, Any], subject: Outcome) -> AsyncIterator[Check]:
    landing = subject.landing_in(wanted.get("within"))
    if "landing" in wanted:
        yield replace(_where(stage, wanted["landing"], landing), final=True)
    if "trace" in wanted:
        for one in settled(compared("trace", wanted["trace"], landing.trace if landing else subject.uncaptured)):
            yield one
    if "communication" in wanted:
        found = landing and await stage.api.get(
            f"/v2/Conversations/{landing.conversation_id}/Communications/{landing.communication['id']}"
        )
        for one in compared("communication", wanted["communication"], found):
            yield one


def _where(stage: Stage, wanted: str, landing: Landed | None) -> Check:
    if landing is None:
        return check("landing", wanted, "uncaptured")
    same = [name for name, outcome in stage.outcomes.items() if outcome.conversation_id == landing.conversation_id]
    known = {f"same as {name}" for name in same}
    if landing.is_new:
        return check("landing", wanted, "new")
    found = f"conversation {stage.label(landing.conversation_id)}" + (f", same as {', '.join(same)}" if same else "")
    return Check("landing", wanted, wanted if wanted in known else found, wanted in known)


async def _counted(stage: Stage, wanted: int | dict[str, int]) -> Check:
    conversations = await stage.own_conversations()
    if isinstance(wanted, int):
        return check("conversations", wanted, len(conversations))
    statuses = [one["status"] for one in conversations]
    return check(
        "conversations", wanted, {status: statuses.count(status) for status in {**wanted, **dict.fromkeys(statuses)}}
    )


async def _of_conversation(stage: Stage, wanted: dict[str, Any], conversation_id: str) -> AsyncIterator[Check]:
    path = f"/v2/Conversations/{conversation_id}"
    label = f"conversation {stage.label(conversation_id)}"
    if "conversation" in wanted:
        for one in compared(label, wanted["conversation"], await stage.api.get(path)):
            yield one
    if "participants" in wanted or "profile" in wanted:
        people = (await stage.api.get(f"{path}/Participants", pageSize="1000"))["participants"]
        for one in _people(stage, wanted, label, people):
            yield one
    if "communications" in wanted:
        listed = (await stage.api.get(f"{path}/Communications", pageSize="1000"))["communications"]
        said = [{"content": {"text": one}} if isinstance(one, str) else one for one in wanted["communications"]]
        for found in compared(f"{label}: communications", said, listed):
            yield _as_texts(found) if all(isinstance(one, str) for one in wanted["communications"]) else found


def _as_texts(found: Check) -> Check:
    """What was said is easier to read than the objects that say it."""
    texts = [
        [one["content"]["text"] for one in side] if isinstance(side, list) else side
        for side in (found.expected, found.found)
    ]
    return Check(found.what, texts[0], texts[1], found.holds)


def _people(stage: Stage, wanted: dict[str, Any], label: str, people: list[dict[str, Any]]) -> list[Check]:
    found: list[Check] = []
    if "participants" in wanted:
        found += compared(f"{label}: participants", wanted["participants"], people)
    if "profile" in wanted:
        customers = [one["profileId"] for one in people if one["type"] == "CUSTOMER" and one["profileId"]]
        whose = {thing.get("id"): name for name, thing in stage.things.items() if isinstance(thing, dict)}
        names = ", ".join(str(whose.get(one, "new")) for one in customers) or "none"
        found.append(check(f"{label}: profile", wanted["profile"], names))
    return found
