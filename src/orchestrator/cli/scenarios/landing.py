"""Where something that the provider told landed, as the API shows it."""

from orchestrator.cli.landing import Landing, fates_of
from orchestrator.cli.scenarios.outcomes import Landed, Outcome
from orchestrator.cli.scenarios.stage import Stage
from orchestrator.domain.explaining import sentences


async def landed(stage: Stage, resource_id: str, channel_id: str | None = None) -> Outcome:
    """The conversations of the scenario that a message or a fragment is in; other configurations do not count.

    `channel_id` is the call on which a fragment was said; a message is its own channel.
    """
    (fate,) = await fates_of(stage.api, channel_id or resource_id, [resource_id])
    own = [one for one in fate.landings if stage.owns(one.conversation)]
    outcome = Outcome(sid=resource_id, landings=[_landing(stage, one) for one in own], uncaptured=fate.uncaptured)
    for landing in outcome.landings:
        outcome.happened += _told(stage, landing)
    if not own:
        outcome.happened += ["not captured", *map(_detail, sentences(fate.uncaptured or {}))]
    return outcome


def _landing(stage: Stage, landing: Landing) -> Landed:
    conversation = landing.conversation
    configuration = stage.configurations.get(conversation["configurationId"], "")
    is_new = stage.met(conversation["id"])
    return Landed(configuration, conversation["id"], is_new, landing.communication, landing.trace or {})


def _told(stage: Stage, landing: Landed) -> list[str]:
    which = f"conversation {stage.label(landing.conversation_id)}"
    where = f"lands in {which}, which is new" if landing.is_new else f"lands in {which}"
    if landing.trace.get("outcome") == "REOPENED":
        where += ", which is ACTIVE again"
    return [where, *map(_detail, sentences(landing.trace))]


def _detail(sentence: str) -> str:
    """Belongs to the line before."""
    return f"  {sentence}"
