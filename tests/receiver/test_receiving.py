"""Events are taken once and in order, whatever comes twice, late, never, or while the application dies."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Barrier

import httpx
import pytest

from orchestrator.receiver import Event, Gap, Receiver, SqliteInbox
from tests.support.called_back import CONVERSATION, Log, event

EVENTS = [event(number) for number in range(1, 6)]
ALL = [f"{number}" for number in range(1, 6)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "application.db"


def write(database: sqlite3.Connection, one: Event) -> None:
    database.execute("insert into effects values (?)", (one.data["id"],))


def application(
    file: Path, log: Log | None, handle: Callable[[sqlite3.Connection, Event], None] = write
) -> Receiver[sqlite3.Connection]:
    """What a process of the application begins with."""
    inbox = SqliteInbox(file)
    with inbox.begin() as database:
        database.execute("create table if not exists effects (id text)")  # not unique: a repeat would show
    return Receiver(inbox, handle, log.reader() if log else None)


def effects(file: Path) -> list[str]:
    with sqlite3.connect(file) as database:
        found = [row[0] for row in database.execute("select id from effects order by rowid")]
    database.close()
    return found


def numbers(events: list[Event]) -> list[int]:
    return [one.sequence for one in events]


def test_in_order_they_need_no_log(file: Path) -> None:
    receiver = application(file, None)
    assert [numbers(receiver.receive(one).handled) for one in EVENTS] == [[1], [2], [3], [4], [5]]
    assert effects(file) == ALL


def test_duplicates_have_no_effect_also_after_a_restart(file: Path) -> None:
    for _ in range(2):
        receiver = application(file, None)
        for one in EVENTS:
            receiver.receive(one)
            assert receiver.receive(one).handled == []
    assert effects(file) == ALL


def test_in_any_order_all_are_taken_once_and_in_order(file: Path) -> None:
    for seed in range(6):
        file.unlink(missing_ok=True)
        receiver, shuffled = application(file, Log(EVENTS)), EVENTS * 2
        Random(seed).shuffle(shuffled)
        for one in shuffled:
            receiver.receive(one)
        assert effects(file) == ALL


def test_what_is_missing_is_read_from_the_log_first(file: Path) -> None:
    log = Log([event(1, "another"), *EVENTS[:2], event(2, "another"), *EVENTS[2:]])
    receiver = application(file, log)
    receiver.receive(EVENTS[0])
    receipt = receiver.receive(EVENTS[3])
    assert (numbers(receipt.handled), receipt.lost) == ([2, 3, 4], [])
    assert all(CONVERSATION in query for query in log.asked)
    assert receiver.receive(EVENTS[2]).handled == []  # its callback comes late
    assert effects(file) == ALL[:4]


def test_without_a_log_the_missing_ones_are_named(file: Path) -> None:
    receiver = application(file, None)
    receiver.receive(EVENTS[0])
    with pytest.raises(Gap, match="came before 2, 3") as gap:
        receiver.receive(EVENTS[3])
    assert (gap.value.missing, gap.value.event) == (range(2, 4), EVENTS[3])
    for one in EVENTS[1:]:
        receiver.receive(one)
    assert effects(file) == ALL


def test_what_nobody_has_any_more_is_told_and_does_not_hold_up_the_rest(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = application(file, Log([EVENTS[1], EVENTS[3], EVENTS[4]]))
    receipt = receiver.receive(EVENTS[4])
    assert numbers(receipt.handled) == [2, 4, 5]
    assert receipt.lost == [f"{CONVERSATION}:1", f"{CONVERSATION}:3"]
    assert "no longer kept" in caplog.text


def test_a_log_that_cannot_be_read_takes_nothing(file: Path) -> None:
    log = Log(EVENTS, is_down=True)
    receiver = application(file, log)
    with pytest.raises(httpx.HTTPStatusError):
        receiver.receive(EVENTS[2])
    assert effects(file) == []
    log.is_down = False
    receiver.receive(EVENTS[2])
    assert effects(file) == ALL[:3]


def test_an_effect_that_fails_is_undone_with_its_mark(file: Path) -> None:
    attempts: list[int] = []

    def stumble(database: sqlite3.Connection, one: Event) -> None:
        write(database, one)
        attempts.append(one.sequence)
        if attempts == [1, 2]:
            raise OSError("no more room")

    receiver = application(file, Log(EVENTS), stumble)
    with pytest.raises(OSError, match="no more room"):
        receiver.receive(EVENTS[2])
    assert effects(file) == ["1"]
    assert numbers(receiver.receive(EVENTS[2]).handled) == [2, 3]
    assert effects(file) == ALL[:3]


def test_a_process_that_dies_between_effect_and_mark_has_done_nothing(file: Path) -> None:
    program = """
import os, sys
from orchestrator.receiver import Event, Receiver, SqliteInbox

def die(database, event):
    database.execute("insert into effects values ('half')")
    os._exit(9)

Receiver(SqliteInbox(sys.argv[1]), die).receive(Event(sys.argv[2], 1, "COMMUNICATION_CREATED", "", {}))
"""
    receiver = application(file, None)
    died = subprocess.run([sys.executable, "-c", program, str(file), CONVERSATION], check=False, timeout=60)
    assert died.returncode == 9
    assert effects(file) == []
    receiver.receive(EVENTS[0])
    assert effects(file) == ["1"]


def test_several_at_once_take_each_event_once_and_in_order(file: Path) -> None:
    log = Log(EVENTS)
    receivers, ready = [application(file, log) for _ in range(4)], Barrier(4)

    def run(number: int) -> None:
        shuffled = list(EVENTS)
        Random(number).shuffle(shuffled)
        ready.wait()
        for one in shuffled:
            receivers[number].receive(one)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert effects(file) == ALL


def test_catching_up_finds_a_last_event_that_never_came(file: Path) -> None:
    log = Log([*EVENTS[:3], event(1, "another")])
    receiver = application(file, log)
    receiver.receive(EVENTS[0])
    assert numbers(receiver.catch_up().handled) == [2, 3, 1]
    log.events += EVENTS[3:]
    asked = len(log.asked)
    assert numbers(application(file, log).catch_up().handled) == [4, 5]
    assert "after=4" in log.asked[asked]
    assert receiver.catch_up().handled == []


def test_catching_up_too_late_goes_on_with_what_is_kept(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = Log(EVENTS[:2])
    receiver = application(file, log)
    receiver.catch_up()
    log.events, log.reaped_to = list(EVENTS), 3
    receipt = receiver.catch_up()
    assert (numbers(receipt.handled), receipt.lost) == ([4, 5], [f"{CONVERSATION}:3"])
    assert "up to position 3" in caplog.text


def test_it_is_imported_without_the_service() -> None:
    program = "import sys, orchestrator.receiver; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    heavy = {
        "sqlalchemy",
        "asyncpg",
        "fastapi",
        "starlette",
        "pydantic",
        "aiohttp",
        "structlog",
        "orjson",
        "cryptography",
    }
    assert not heavy & set(loaded.stdout.split())
    assert "httpx" in loaded.stdout.split()
