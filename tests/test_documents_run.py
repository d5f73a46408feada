"""Every command in docs/ does what its page says: page by page, each with an account of its own on one instance."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.support.documents import DOCS, ROOT
from tests.support.snippets import (
    RUN,
    Block,
    blocks,
    check,
    instance_for_readers,
    new_account,
    preparation,
    steps,
)

ARCHITECTURE = DOCS / "ARCHITECTURE.md"
PAGES = sorted([*DOCS.glob("*.md"), *(DOCS / "recipes").glob("*.md")])
_PATIENCE = 60
"""Seconds for one page."""


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks_of(page: Path) -> list[Block]:
    return list(blocks(page.read_text()))


@pytest.fixture(scope="module")
async def instance() -> AsyncIterator[dict[str, object]]:
    async with instance_for_readers() as found:
        yield found


@pytest.mark.timeout(_PATIENCE + 30)
@pytest.mark.parametrize("page", [page for page in PAGES if any(one.is_run for one in blocks_of(page))], ids=relative)
async def test_the_commands_of_a_page_work_as_they_stand(
    page: Path, instance: dict[str, object], tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    await new_account(here, **instance)
    # The tour begins with its own functions.
    first = [step for step in preparation() if not step.place.startswith(relative(page))]
    check([*first, *steps(relative(page), blocks_of(page))], here, seconds=_PATIENCE, **instance)


async def test_the_statements_of_the_operations_page_can_be_asked(instance: dict[str, object]) -> None:
    database = await asyncpg.connect(str(instance["database_url"]))
    try:
        for block in blocks_of(DOCS / "operations.md"):
            for statement in block.body.split(";") if block.language == "sql" else ():
                await database.fetch(statement)
    finally:
        await database.close()


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_what_becomes_of_a_block_is_known(page: Path) -> None:
    for block in blocks_of(page):
        place = f"{relative(page)}:{block.line}"
        assert block.is_understood, f"{place}: what does `{block.comment}` mean?"
        assert block.language or page == ARCHITECTURE, f"{place} has no language"
        assert block.reason is None or block.language in RUN, f"{place} would not be run anyway"
        for test in re.findall(r"tests/\S+\.py", block.reason or ""):
            assert (ROOT / test).is_file(), f"{place}: there is no {test}"
