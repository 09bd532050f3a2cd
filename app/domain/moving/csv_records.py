"""Customers in a table (CSV, RFC 4180): the separator is found out, and a broken row is that row's fault alone."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from app.domain.errors import FieldError, UserErrorCode
from app.domain.moving.records import MAXIMUM_LENGTH, Line, Record, UnreadableError, faulty, numbered_lines, too_long

_SEPARATORS = ",;\t|"
_TOLD_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
# Spreadsheets run what begins with one of these; an apostrophe keeps them from it.
_ESCAPED = re.compile(r"'+[=+\-@]")
_DANGEROUS = re.compile(r"'*[=+\-@]")


def escape_cell(text: str) -> str:
    """Return the text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def plain_cell(cell: str) -> str:
    """Return the text of a cell, without the apostrophe of `escape_cell`."""
    return cell[1:] if _ESCAPED.match(cell) else cell


@dataclass(frozen=True, slots=True, repr=False)
class _Row:
    number: int
    cells: Sequence[str]
    fault: Record | None = None


class _Lines:
    """The lines of a table, which can be put back."""

    def __init__(self, stream: TextIO) -> None:
        self._coming = numbered_lines(stream)
        self._back: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        return self._back.popleft() if self._back else next(self._coming)

    def put_back(self, lines: Sequence[Line]) -> None:
        """Have these come next."""
        self._back.extendleft(reversed(lines))


class Table:
    """A table: its `header`, and its rows by the names in it."""

    def __init__(self, stream: TextIO) -> None:
        """Read the header. Raises `UnreadableError` when there is none."""
        csv.field_size_limit(10 * MAXIMUM_LENGTH)
        self._lines = _Lines(stream)
        self._separator = self._find_separator()
        row = self._next_row()
        if row is None or row.fault is not None:
            raise UnreadableError("has a header that is no row of a table")
        self.header: Sequence[str] = tuple(cell.strip().strip("\ufeff") for cell in row.cells)

    @property
    def repeated(self) -> frozenset[str]:
        """The names that stand in the header more than once."""
        return frozenset(name for name in self.header if name and self.header.count(name) > 1)

    def _find_separator(self) -> str:
        first = next((line for line in self._lines if line.text.strip()), None)
        if first is None:
            raise UnreadableError("is empty")
        told = _TOLD_SEPARATOR.fullmatch(first.text)
        if told is not None:
            return told[1]
        self._lines.put_back([first])
        # A name such as `Name, first` has a comma with a blank behind it.
        cells = {each: next(csv.reader([first.text], delimiter=each), []) for each in _SEPARATORS}
        return max(_SEPARATORS, key=lambda each: sum(not cell.startswith(" ") for cell in cells[each]))

    def records(self) -> Iterator[Record]:
        """Yield the rows that are not blank, as texts by the header's names; empty cells are left out."""
        while (row := self._next_row()) is not None:
            if row.fault is not None:
                yield row.fault
            elif any(cell.strip() for cell in row.cells):
                yield self._record(row.number, row.cells)

    def _record(self, number: int, cells: Sequence[str]) -> Record:
        if any(cell.strip() for cell in cells[len(self.header) :]):
            return faulty(number, UserErrorCode.INVALID, "This row has more cells than the header.")
        remarks: tuple[FieldError, ...] = ()
        if len(cells) < len(self.header):
            remarks = (FieldError(UserErrorCode.INVALID, (), "This row has fewer cells than the header."),)
        content: dict[str, str] = {}
        for name, cell in zip(self.header, cells, strict=False):
            if name and cell.strip() and name not in content:
                content[name] = plain_cell(cell.strip())
        return Record(number, content, remarks=remarks)

    def _next_row(self) -> _Row | None:
        """Return the next row, or None at the end.

        Of a row whose quotation marks are wrong, only the first line counts; what follows is read anew.
        """
        taken: list[Line] = []
        try:
            cells = next(csv.reader(self._take(taken), delimiter=self._separator, strict=True), None)
        except csv.Error:
            self._lines.put_back(taken[1:])
            message = "The quotation marks in this row are wrong, or the file ends in it."
            return _Row(taken[0].number, (), faulty(taken[0].number, UserErrorCode.INVALID, message))
        if cells is None:
            return None
        number = taken[0].number
        return _Row(number, cells, None if all(line.is_whole for line in taken) else too_long(number))

    def _take(self, taken: list[Line]) -> Iterator[str]:
        size = 0
        while size <= MAXIMUM_LENGTH and (line := next(self._lines, None)) is not None:
            taken.append(line)
            size += len(line.text)
            yield line.text
