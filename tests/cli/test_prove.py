"""`orchestrator prove`: finds nothing amiss in the service, and something in every story that is amiss."""

import dataclasses
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator.cli import app
from orchestrator.cli.prove import checks, ground, proof
from orchestrator.cli.prove.checks import Check
from orchestrator.cli.prove.counts import Kept
from orchestrator.cli.prove.customers import OUR_NUMBERS, customers, phone
from orchestrator.cli.prove.play import Played
from orchestrator.cli.prove.proof import Proof
from orchestrator.cli.prove.receiver import Receiver
from orchestrator.cli.prove.replay import Replay
from tests.cli.running import run, run_json
from tests.support.app import Service

BY_CHANNEL, BY_ADDRESSES, BY_PROFILE = OUR_NUMBERS.values()
US = next(iter(OUR_NUMBERS))
COMMAND = ("prove", "--messages", "24", "--processes", "1", "--seed", "86")


def test_it_proves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = folder / "tmp"
    temporary.mkdir(0o711)
    monkeypatch.setenv("TMPDIR", str(temporary))
    # Whatever the environment says of a service elsewhere does not concern the temporary one.
    shown = run_json(*COMMAND, database_url="postgresql://nobody@127.0.0.1:1/none")
    assert (shown["holds"], shown["messages"], shown["seed"]) == (True, 24, 86)
    assert all(check["holds"] and check["expected"] == check["found"] for check in shown["checks"])
    assert shown["conversations"] > 3
    assert list(temporary.iterdir()) == []


async def test_it_keeps_off_databases_of_others(service: Service) -> None:
    done = run("prove", "--on-database", database_url=service.settings.database_url)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("orchestrator: the database in ORCHESTRATOR_DATABASE_URL has ")
    done = run("prove", "--on-database")
    assert (done.returncode, done.stderr) == (2, "orchestrator: --on-database needs ORCHESTRATOR_DATABASE_URL\n")
    done = run("prove", "--on-database", database_url="postgresql://me:secret@127.0.0.1:1/none")
    assert (done.returncode, "secret" in done.stderr) == (1, False)
    assert done.stderr.startswith("orchestrator: cannot use the database postgresql://me:***@127.0.0.1:1/none: ")


def test_it_fails_when_a_count_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = [Check("messages", "stored", 2, 1), Check("messages", "stored more than once", 0, 0)]

    async def prove(*_: object, **__: object) -> Proof:
        return Proof(Played(), Receiver("token"), 1, 0.5, lost, "the service says [this]")

    monkeypatch.setattr(proof, "prove", prove)
    monkeypatch.setattr(ground, "proving_ground", lambda **_: nullcontext())
    for arguments in (COMMAND, (*COMMAND, "--json")):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 1
    assert not json.loads(done.stdout)["holds"]
    told = CliRunner().invoke(app, COMMAND).stdout
    assert "1 of 2 counts are not as they must be. The seed was 86." in told
    assert "the service says [this]" in told


def test_traffic_follows_from_the_seed() -> None:
    once = list(customers(100, 1))
    assert once == list(customers(100, 1))
    assert once != list(customers(100, 2))
    said = [message for customer in once for burst in customer.bursts for message in burst.messages]
    assert len({message.resource_id for message in said}) == len(said) == 100
    assert {message.channel for message in said} == {"SMS", "WHATSAPP", "VOICE"}
    assert {message.at_once for message in said} == {1, 2, 3}
    assert any(burst.links for customer in once for burst in customer.bursts)


class Log:
    """An event log that is written by hand."""

    def __init__(self, grouping: str) -> None:
        self.replay = Replay({"configuration": grouping})
        self.numbers: dict[str, int] = {}

    def tell(self, conversation: str, kind: str, data: dict[str, Any], *, position: int | None = None) -> None:
        self.numbers[conversation] = self.numbers.get(conversation, 0) + 1
        event = {"conversationId": conversation, "sequence": self.numbers[conversation], "eventType": kind}
        place = self.replay.position + 1 if position is None else position
        self.replay.read([{**event, "position": place, "data": data}])

    def open(self, conversation: str, address: str, profile: str = "one", channel: str = "SMS") -> None:
        self.tell(conversation, "CONVERSATION_CREATED", {"configurationId": "configuration"})
        self.tell(conversation, "PARTICIPANT_ADDED", customer(address, profile, channel))

    def close(self, conversation: str) -> None:
        self.tell(conversation, "CONVERSATION_UPDATED", {"status": "CLOSED"})

    def say(self, conversation: str, address: str) -> None:
        data = {"author": {"address": address}, "recipients": [{"address": US}]}
        self.tell(conversation, "COMMUNICATION_CREATED", data)

    @property
    def found(self) -> tuple[int, int, int, int, int]:
        replay = self.replay
        return replay.doubled, replay.too_late, replay.astray, replay.misplaced, replay.still_open


