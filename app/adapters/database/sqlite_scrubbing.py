"""Removes from a SQLite file what was deleted, while others write: a few pages at a time.

Three kinds of pages can still have it: a free page; the last overflow page of a row, beyond the row's end; and a page
of a b-tree, between its cells. `secure_delete` clears the first two, but not for a program without it, and of the third
kind it leaves what SQLite has moved to another page.

While that goes on others write, and SQLite may move what lies on one page to another. It does so only between pages
that one transaction writes. So when a transaction has written a page that is not clean yet, all of its pages are
suspect; and it is over when nothing is suspect in a moment in which nobody else can write.

No page is taken for what it was before. In the transaction that changes it a free page is found in the list of free
ones, a page of a b-tree under its root, and an overflow page behind its row.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from app.adapters.database.sqlite_page_file import FileBusyError, PageFile
from app.adapters.database.sqlite_pages import (
    BtreePage,
    Chain,
    NotUnderstoodError,
    Span,
    blank,
    end_of_list,
    free_list_of,
    is_blank,
    is_btree,
    listed_in,
    next_page,
)

_MOST_WALKS = 5
# Pages that are looked at before somebody else may have the processor, and whether we are still wanted is asked.
_AT_ONCE = 256
_DEEPEST = 64


class _StaleError(Exception):
    """A page is no longer where it was, and nobody has written where it is now: then look at everything again."""


class Scrubber:
    """Scrubs one file."""

    def __init__(self, file: PageFile) -> None:
        self._file = file
        self._shape = file.shape
        self._looked = 0
        # The page above each page, by its number; 0 where there is none. Only ever a hint.
        self._parents = array("I")
        # Pages of b-trees that may hold what was deleted, the last one first, so that neighbours come together.
        self._suspect: dict[int, None] = {}
        # Pages that others have written, and that may be above other pages now.
        self._changed: set[int] = set()
        # Pages that were found below others and not looked at yet, and whether some may not even be found.
        self._waiting: list[int] = []
        self._is_walking = True
        # Of this transaction.
        self._children: dict[int, frozenset[int]] = {}
        self._roots: set[int] = set()

    def run(self) -> None:
        """Leave nothing of what had been deleted before, in the file or its log.

        Raises `FileBusyError` when that cannot be done now, and `NotUnderstoodError` when it cannot be done at all.
        What was done until then stays done.
        """
        self._file.take_alone()
        for _ in range(_MOST_WALKS):
            try:
                self._scrub_free_pages()
                with self._file.holding():
                    self._scrub_trees()
            except _StaleError:
                continue
            self._file.empty_log()
            return
        raise FileBusyError

    def _scrub_free_pages(self) -> None:
        # What is freed later is cleared by who frees it.
        clean: set[int] = set()
        while True:
            with self._file.reading():
                waiting = [page for page, hole in self._free_pages() if page not in clean and self._is_full(page, hole)]
            if not waiting:
                return
            while waiting:
                with self._file.writing():
                    free = dict(self._free_pages())
                    while waiting and self._file.may_go_on:
                        page = waiting.pop()
                        if page in free:
                            self._file.write(page, blank(self._file.read(page), [free[page]]))
                            clean.add(page)

    def _free_pages(self) -> Iterator[tuple[int, Span]]:
        """Yield each page that is free now, and which part of it holds nothing."""
        at, left = free_list_of(self._file.read(1))
        while at:
            data = self._file.read(at)
            listed = listed_in(self._shape, data)
            left -= 1 + len(listed)
            if left < 0:
                raise NotUnderstoodError("the list of free pages is too long")
            yield at, (end_of_list(len(listed)), self._shape.usable)
            for page in listed:
                yield page, (0, self._shape.usable)
            at = next_page(data)
        if left:
            raise NotUnderstoodError("the list of free pages is too short")

    def _is_full(self, page: int, hole: Span) -> bool:
        self._rest()
        return not is_blank(self._file.read(page), *hole)

    def _scrub_trees(self) -> None:
        self._suspect, self._changed, self._is_walking = {}, set(), True
        with self._file.reading():
            self._parents = array("I", bytes(4 * (self._file.count() + 1)))
            self._waiting = list(self._file.roots())
        while self._is_walking or self._suspect:
            self._take_in()
            self._file.shorten_log(self._take_in)
            with self._file.reading():
                while self._changed:
                    self._learn()
                self._walk()
            if not (self._is_walking and self._waiting):
                self._scrub_some()

    def _walk(self) -> None:
        """Look at some more pages of b-trees."""
        for _ in range(min(len(self._waiting), _AT_ONCE * 8)):
            self._rest()
            number = self._waiting.pop()
            page = self._find(number)
            if page is not None:
                self._adopt(number, page)
                if self._is_dirty(page):
                    self._suspect[number] = None

    def _take_in(self) -> None:
        """Suspect what others may have moved something to. Until all is known, that is whatever they have written."""
        for pages in self._file.log.written():
            self._changed |= pages
            if self._is_walking or not self._suspect.keys().isdisjoint(pages):
                self._suspect.update(dict.fromkeys(pages))

    def _learn(self) -> None:
        """Note what is below one of the pages that have changed."""
        self._rest()
        number = self._changed.pop()
        page = self._find(number)
        if page is not None:
            self._adopt(number, page)

    def _scrub_some(self) -> None:
        """Scrub as many pages as one transaction may."""
        before = len(self._suspect)
        with self._file.writing():
            self._children, self._roots = {}, self._file.roots()
            self._take_in()
            while self._changed and self._file.may_go_on:
                self._learn()
            # Nobody else can write now: each page that there is has been found, unless one is waiting.
            self._is_walking = self._is_walking and bool(self._waiting or self._changed)
            while self._suspect and self._file.may_go_on:
                self._scrub(self._suspect.popitem()[0])
        if len(self._suspect) >= before > 0:
            self._file.hurry()

    def _adopt(self, number: int, page: BtreePage) -> None:
        for child in page.children():
            if child >= len(self._parents):
                self._parents.extend([0] * (child + 1 - len(self._parents)))
            if not self._parents[child]:
                self._waiting.append(child)
            self._parents[child] = number

    def _scrub(self, number: int) -> None:
        page = self._find(number)
        if page is None or not self._is_dirty(page):
            return
        while not self._is_in_tree(number):
            if not self._changed:
                raise _StaleError
            if not self._file.may_go_on:
                self._suspect[number] = None
                return
            self._learn()
        page.check()
        if page.has_residue():
            self._file.write(number, blank(self._file.read(number), page.holes()))
        for chain in page.chains():
            last, data, hole = self._end_of(chain)
            if not is_blank(data, *hole):
                self._file.write(last, blank(data, [hole]))

    def _find(self, number: int) -> BtreePage | None:
        data = self._file.find(number)
        return BtreePage(self._shape, number, data) if data is not None and is_btree(number, data) else None

    def _is_in_tree(self, number: int) -> bool:
        """Tell whether the page is below a root now."""
        for _ in range(_DEEPEST):
            if number in self._roots:
                return True
            parent = self._parents[number] if number < len(self._parents) else 0
            if not parent or number not in self._children_of(parent):
                return False
            number = parent
        return False

    def _children_of(self, number: int) -> frozenset[int]:
        if number not in self._children:
            page = self._find(number)
            self._children[number] = frozenset(page.children() if page is not None else ())
        return self._children[number]

    def _is_dirty(self, page: BtreePage) -> bool:
        if page.has_residue():
            return True
        ends = (self._end_of(chain) for chain in page.chains())
        return any(not is_blank(data, *hole) for _, data, hole in ends)

    def _end_of(self, chain: Chain) -> tuple[int, bytes, Span]:
        """Return the last overflow page of a row, and which part of it holds nothing."""
        pages, end = self._shape.chain_of(chain.size)
        number = chain.first
        data = self._file.read(number)
        for _ in range(pages - 1):
            number = next_page(data)
            data = self._file.read(number)
        if next_page(data):
            raise NotUnderstoodError(f"page {number} is not the last one of its row")
        return number, data, (end, self._shape.usable)

    def _rest(self) -> None:
        self._looked += 1
        if self._looked % _AT_ONCE == 0:
            self._file.pause(0)
