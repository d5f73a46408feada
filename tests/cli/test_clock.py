"""The clock that runs faster, which only a service in dev mode may have."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.kernel.clock import Clock, clock_of
from tests.cli.running import environment, invoke_json, run

START = "2026-02-03T09:15:00+00:00"


def test_it_is_right_at_its_start_and_then_runs_ahead() -> None:
    start = Clock().now() - timedelta(hours=1)
    before = Clock().now()
    shown = clock_of(start=start, speed=60).now()
    assert start + 60 * (before - start) <= shown <= start + 60 * (Clock().now() - start)
    assert type(clock_of(start=None, speed=60)) is Clock
    assert abs(clock_of(start=datetime(2026, 1, 1, tzinfo=UTC), speed=1).now() - Clock().now()) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"clock_start": START, "mode": "production"}, "only a service in dev mode"),
        ({"clock_start": START, "database_url": "postgresql://db/orchestrator"}, "only a service in dev mode"),
        ({}, "a fast clock needs ORCHESTRATOR_CLOCK_START too"),
        ({"clock_start": "2026-02-03T09:15:00"}, "timezone"),
    ],
)
def test_it_is_refused_in_one_line(given: dict[str, str], reason: str) -> None:
    done = run("settings", clock_speed=60, **given)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("orchestrator: ORCHESTRATOR_CLOCK_S")
    assert reason in done.stderr


def test_dev_mode_has_it() -> None:
    rows = {row["name"]: row["value"] for row in invoke_json("settings", clock_speed=60, clock_start=START)}
    assert (rows["ORCHESTRATOR_CLOCK_SPEED"], rows["ORCHESTRATOR_CLOCK_START"]) == ("60", "2026-02-03 09:15:00+00:00")
    assert "ORCHESTRATOR_CLOCK_SPEED" not in environment()
