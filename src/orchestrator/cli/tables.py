"""Tables for people, on a terminal or in a file."""

from collections.abc import Iterable, Sequence

from rich.box import HEAVY_HEAD, SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_WIDE = 200
"""Columns where there is no terminal whose width counts: nothing is cut off or wrapped in a file."""
_ENDLESS = 10_000


def console() -> Console:
    """Standard output."""
    found = Console(highlight=False)
    if not found.is_terminal:
        found.width = _WIDE
    return found


def print_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str | Text | None]],
    *,
    title: str | None = None,
    light: bool = False,
    on: Console | None = None,
) -> None:
    """Print rows under headings; None is an empty cell. What is too wide for the terminal is printed cell by cell."""
    on = on or console()
    # Plain strings are shown as they are: somebody's name may look like markup.
    cells = [[cell if isinstance(cell, Text) else Text(cell or "") for cell in row] for row in rows]
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD if light else HEAVY_HEAD,
    )
    for number, heading in enumerate(headings):
        has_words = any(" " in row[number].plain for row in cells)
        table.add_column(heading, no_wrap=not has_words, overflow="fold")
    for row in cells:
        table.add_row(*row)
    narrowest = _narrowest(table, on)
    if on.is_terminal and narrowest > on.width:
        _print_cells(headings, cells, title, on)
    else:
        on.print(table, width=max(narrowest, on.width), crop=False)


def _narrowest(table: Table, on: Console) -> int:
    """Columns that it takes at least, if no word is to be cut off: ids are there to be copied."""
    return Measurement.get(on, on.options.update_width(_ENDLESS), table).minimum


def _print_cells(headings: Sequence[str], rows: Sequence[Sequence[Text]], title: str | None, on: Console) -> None:
    if title:
        on.print(Text(title, style="bold"))
    width = max(map(len, headings))
    for row in rows:
        on.print()
        for heading, cell in zip(headings, row, strict=True):
            for number, line in enumerate(cell.split() if cell.plain else ()):
                on.print(Text.assemble((("" if number else heading).ljust(width), "bold"), "  ", line), soft_wrap=True)
