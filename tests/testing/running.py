"""A pytest of its own, as an application's developers start it, on the examples of docs/testing.md and a sample."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

from tests.support.documents import ROOT

PAGE = ROOT / "docs" / "testing.md"
SAMPLE = Path(__file__).with_name("sample_project.py")
_SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
_PLUGINS = ("orchestrator.testing.plugin", "pytest_asyncio.plugin", "no:cacheprovider")


@dataclass(frozen=True)
class Outcome:
    """What came of the tests."""

    output: str
    passed: set[str]
    failed: set[str]
    """Names of tests, with their parameters."""


def examples() -> dict[str, str]:
    """The files of the page, by the name in their first line."""
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", PAGE.read_text())
    named = {re.match(r"# (\w+\.py)\n", block): block for block in blocks}
    return {match[1]: block for match, block in named.items() if match}


def run(folder: Path) -> Outcome:
    """Run everything in one process, with one instance."""
    for name, content in {**examples(), "test_sample.py": SAMPLE.read_text(), "pytest.ini": _SETTINGS}.items():
        (folder / name).write_text(content)
    results = folder / "results.xml"
    plugins = [word for plugin in _PLUGINS for word in ("-p", plugin)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, f"--junitxml={results}", "."],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert results.exists(), done.stdout + done.stderr
    cases = list(ET.parse(results).iter("testcase"))
    failed = {case.attrib["name"] for case in cases if len(case)}
    return Outcome(done.stdout, {case.attrib["name"] for case in cases} - failed, failed)
