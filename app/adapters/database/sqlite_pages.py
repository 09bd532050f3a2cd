"""The pages of a SQLite file: which bytes of one hold nothing, and so may hold something that was deleted.

By https://www.sqlite.org/fileformat2.html. Nothing is guessed: each byte of a page must be accounted for, or nothing of
the page is changed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

# Kinds of b-tree pages, by their first byte.
_INDEX_INNER, _TABLE_INNER, _INDEX_LEAF, _TABLE_LEAF = 2, 5, 10, 13
_KINDS = frozenset({_INDEX_INNER, _TABLE_INNER, _INDEX_LEAF, _TABLE_LEAF})
_INNER = frozenset({_INDEX_INNER, _TABLE_INNER})
# Page 1 begins with the header of the file.
_FILE_HEADER = 100
# Kind, first freeblock, cells, start of their content, bytes of fragments.
_PAGE_HEADER = struct.Struct(">BHHHB")
_PAIR = struct.Struct(">HH")
_NUMBER = struct.Struct(">I")
_NUMBERS = struct.Struct(">II")
_SMALLEST_CELL = 4
_ZEROS = bytes(65536)

Span = tuple[int, int]


class NotUnderstoodError(Exception):
    """The page is not as the format wants it, so nobody may change it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Bytes of each page, and how many of them SQLite uses."""

    page: int
    usable: int

    @property
    def least_local(self) -> int:
        """Bytes that a cell with overflow pages keeps at least."""
        return (self.usable - 12) * 32 // 255 - 23

    def most_local(self, kind: int) -> int:
        """Bytes of a row or key that need no overflow page."""
        return self.usable - 35 if kind == _TABLE_LEAF else (self.usable - 12) * 64 // 255 - 23

    def chain_of(self, size: int) -> tuple[int, int]:
        """Return how many overflow pages so many bytes take, and where on the last of them they end."""
        each = self.usable - _NUMBER.size
        pages = -(-size // each)
        return pages, _NUMBER.size + size - (pages - 1) * each


@dataclass(frozen=True, slots=True)
class Chain:
    """Overflow pages of a cell: the first one, and the bytes in all of them."""

    first: int
    size: int


def is_btree(number: int, data: bytes) -> bool:
    """Tell whether it may be a page of a b-tree; what is none can look like one only in a file of 2²⁵ pages or more."""
    return data[_header_of(number)] in _KINDS


def is_blank(data: bytes, start: int, end: int) -> bool:
    """Tell whether there are only zeros."""
    return data[start:end] == _ZEROS[: end - start]


def blank(data: bytes, holes: Iterable[Span]) -> bytes:
    """Return the page with zeros there."""
    clean = bytearray(data)
    for start, end in holes:
        clean[start:end] = bytes(end - start)
    return bytes(clean)


def next_page(data: bytes) -> int:
    """Return the number of the overflow page, or page of free pages, that follows; 0 after the last."""
    return _number(data, 0)


def free_list_of(data: bytes) -> tuple[int, int]:
    """Read from page 1 the first page that lists free ones, and how many free pages there are in all."""
    return _number(data, 32), _number(data, 36)


def listed_in(shape: Shape, data: bytes) -> tuple[int, ...]:
    """Return the free pages that a page of such lists."""
    count = _number(data, 4)
    if count > shape.usable // _NUMBER.size - 2:
        raise NotUnderstoodError("a list of free pages is longer than its page")
    return struct.unpack_from(f">{count}I", data, _NUMBERS.size)


def end_of_list(listed: int) -> int:
    """Return where a page that lists so many free ones holds nothing more."""
    return _NUMBERS.size + listed * _NUMBER.size


class BtreePage:
    """One page of a table or an index."""

    def __init__(self, shape: Shape, number: int, data: bytes) -> None:
        header = _header_of(number)
        self._shape, self._data = shape, data
        self._kind, self._first_free, count, start, self._fragments = _PAGE_HEADER.unpack_from(data, header)
        if self._kind not in _KINDS:
            raise NotUnderstoodError(f"page {number} belongs to no b-tree")
        array = header + (12 if self.is_inner else 8)
        self._right = header + 8
        self._gap = (array + 2 * count, start or 65536)
        if not self._gap[0] <= self._gap[1] <= shape.usable:
            raise NotUnderstoodError(f"page {number} has no room for its cells")
        self._cells: tuple[int, ...] = struct.unpack_from(f">{count}H", data, array)
        self._number = number

    @property
    def is_inner(self) -> bool:
        """Whether it has children."""
        return self._kind in _INNER

    def children(self) -> list[int]:
        """Return the pages one level below."""
        if not self.is_inner:
            return []
        return [*(_number(self._data, self._placed(cell)) for cell in self._cells), _number(self._data, self._right)]

    def has_residue(self) -> bool:
        """Tell whether anything stands where nothing is."""
        return any(not is_blank(self._data, start, end) for start, end in self.holes())

    def holes(self) -> Iterator[Span]:
        """Yield what holds nothing: the gap before the cells, the bodies of freeblocks, the fragments."""
        yield self._gap
        freeblocks = self._freeblocks()
        for start, end in freeblocks:
            yield start + 4, end
        if self._fragments:
            yield from self._lost(freeblocks)

    def check(self) -> None:
        """Raise `NotUnderstoodError` unless each byte belongs to a cell or to what is free, and is counted so."""
        if sum(end - start for start, end in self._lost(self._freeblocks())) != self._fragments:
            raise NotUnderstoodError(f"page {self._number} has lost bytes")

    def chains(self) -> Iterator[Chain]:
        """Yield the overflow pages of its cells."""
        # Only a cell with much room can have any.
        least = self._shape.least_local + _NUMBER.size
        if self._kind == _TABLE_INNER or self._shape.usable - self._gap[1] < least:
            return
        for start, after in pairwise([*sorted(self._cells), self._shape.usable]):
            if after - start >= least:
                chain = self._read_cell(start)[1]
                if chain is not None:
                    yield chain

    def _freeblocks(self) -> list[Span]:
        found: list[Span] = []
        at, least = self._first_free, self._gap[1]
        while at:
            if not least <= at <= self._shape.usable - 4:
                raise NotUnderstoodError(f"page {self._number} has freeblocks in no order")
            after, size = _PAIR.unpack_from(self._data, at)
            if size < 4 or at + size > self._shape.usable:
                raise NotUnderstoodError(f"page {self._number} has a freeblock of a wrong size")
            found.append((at, at + size))
            at, least = after, at + size
        return found

    def _lost(self, freeblocks: list[Span]) -> Iterator[Span]:
        """Yield what lies between cells and freeblocks."""
        position = self._gap[1]
        taken = [*freeblocks, *((cell, cell + self._read_cell(cell)[0]) for cell in self._cells)]
        for start, end in sorted(taken):
            if start < position:
                raise NotUnderstoodError(f"page {self._number} has cells that overlap")
            if start > position:
                yield position, start
            position = end
        if position > self._shape.usable:
            raise NotUnderstoodError(f"page {self._number} has a cell beyond its end")
        if position < self._shape.usable:
            yield position, self._shape.usable

    def _read_cell(self, cell: int) -> tuple[int, Chain | None]:
        """Return how many bytes of the page a cell has, and its overflow pages."""
        at = self._placed(cell) + (4 if self.is_inner else 0)
        payload, at = self._varint(at)
        if self._kind == _TABLE_INNER:  # it has a row's number only
            return max(at - cell, _SMALLEST_CELL), None
        if self._kind == _TABLE_LEAF:
            at = self._varint(at)[1]
        most = self._shape.most_local(self._kind)
        if payload <= most:
            return max(at + payload - cell, _SMALLEST_CELL), None
        least = self._shape.least_local
        local = least + (payload - least) % (self._shape.usable - 4)
        local = local if local <= most else least
        if at + local + _NUMBER.size > self._shape.usable:
            raise NotUnderstoodError(f"page {self._number} has a cell beyond its end")
        return at + local + _NUMBER.size - cell, Chain(_number(self._data, at + local), payload - local)

    def _placed(self, cell: int) -> int:
        if not self._gap[1] <= cell <= self._shape.usable - _SMALLEST_CELL:
            raise NotUnderstoodError(f"page {self._number} has a cell outside of its content")
        return cell

    def _varint(self, at: int) -> tuple[int, int]:
        """Read a number of one to nine bytes; return it, and where it ends."""
        value = 0
        for place in range(at, at + 8):
            byte = self._byte(place)
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, place + 1
        return value << 8 | self._byte(at + 8), at + 9

    def _byte(self, at: int) -> int:
        if at >= self._shape.usable:
            raise NotUnderstoodError(f"page {self._number} has a cell beyond its end")
        return self._data[at]


def _header_of(number: int) -> int:
    return _FILE_HEADER if number == 1 else 0


def _number(data: bytes, at: int) -> int:
    value: int = _NUMBER.unpack_from(data, at)[0]
    return value