def customer(address: str, profile: str, channel: str = "SMS") -> dict[str, Any]:
    addresses = [{"channel": channel, "address": address}]
    return {"type": "CUSTOMER", "profileId": profile, "addresses": addresses}


def test_a_log_in_which_everything_is_as_it_must_be() -> None:
    log = Log(BY_ADDRESSES)
    log.open("a", phone(0))
    log.say("a", phone(0))
    log.close("a")
    log.open("b", f"whatsapp:{phone(0)}")
    log.open("c", phone(1))
    assert log.found == (0, 0, 0, 0, 2)


@pytest.mark.parametrize(
    ("grouping", "address", "profile", "channel", "doubled"),
    [
        (BY_CHANNEL, phone(0), "one", "SMS", 1),
        (BY_CHANNEL, phone(0), "one", "VOICE", 0),
        (BY_ADDRESSES, f"whatsapp:{phone(0)}", "two", "WHATSAPP", 1),
        (BY_ADDRESSES, phone(1), "one", "SMS", 0),
        (BY_PROFILE, phone(1), "one", "SMS", 1),
        (BY_PROFILE, phone(0), "two", "SMS", 0),
    ],
)
def test_two_open_for_one_key_are_noticed(
    grouping: str, address: str, profile: str, channel: str, doubled: int
) -> None:
    log = Log(grouping)
    log.open("a", phone(0))
    log.open("b", address, profile, channel)
    assert log.replay.doubled == doubled


def test_people_who_became_one_have_two_open_but_no_third() -> None:
    log = Log(BY_PROFILE)
    log.open("a", phone(0), "one")
    log.open("b", phone(1), "two")
    log.tell("b", "PARTICIPANT_UPDATED", customer(phone(1), "one"))
    assert log.replay.doubled == 0
    log.close("a")
    log.open("c", phone(0), "one")
    assert log.replay.doubled == 1


def test_messages_in_the_wrong_place_and_gaps_are_noticed() -> None:
    log = Log(BY_ADDRESSES)
    log.open("a", phone(0))
    log.say("a", phone(2))
    log.close("a")
    log.say("a", phone(0))
    log.tell("a", "PARTICIPANT_UPDATED", customer(phone(0), "one"), position=9)
    log.numbers["a"] += 1
    log.close("a")
    assert log.found == (0, 1, 1, 2, 0)


SOUND = Kept(["SM1"], {"SM1"}, 0, 1, 0, 0, 2, 0, 0, 0)


def story() -> tuple[Played, Replay, Receiver]:
    """One message, one conversation, two events: all is well."""
    receiver = Receiver("token")
    receiver.take("t1", "a:1")
    receiver.take("t2", "a:2")
    return Played({}, {"SM1"}, {"SM1"}), Replay({}, events=2, opened=1), receiver


def broken(played: Played, kept: Kept, replay: Replay, receiver: Receiver) -> list[str]:
    return [check.what for check in checks.all_checks(played, kept, replay, receiver) if not check.holds]


@pytest.mark.parametrize(
    ("change", "noticed"),
    [
        ({}, 0),
        ({"messages": []}, 1),
        ({"messages": ["SM1", "SM1"]}, 1),
        ({"messages": ["SM1", "SM2"]}, 1),
        ({"delivered": set()}, 1),
        ({"events": 3}, 2),
        *(({name: 1}, 1) for name in ("uncaptured", "still_open", "keys", "gaps", "undelivered", "split")),
        ({"conversations": 2}, 1),
    ],
)
def test_what_the_database_lacks_is_noticed(change: dict[str, Any], noticed: int) -> None:
    played, replay, receiver = story()
    assert len(broken(played, dataclasses.replace(SOUND, **change), replay, receiver)) == noticed


@pytest.mark.parametrize(
    ("callbacks", "noticed"),
    [
        ([("t1", "a:1"), ("t1", "a:1"), ("t2", "a:2")], 0),
        ([("t1", "a:1")], 1),
        ([("t2", "a:2"), ("t1", "a:1")], 1),
        ([("t1", "a:1"), ("t2", "a:2"), ("t3", "a:2")], 2),
        ([("t1", "a:1"), ("t2", "a:2"), ("t2", "b:1")], 1),
    ],
)
def test_what_the_receiver_lacks_is_noticed(callbacks: list[tuple[str, str]], noticed: int) -> None:
    played, replay, _ = story()
    receiver = Receiver("token")
    for token, event in callbacks:
        receiver.take(token, event)
    assert len(broken(played, SOUND, replay, receiver)) == noticed
