"""Plays a scenario, step by step, and notes what happened and whether it was what was expected."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.cli.api import Api, Refused
from orchestrator.cli.errors import CommandFailed, WrongUsage
from orchestrator.cli.receiver import Receiver
from orchestrator.cli.scenarios.callbacks import note_told
from orchestrator.cli.scenarios.comparing import Check
from orchestrator.cli.scenarios.doing import do
from orchestrator.cli.scenarios.expecting import checks
from orchestrator.cli.scenarios.model import Step
from orchestrator.cli.scenarios.outcomes import Outcome
from orchestrator.cli.scenarios.reading import Story
from orchestrator.cli.scenarios.references import UnknownReference
from orchestrator.cli.scenarios.stage import Stage, set_stage

PATIENCE = 5.0
"""Seconds in which what is expected must come true."""
_LOOK_EVERY = 0.03
"""Seconds."""
_MALFORMED = 400


@dataclass(frozen=True, slots=True)
class PlayedStep:
    """What came of one step."""

    number: int
    """Counted from 1."""
    step: Step
    happened: list[str]
    checks: list[Check]

    @property
    def succeeded(self) -> bool:
        return all(one.holds for one in self.checks)


@dataclass(slots=True)
class Played:
    """What came of a scenario."""

    story: Story
    seconds: float = 0.0
    steps: list[PlayedStep] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    """Names of the configurations that are still there by their ids."""

    @property
    def succeeded(self) -> bool:
        """Whether it was played to its end, as expected."""
        return len(self.steps) == len(self.story.scenario.steps) and all(one.succeeded for one in self.steps)


@dataclass(frozen=True, slots=True)
class Manner:
    """How scenarios are played."""

    shared: bool = False
    """Others use the instance: phones have fresh numbers."""
    keep: bool = False
    """What was made is not removed."""
    patience: float = PATIENCE
    on_step: Callable[[Story, int], None] = lambda story, number: None
    """Told before each step."""


async def play(api: Api, receiver: Receiver, story: Story, manner: Manner) -> Played:
    """Play it to its end, or until something cannot be done. Raises CommandFailed where the instance is at fault, and
    WrongUsage where the file is."""
    played = Played(story)
    began = asyncio.get_running_loop().time()
    receiver.answer = 200
    where = "given"
    try:
        async with set_stage(
            api, receiver, story.name, story.scenario.given, shared=manner.shared, keep=manner.keep
        ) as stage:
            for number, step in enumerate(story.scenario.steps, start=1):
                where = f"step {number}"
                manner.on_step(story, number)
                played.steps.append(await _play(stage, number, step, manner))
                if _is_stuck(played.steps[-1]):
                    break
            played.kept = stage.configurations if manner.keep else {}
            played.seconds = asyncio.get_running_loop().time() - began
    except UnknownReference as error:
        raise WrongUsage(f"{story.file}: {where}: {error}") from error
    except Refused as error:
        kind = WrongUsage if error.status == _MALFORMED else CommandFailed
        raise kind(f"{story.file}: {where}: {error}") from error
    return played


async def _play(stage: Stage, number: int, step: Step, manner: Manner) -> PlayedStep:
    try:
        outcome = await do(stage, step)
    except Refused as refused:
        return PlayedStep(number, step, [], [_not_done(refused)])
    found = await _expect(stage, step, outcome, manner.patience)
    for expected in step.expect:
        note_told(stage, expected, outcome)
    if outcome.refused is not None and not any(expected.error for expected in step.expect):
        found.append(_not_done(outcome.refused))
    return PlayedStep(number, step, outcome.happened, found)


async def _expect(stage: Stage, step: Step, outcome: Outcome, patience: float) -> list[Check]:
    """What is expected comes true a little later, at times: it is looked at again and again. A GET is asked again."""
    give_up = asyncio.get_running_loop().time() + patience
    while True:
        found = [one for expected in step.expect for one in await checks(stage, expected, outcome)]
        broken = [one for one in found if not one.holds]
        if any(one.final for one in broken) or not broken or asyncio.get_running_loop().time() > give_up:
            return found
        await asyncio.sleep(_LOOK_EVERY)
        if step.act is not None and step.act.method == "GET":
            again = await do(stage, step)
            outcome.answer, outcome.refused, outcome.happened = again.answer, again.refused, again.happened


_NOT_DONE = "the request"


def _not_done(refused: Refused) -> Check:
    return Check(_NOT_DONE, "is accepted", str(refused), holds=False)


def _is_stuck(played: PlayedStep) -> bool:
    """Whether there is no sense in going on."""
    return any(one.what == _NOT_DONE for one in played.checks)
