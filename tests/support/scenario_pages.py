"""The pages of the scenarios: what the files say beside what came of them. `python -m tests.support.scenario_pages`
plays all of them and writes the pages anew."""

import asyncio
import re
from pathlib import Path
from textwrap import fill

from orchestrator.cli.scenarios.play import Manner, Played, PlayedStep, play
from orchestrator.cli.scenarios.reading import Story, shipped
from orchestrator.cli.scenarios.report import headline, told
from tests.support.documents import ROOT

PAGES = ROOT / "docs" / "scenarios"
FORMAT_PAGE = ROOT / "docs" / "scenarios.md"
WIDTH = 120
"""Columns."""

_ID = re.compile(r"\b((?:conv|mem|orch)_[a-z_]+_)[0-9a-hjkmnp-tv-z]{26}\b")
_LIST = re.compile(r"(?ms)^<!-- scenarios -->\n.*?^<!-- /scenarios -->$")


def page_of(name: str) -> Path:
    """Where the page of a scenario is."""
    return PAGES / f"{name}.md"


def page(played: Played) -> str:
    """The page of a scenario that was played."""
    story = played.story
    given, steps = _sources(story)
    parts = [
        f"# {story.scenario.title}",
        fill(story.scenario.description, WIDTH),
        f"`orchestrator run {story.name}` plays it; [scenarios](../scenarios.md) says what the keys mean.",
        f"## Given\n\n```yaml\n{given}\n```",
        "## What happens",
        *(_step(one, source) for one, source in zip(played.steps, steps, strict=True)),
    ]
    return _without_ids("\n\n".join(parts) + "\n")


def _step(played: PlayedStep, source: str) -> str:
    lines = [*played.happened, *(f"{'✓' if one.holds else '✗'} {told(one)}" for one in played.checks)]
    shown = "\n".join(lines) or "…"
    return f"### {played.number}. {headline(played)}\n\n```yaml\n{source}\n```\n\n```text\n{shown}\n```"


def _sources(story: Story) -> tuple[str, list[str]]:
    """What the file says: what is given, and each step, without the sentence that is its headline."""
    given, _, steps = story.source.partition("\ngiven:\n")[2].partition("\nsteps:\n")
    parts = re.split(r"(?m)^  - ", steps)[1:]
    return _dedented(given, 2), [_dedented(_without_note(f"    {part}"), 4) for part in parts]


def _without_note(step: str) -> str:
    return re.sub(r"^ +note: .*\n", "", step)


def _dedented(text: str, columns: int) -> str:
    return "\n".join(line[columns:] for line in text.rstrip().splitlines())


def _without_ids(text: str) -> str:
    """Ids are other ones in each run; the first of a kind is …1, the next …2."""
    found: dict[str, list[str]] = {}

    def stable(match: "re.Match[str]") -> str:
        same = found.setdefault(match[1], [])
        if match[0] not in same:
            same.append(match[0])
        return f"{match[1]}…{same.index(match[0]) + 1}"

    return _ID.sub(stable, text)


def with_current_list(text: str) -> str:
    """The page of the format, with all scenarios listed."""
    rows = [f"| [{one.name}](scenarios/{one.name}.md) | {one.scenario.title} |" for one in shipped()]
    table = "\n".join(["| scenario | what it shows |", "|---|---|", *rows])
    return _LIST.sub(f"<!-- scenarios -->\n{table}\n<!-- /scenarios -->", text)


async def _play_all() -> list[Played]:
    from orchestrator.cli.api import Api
    from orchestrator.cli.receiver import receiving
    from orchestrator.cli.temporary import temporary_instance

    async with (
        temporary_instance("pages") as instance,
        Api(instance, patience=60) as api,
        receiving(instance.auth_token) as receiver,
    ):
        return [await play(api, receiver, story, Manner()) for story in shipped()]


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for one in asyncio.run(_play_all()):
        assert one.succeeded, one.story.name
        page_of(one.story.name).write_text(page(one))
    FORMAT_PAGE.write_text(with_current_list(FORMAT_PAGE.read_text()))
