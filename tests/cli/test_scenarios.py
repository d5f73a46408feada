"""`orchestrator run`: the scenarios that come with it are as they say, and so are their pages."""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator.accounts import service as accounts
from orchestrator.app import create_app
from orchestrator.cli import app
from orchestrator.cli.api import Api
from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.instance import Instance
from orchestrator.cli.receiver import Receiver, receiving
from orchestrator.cli.scenarios import shipped_names
from orchestrator.cli.scenarios.play import Manner, Played, play
from orchestrator.cli.scenarios.reading import find, read
from orchestrator.cli.scenarios.report import told
from orchestrator.serving import secret_box, units
from orchestrator.settings import Settings
from tests.cli.running import environment, run
from tests.support.app import test_settings
from tests.support.database import worker_database
from tests.support.scenario_pages import FORMAT_PAGE, PAGES, page, page_of, with_current_list
from tests.support.scenarios import STORY, written
from tests.support.server import serving_app

IMPATIENT = Manner(patience=0.1)


@dataclass
class Ground:
    """An instance in dev mode that all scenarios of this module share, its worker included."""

    settings: Settings
    url: str

    async def account(self) -> Instance:
        """A new one."""
        async with units(self.settings) as opened, opened.begin() as unit:
            made = await accounts.create_account(unit, secret_box(self.settings), name="a scenario")
        return Instance(self.url, made.account_id, made.auth_token)


@pytest.fixture(scope="module")
async def ground() -> AsyncIterator[Ground]:
    # A database of its own: the clock that is turned is the one of the whole database.
    async with worker_database("_scenarios") as url:
        settings = test_settings(url, public_url=None, worker=True)
        with serving_app(create_app(settings)) as origin:
            yield Ground(settings, origin)


@pytest.fixture
async def instance(ground: Ground) -> Instance:
    return await ground.account()


@pytest.fixture
async def api(instance: Instance) -> AsyncIterator[Api]:
    async with Api(instance, patience=60) as client:
        yield client


@pytest.fixture
async def receiver(instance: Instance) -> AsyncIterator[Receiver]:
    async with receiving(instance.auth_token) as running:
        yield running


def broken(played: Played) -> list[str]:
    """What was not as expected."""
    return [f"step {step.number}: {told(check)}" for step in played.steps for check in step.checks if not check.holds]


@pytest.mark.parametrize("name", shipped_names())
async def test_a_scenario_is_as_it_says_and_as_its_page_says(name: str, api: Api, receiver: Receiver) -> None:
    played = await play(api, receiver, find(name), Manner())
    assert broken(played) == []
    assert played.succeeded
    assert page_of(name).read_text() == page(played), "run `python -m tests.support.scenario_pages`"


def test_every_scenario_has_a_page_and_is_listed() -> None:
    assert len(shipped_names()) >= 10
    assert sorted(file.stem for file in PAGES.iterdir()) == shipped_names()
    text = FORMAT_PAGE.read_text()
    assert text == with_current_list(text), "run `python -m tests.support.scenario_pages`"


async def test_nothing_is_left_on_a_shared_instance(api: Api, receiver: Receiver) -> None:
    await api.post("/orchestrator/v1/Numbers", {"address": "+16505550100"})
    played = await play(api, receiver, find("agent-joins-and-replies"), Manner(shared=True))
    assert played.succeeded, broken(played)
    assert "+16505550199" not in json.dumps(played.steps[0].happened)
    assert (await api.get("/v2/Conversations"))["conversations"] == []
    assert (await api.get("/v2/ControlPlane/Configurations"))["configurations"] == []
    assert (await api.get("/v1/ControlPlane/Stores"))["stores"] == []
    assert [one["address"] for one in (await api.get("/orchestrator/v1/Numbers"))["numbers"]] == ["+16505550100"]


async def test_other_conversations_are_left_alone_and_what_is_kept_is_there(
    api: Api, receiver: Receiver, tmp_path: Path
) -> None:
    story = read(written(tmp_path, STORY))
    played = await play(api, receiver, story, Manner(keep=True))
    assert list(played.kept.values()) == ["support"]
    (kept,) = (await api.get("/v2/Conversations"))["conversations"]
    looking = (
        STORY + f"  - act: {{method: GET, path: /v2/Conversations/{kept['id']}}}\n    expect: {{conversations: 1}}"
    )
    played = await play(api, receiver, read(written(tmp_path, looking)), Manner(shared=True))
    assert played.succeeded, broken(played)
    assert [one["id"] for one in (await api.get("/v2/Conversations"))["conversations"]] == [kept["id"]]


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        ("{landing: uncaptured}", "landing: expected uncaptured, found new"),
        ("{conversations: 2}", "conversations: expected 2, found 1"),
        ("{conversations: {CLOSED: 1}}", "conversations: expected {CLOSED: 1}, found {CLOSED: 0, ACTIVE: 1}"),
        ("{communications: [bye]}", "conversation A: communications: expected bye, found hello"),
        ("{communications: []}", "conversation A: communications: expected [], found"),
        ("{conversation: {status: CLOSED}}", "conversation A.status: expected CLOSED, found ACTIVE"),
        ("{trace: {rule: {position: 3}}}", "trace.rule.position: expected 3, found 0"),
        (
            "{participants: [{type: AGENT}]}",
            "participants: expected [{type: AGENT}], found [{type: CUSTOMER}, {type: AGENT}]",
        ),
        ("{profile: none}", "conversation A: profile: expected none, found new"),
        ("{callbacks: [CONVERSATION_CREATED]}", "callbacks: expected CONVERSATION_CREATED, found []"),
        ("{refusedCallbacks: [CONVERSATION_CREATED]}", "refused callbacks: expected CONVERSATION_CREATED, found []"),
        (
            "{in: support, communication: {content: {text: bye}}}",
            "communication.content.text: expected bye, found hello",
        ),
    ],
    ids=lambda value: value.split(":")[0].strip("{") if value.startswith("{") else "",
)
async def test_what_is_not_as_expected_is_told(
    expected: str, problem: str, api: Api, receiver: Receiver, tmp_path: Path
) -> None:
    file = written(tmp_path, f"{STORY}    expect: {expected}")
    played = await play(api, receiver, read(file), IMPATIENT)
    assert not played.succeeded
    (found,) = broken(played)
    assert problem in found


