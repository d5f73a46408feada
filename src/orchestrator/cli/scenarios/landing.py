"""Where something that the provider told landed, as the API shows it."""

from typing import Any

from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.scenarios.outcomes import Landed, Outcome
from orchestrator.cli.scenarios.stage import Stage
from orchestrator.domain.explaining import sentences


async def landed(stage: Stage, sid: str) -> Outcome:
    """The conversations of the scenario that a message or a fragment is in; other configurations do not count."""
    found = (await stage.api.get("/v2/Conversations", channelId=sid))["conversations"]
    own = [one for one in found if stage.owns(one)]
    outcome = Outcome(sid=sid, landings=[await _landing(stage, sid, one) for one in reversed(own)])
    for landing in outcome.landings:
        outcome.happened += _told(stage, landing)
    if not own:
        listed = (await stage.api.get("/orchestrator/v1/Uncaptured", resourceId=sid))["uncaptured"]
        outcome.uncaptured = listed[0]["trace"] if listed else None
        outcome.happened += ["not captured", *map(_detail, sentences(outcome.uncaptured or {}))]
    return outcome


async def _landing(stage: Stage, sid: str, conversation: dict[str, Any]) -> Landed:
    path = f"/v2/Conversations/{conversation['id']}/Communications"
    communications = (await stage.api.get(path, channelId=sid))["communications"]
    if not communications:
        raise CommandFailed(f"{sid} is not among the communications of {conversation['id']}, which is listed for it")
    trace = (await stage.api.get(f"/orchestrator/v1/Communications/{communications[0]['id']}/Trace"))["trace"]
    configuration = stage.configurations.get(conversation["configurationId"], "")
    is_new = stage.met(conversation["id"])
    return Landed(configuration, conversation["id"], is_new, communications[0], trace)


def _told(stage: Stage, landing: Landed) -> list[str]:
    which = f"conversation {stage.label(landing.conversation_id)}"
    where = f"lands in {which}, which is new" if landing.is_new else f"lands in {which}"
    if landing.trace.get("outcome") == "REOPENED":
        where += ", which is ACTIVE again"
    return [where, *map(_detail, sentences(landing.trace))]


def _detail(sentence: str) -> str:
    """Belongs to the line before."""
    return f"  {sentence}"
