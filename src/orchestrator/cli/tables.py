"""Tables for people, on a terminal or in a file."""

from collections.abc import Iterable, Sequence

from rich.box import HEAVY_HEAD, SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_WIDE = 200
"""Columns where there is no terminal whose width counts: nothing is cut off or wrapped in a file."""


def console() -> Console:
    """Standard output."""
    found = Console(highlight=False)
    if not found.is_terminal:
        found.width = _WIDE
    return found


def print_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[RenderableType | None]],
    *,
    title: str | None = None,
    light: bool = False,
    on: Console | None = None,
) -> None:
    """Print rows under headings; None is an empty cell."""
    table = Table(
        *headings,
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD if light else HEAVY_HEAD,
    )
    for row in rows:
        # Plain strings are shown as they are: somebody's name may look like markup.
        table.add_row(*(Text(cell or "") if cell is None or isinstance(cell, str) else cell for cell in row))
    (on or console()).print(table)
