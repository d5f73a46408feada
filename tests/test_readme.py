"""The README's tour as a reader does it: every command as it stands, in one shell, beside a real service."""

import pytest

from tests.cli.conftest import open_folder
from tests.cli.running import serving
from tests.support.documents import README
from tests.support.snippets import blocks, check, steps

_PATIENCE = 200
"""Seconds; the tour takes about 15, on a machine that has nothing else to do."""


@pytest.mark.timeout(_PATIENCE + 60)
def test_the_tour_works_as_it_stands() -> None:
    section = README.read_text().partition("\n## A five-minute tour\n")[2].partition("\n## ")[0]
    page = list(blocks(section))
    assert {block.language for block in page} == {"sh", "python", "text"}
    with open_folder() as folder, serving(folder) as service:
        here = folder / "here"  # where a reader has the checkout
        here.mkdir()
        check(steps("README.md", page), here, seconds=_PATIENCE, url=service.url, data_dir=folder / "data")
        assert list(here.iterdir()) == []  # the tour leaves nothing behind
