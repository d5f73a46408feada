"""Data folders of commands, and one service for the tests that only ask it questions."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.running import Serving, serving


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that Postgres' account may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-test-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Shared by the tests of a module: the first start on it takes longer than the later ones."""
    with open_folder() as found:
        yield found


@pytest.fixture(scope="module")
def first(folder: Path) -> Iterator[Serving]:
    """A service that was started on an empty data folder."""
    with serving(folder) as service:
        yield service