async def test_a_request_that_is_refused_ends_the_scenario(api: Api, receiver: Receiver, tmp_path: Path) -> None:
    more = """
  - act: {method: DELETE, path: "/v2/ControlPlane/Configurations/{{support.id}}"}
  - act: {method: GET, path: /v2/Conversations}
"""
    played = await play(api, receiver, read(written(tmp_path, STORY + more)), IMPATIENT)
    assert (len(played.steps), played.succeeded) == (2, False)
    (found,) = broken(played)
    assert "step 2: the request: expected is accepted, found DELETE " in found


async def test_what_the_file_gets_wrong_shows_while_it_is_played(api: Api, receiver: Receiver, tmp_path: Path) -> None:
    text = STORY + '  - act: {method: GET, path: "/v2/Conversations/{{first.conversation.it}}"}'
    with pytest.raises(WrongUsage, match=r"mine\.yaml: step 2: .*first\.conversation has no it"):
        await play(api, receiver, read(written(tmp_path, text)), IMPATIENT)
    text = STORY.replace("GROUP_BY_PARTICIPANT_ADDRESSES", "GROUP_BY_NAME")
    with pytest.raises(WrongUsage, match=r"mine\.yaml: given: POST .* was answered 400: .*GroupingType"):
        await play(api, receiver, read(written(tmp_path, text)), IMPATIENT)
    assert (await api.get("/v1/ControlPlane/Stores"))["stores"] == []


def here(*arguments: str, **settings: object) -> tuple[int, str, str]:
    """The command in this process, which is faster: exit code, output, errors."""
    names = {name for name in os.environ if name.startswith("ORCHESTRATOR_")}
    given = dict.fromkeys(names) | environment(**settings)
    done = CliRunner().invoke(app, ["run", *arguments], env=given)
    return done.exit_code, done.stdout, done.stderr


def test_the_command_plays_on_an_instance_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = folder / "tmp"
    temporary.mkdir(0o711)
    monkeypatch.setenv("TMPDIR", str(temporary))
    file = written(folder, f"{STORY}    expect: {{landing: uncaptured}}")
    unused: dict[str, object] = {"database_url": "postgresql://nobody@127.0.0.1:1/none", "data_dir": folder / "unused"}
    done = run("run", "one-way-rule", str(file), **unused)
    assert (done.returncode, list(temporary.iterdir()), (folder / "unused").exists()) == (1, [], False)
    assert "    ✓ trace.reason: no capture rule of any configuration matches" in done.stdout
    assert "    ✗ landing: expected uncaptured, found new" in done.stdout
    assert "│ ✗ step 1 │" in done.stdout


def test_the_command_asks_before_it_turns_the_clock_of_others(ground: Ground, instance: Instance) -> None:
    arguments = ("timers-inactive-closed-reopened", "--url", ground.url)
    credentials = {"account_sid": instance.account_id, "auth_token": instance.auth_token}
    code, _, error = here(*arguments, **credentials)
    assert code == 2
    assert error.strip().endswith("for everybody, and it stays there: say --yes")
    code, out, _ = here(*arguments, "--yes", "--json", **credentials)
    (shown,) = json.loads(out[out.index("{\n") :])["scenarios"]  # what the service logs in this process comes first
    assert (code, shown["succeeded"], shown["notPlayed"]) == (0, True, 0)
    assert all(one["met"] for step in shown["steps"] for one in step["expectations"])


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "which scenario? `orchestrator run --list` shows them"),
        (("one-way-rule", "--keep"), "--keep needs --url"),
        (("nonsense",), "there is no scenario nonsense"),
        (("--all", "nonsense"), "there is no scenario nonsense"),
    ],
    ids=["none", "keep", "unknown", "all and unknown"],
)
def test_the_command_is_refused_in_one_line(arguments: tuple[str, ...], problem: str) -> None:
    code, out, error = here(*arguments)
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert error.startswith(f"orchestrator: {problem}")


def test_the_command_lists_what_there_is() -> None:
    code, out, _ = here("--list", "--json")
    assert (code, [one["name"] for one in json.loads(out)]) == (0, shipped_names())
    assert {one["name"] for one in json.loads(out) if one["turnsTheClock"]} >= {"timers-inactive-closed-reopened"}
    assert all(name in here("--list")[1] for name in shipped_names())
