"""The CSV file of an import, read in pieces: what is not UTF-8 or not CSV ends it (contract: memory.md 4.11)."""

import codecs
import csv
import io
from collections.abc import Collection, Iterator

from orchestrator.memory.imports import MOST_COLUMNS

LONGEST_ROW = 4 * 1024 * 1024
"""Characters. A cell has at most `csv.field_size_limit()`, 131,072, of them."""

Cells = list[str]


class Unusable(Exception):
    """The import cannot go on, with a message for the account."""


class _Hungry(Exception):
    """The reader wants a line that is not here yet."""


class CsvFile:
    """Makes rows of a file whose bytes come in pieces."""

    def __init__(self, mapped: Collection[str]) -> None:
        """`mapped` are the columns that must be there."""
        self.header: Cells = []
        self._mapped = mapped
        self._bytes = 0
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")(), translate=False)
        self._lines: list[str] = []
        self._next = 0
        self._broken_line = ""
        self._is_whole = False
        self._reader = csv.reader(self, strict=True)
        self._rows = 0

    def feed(self, content: bytes | None) -> Iterator[Cells]:
        """The rows below the header that end in this piece; None is the end of the file. Raises Unusable.

        Empty lines are no rows.
        """
        self._take(content)
        for row in self._read():
            if not self.header:
                self.header = self._checked(row)
            else:
                yield row
        if content is None and not self._rows:
            raise Unusable("the file is empty" if not self.header else "the file has a header and no rows")

    def __iter__(self) -> "CsvFile":
        return self

    def __next__(self) -> str:
        """A line for the reader."""
        if self._next < len(self._lines):
            self._next += 1
            return self._lines[self._next - 1]
        raise StopIteration if self._is_whole else _Hungry

    def _take(self, content: bytes | None) -> None:
        self._is_whole = content is None
        self._bytes += len(content or b"")
        try:
            text = self._decoder.decode(content or b"", final=self._is_whole)
        except UnicodeDecodeError as error:
            place = self._bytes - (len(error.object) - error.start) + 1
            raise Unusable(f"the file is not UTF-8: byte {place:,} cannot be read") from error
        lines = io.StringIO(self._broken_line + text, newline="").readlines()
        complete = self._is_whole or not lines or lines[-1].endswith(("\r", "\n"))
        self._broken_line = "" if complete else lines.pop()
        self._lines += lines

    def _read(self) -> Iterator[Cells]:
        while (row := self._row()) is not None:
            if row:
                self._rows += bool(self.header)
                yield row
        unread = sum(map(len, self._lines[self._next :])) + len(self._broken_line)
        if unread > LONGEST_ROW:
            raise Unusable(f"{self._place()} has more than {LONGEST_ROW:,} characters")
        self._lines = self._lines[self._next :]
        self._next = 0

    def _row(self) -> Cells | None:
        """The next row; None when it has not come whole: then its lines are read once more, with those to come."""
        begin = self._next
        try:
            return next(self._reader)
        except _Hungry:
            self._next = begin
        except StopIteration:
            pass
        except csv.Error as error:
            raise Unusable(f"{self._place()} is not CSV: {error}") from error
        return None

    def _place(self) -> str:
        return f"row {self._rows + 1:,}" if self.header else "the header"

    def _checked(self, header: Cells) -> Cells:
        if len(header) > MOST_COLUMNS:
            raise Unusable(f"the file has {len(header)} columns, and may have {MOST_COLUMNS}")
        if twice := sorted({name for name in header if header.count(name) > 1}):
            raise Unusable(f"the header names a column twice: {', '.join(twice)}")
        if missing := [name for name in self._mapped if name not in header]:
            raise Unusable(f"the header has no column {', '.join(missing)}")
        return header
