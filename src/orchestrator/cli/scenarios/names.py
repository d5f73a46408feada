"""Which names a scenario gives, and whether those that it uses are there by then."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from orchestrator.cli.scenarios.model import Expectation, Scenario, Step
from orchestrator.cli.scenarios.references import UnknownReference, names_in

BUILT_IN = ("store", "callbacks", "run")
"""What every scenario may refer to: its memory store, its receiver of callbacks, a text that no other run has."""
_A_NAME = re.compile(r"[a-z][a-z0-9-]*")


class WrongName(Exception):
    """A name that nothing has, or that something has already; `where` is the field."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(problem)
        self.where = where


def is_name(address: str) -> bool:
    """Whether an address is the name of a phone: real ones have a plus, a colon, or are digits."""
    return _A_NAME.fullmatch(address) is not None


@dataclass
class Names:
    """Those that are known so far, with what they stand for: a phone, a configuration, a send, a call …"""

    known: dict[str, str] = field(default_factory=lambda: dict.fromkeys(BUILT_IN, "always there"))

    def give(self, where: str, name: str, kind: str) -> None:
        if name in self.known:
            raise WrongName(where, f"{name} is the name of something else ({self.known[name]})")
        self.known[name] = kind

    def use(self, where: str, name: str, *kinds: str) -> None:
        """Whether it is the name of something of these kinds, or of anything if none is given."""
        if name in self.known and (not kinds or self.known[name] in kinds):
            return
        there = [one for one, kind in self.known.items() if not kinds or kind in kinds]
        what = " or ".join(kinds) if kinds else "thing"
        raise WrongName(where, f"{name} is no {what} of the steps before ({', '.join(there) or 'there is none'})")

    def use_all(self, where: str, value: Any) -> None:
        """All that a value refers to."""
        try:
            for name in names_in(value):
                self.use(where, name)
        except UnknownReference as error:
            raise WrongName(where, str(error)) from error

    def use_address(self, where: str, address: str | None) -> None:
        if address is not None and is_name(address):
            self.use(where, address, "phone")
        self.use_all(where, address)


def check_names(scenario: Scenario) -> None:
    """Raises WrongName."""
    names = Names()
    given = scenario.given
    for phone in given.phones:
        names.give(f"given.phones.{phone}", phone, "phone")
    for place, address in enumerate(given.numbers):
        names.use_address(f"given.numbers.{place}", address)
    for name, profile in given.profiles.items():
        names.use_all(f"given.profiles.{name}", [profile.traits, profile.identifiers])
        names.give(f"given.profiles.{name}", name, "profile")
    for name, body in given.configurations.items():
        names.use_all(f"given.configurations.{name}", body)
        names.give(f"given.configurations.{name}", name, "configuration")
    for number, step in enumerate(scenario.steps, start=1):
        _check_step(names, f"step {number}", step)


def _check_step(names: Names, where: str, step: Step) -> None:
    for key, address in _addresses(step):
        names.use_address(f"{where}, {key}", address)
    for key, name, kinds in _uses(step):
        names.use(f"{where}, {key}", name, *kinds)
    if step.doing is not None:
        doing = getattr(step, step.doing)
        names.use_all(f"{where}, {step.doing}", doing if isinstance(doing, str) else doing.model_dump())
    if step.name is not None and step.doing is not None:
        names.give(f"{where}, as", step.name, step.doing)
    for expected in step.expect:
        _check_expectation(names, f"{where}, expect", step, expected)


def _addresses(step: Step) -> Iterator[tuple[str, str | None]]:
    if step.send:
        yield from (("send.from", step.send.sender), ("send.to", step.send.to))
    if step.call:
        yield from (("call.from", step.call.sender), ("call.to", step.call.to))
    if step.say:
        yield "say.by", step.say.by


def _uses(step: Step) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if step.send and step.send.again:
        yield "send.again", step.send.again, ("send",)
    if step.say:
        yield "say.during", step.say.during, ("call",)
    if step.report:
        yield "report.of", step.report.of, ("send", "act")


def _check_expectation(names: Names, where: str, step: Step, expected: Expectation) -> None:
    if expected.of is not None:
        names.use(f"{where}.of", expected.of, "send", "say", "act")
    if expected.within is not None:
        names.use(f"{where}.in", expected.within, "configuration")
    if expected.landing is not None and expected.landing.startswith("same as "):
        names.use(f"{where}.landing", expected.landing.removeprefix("same as "), "send", "say", "act")
    if expected.profile not in (None, "new", "none"):
        names.use(f"{where}.profile", str(expected.profile), "profile", "act")
    names.use_all(where, expected.model_dump())
    _check_subject(where, step, expected)


_NEEDS = {
    "landing": ("send", "say"),
    "trace": ("send", "say"),
    "communication": ("send", "say"),
    "conversation": ("send", "say", "act"),
    "participants": ("send", "say", "act"),
    "communications": ("send", "say", "act"),
    "profile": ("send", "say", "act"),
    "callbacks": ("send", "say", "act"),
    "refused_callbacks": ("send", "say", "act"),
}
"""What is expected of something that came or was asked for: of another step where this one is nothing of the kind."""
_OF_THIS_STEP = {"answer": "act", "error": "act", "transitions": "advance"}


def _check_subject(where: str, step: Step, expected: Expectation) -> None:
    for key in expected.model_fields_set:
        if expected.of is None and step.doing not in _NEEDS.get(key, (step.doing,)):
            raise WrongName(where, f"{key} of what? The step itself tells of none: `of` names one that does")
        if key in _OF_THIS_STEP and step.doing != _OF_THIS_STEP[key]:
            raise WrongName(where, f"{key} is expected only of a step that has {_OF_THIS_STEP[key]}")
