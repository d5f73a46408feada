"""`orchestrator demo`: the seed's example comes out as the seed says, and the command notices when it does not."""

import json
from pathlib import Path

import pytest

from orchestrator.cli.demo.play import Landed, Played, gaps
from orchestrator.cli.first_account import credentials_file
from orchestrator.cli.receiver import Callback
from orchestrator.kernel.ids import new_sid
from tests.cli.running import run, run_json

CHANNELS = ["SMS", "VOICE", "WHATSAPP", "SMS"]
LANDINGS = {
    "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE": [0, 1, 2, 3],
    "GROUP_BY_PARTICIPANT_ADDRESSES": [0, 0, 0, 3],
    "GROUP_BY_PROFILE": [0, 0, 0, 0],
}
"""By grouping type, for each of the four contacts the first one that shares its conversation."""


def test_four_contacts_become_four_two_and_one_conversations(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = folder / "tmp"
    temporary.mkdir(0o711)
    monkeypatch.setenv("TMPDIR", str(temporary))
    # Whatever the environment says of a service elsewhere does not concern the temporary one.
    shown = run_json("demo", database_url="postgresql://nobody@127.0.0.1:1/none", data_dir=folder / "unused")
    assert shown["succeeded"]
    landed = {
        one["groupingType"]: [contact["conversationId"] for contact in one["contacts"]] for one in shown["groupings"]
    }
    assert {grouping: [ids.index(one) for one in ids] for grouping, ids in landed.items()} == LANDINGS
    for one in shown["groupings"]:
        assert [contact["channel"] for contact in one["contacts"]] == CHANNELS
        assert one["missingCallbacks"] == []
        assert len(one["callbacks"]) >= len(CHANNELS) + 4 * one["conversations"]
        assert all(callback["signatureOk"] for callback in one["callbacks"])
    assert (list(temporary.iterdir()), (folder / "unused").exists()) == ([], False)


def test_it_needs_credentials_and_an_instance(folder: Path) -> None:
    done = run("demo", "--url", "http://127.0.0.1:1", data_dir=folder / "none")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("orchestrator: no credentials: set ORCHESTRATOR_ACCOUNT_SID")
    kept = {"accountSid": new_sid("AC"), "authToken": "a token"}
    credentials_file(folder).write_text(json.dumps(kept))
    done = run("demo", "--url", "http://127.0.0.1:1", data_dir=folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("orchestrator: cannot reach http://127.0.0.1:1: ")


def callback(sequence: int, *, conversation_id: str = "a", signed: bool = True) -> Callback:
    return Callback(conversation_id, sequence, "COMMUNICATION_CREATED", "subject", signed)


def test_callbacks_that_were_left_out_are_noticed() -> None:
    assert gaps([callback(1), callback(2), callback(1, conversation_id="b")]) == []
    assert gaps([callback(1), callback(4), callback(2, conversation_id="b")]) == [
        "number 2 of a",
        "number 3 of a",
        "number 1 of b",
    ]


@pytest.mark.parametrize(
    ("conversations", "callbacks", "missing", "succeeded"),
    [
        (["a", "b"], [callback(1)], [], True),
        (["a", "b", "c"], [callback(1)], [], False),
        (["a", "a"], [callback(1)], [], False),
        (["a", "b"], [callback(1), callback(2, signed=False)], [], False),
        (["a", "b"], [callback(1)], ["number 2 of a"], False),
    ],
)
def test_it_succeeds_only_when_everything_is_as_the_seed_says(
    conversations: list[str], callbacks: list[Callback], missing: list[str], succeeded: bool
) -> None:
    landed = [Landed("SMS", "from", "to", "communication", one, {}) for one in conversations]
    assert Played("GROUP_BY_PARTICIPANT_ADDRESSES", "id", landed, callbacks, missing).succeeded is succeeded
