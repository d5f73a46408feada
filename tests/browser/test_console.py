"""The console in a real browser: the walk of a first day, and what axe says of its pages."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import serving
from tests.support.receiver import receiver

FOLDER = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
STEPS = [
    "logs in",
    "makes a configuration",
    "sends an SMS from a fake phone and sees where it lands, and why",
    "sees it on the timeline",
    "sees what was sent meanwhile without loading the page again",
    "is told when the service fails, and keeps the page",
    "turns the clock and sees it go INACTIVE and CLOSED",
    "sees the callbacks, and redelivers one",
    "merges two profiles, and undoes it",
    "finds it all again",
]
_PATIENCE = 150
"""Seconds for the whole walk."""


def browser() -> str:
    """Chromium, or one that is like it; the tests are skipped where there is none."""
    named = os.environ.get("ORCHESTRATOR_TEST_BROWSER")
    found = named or next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no browser: install Chromium, or name one in ORCHESTRATOR_TEST_BROWSER")
    return found


def walk(**given: object) -> dict[str, Any]:
    """What the walk saw."""
    assert (FOLDER / "node_modules" / "playwright-core").is_dir(), "`make test` installs what drives the browser"
    node = shutil.which("node", path=str(Path(sys.executable).parent))
    assert node, "`make test` installs Node"
    done = subprocess.run(
        [node, str(FOLDER / "walk.mjs")],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
@pytest.mark.timeout(_PATIENCE + 60)
async def test_the_walk_of_a_first_day(tmp_path: Path) -> None:
    """ORCHESTRATOR_TEST_PICTURES names a folder for screenshots, such as those of docs/console.md.

    What the page looked like when a step failed is in failed.png of the test's own folder.
    """
    chromium = browser()
    async with receiver() as hooks:
        with serving(tmp_path) as service:
            kept = json.loads((tmp_path / "data" / "credentials.json").read_text())
            seen = await asyncio.to_thread(
                walk,
                origin=service.url,
                username=service.auth[0],
                password=service.auth[1],
                store=kept["memoryStoreId"],
                callback=hooks.url(),
                chromium=chromium,
                pictures=os.environ.get("ORCHESTRATOR_TEST_PICTURES"),
                failure=str(tmp_path / "failed.png"),
            )
        redelivered = [one for one in hooks.received if one.headers.get("Orchestrator-Redelivery")]
    assert seen["troubles"] == []
    assert seen["steps"] == STEPS
    assert seen["violations"] == []
    assert len(seen["pages"]) > 10
    assert len(redelivered) == 1
    assert all(one.is_signed_by(service.auth[1]) for one in hooks.received)
