"""A SQLite file by its pages, in transactions of SQLite: for the process that scrubs it, and no other.

Python's own SQLite does not show pages; the library that does (`sqlean`) must never meet it in one process, for each
would give up the other's locks when it closes the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlean  # type: ignore[import-untyped]

from app.adapters.clock import Stopwatch
from app.adapters.database.sqlite_log import WriteLog
from app.adapters.database.sqlite_pages import NotUnderstoodError, Shape

# What ends without us: SQLITE_BUSY, and SQLITE_PROTOCOL, which is a lock too.
_BUSY = frozenset({5, 15})
# Seconds between two attempts, and for which others may write between two transactions of ours at least.
_ATTEMPT, _REST = 0.001, 0.005
# Seconds in which a transaction writes pages, at first and at most, and those for its COMMIT; takes that longer, the
# next one has fewer pages.
_WRITING, _MOST_WRITING, _COMMITTING = 0.02, 0.06, 0.02
_FEWEST, _MOST = 16, 512
# Pages of a file in which any other page than one of a b-tree could look like one: its first byte is that of a page's
# number. And those of the log that the last checkpoint, for which writers wait, may find.
_MOST_PAGES = 1 << 24
_LAST_FRAMES, _CHECKPOINTS = 200, 10
# Pages of a log that is shortened, and how often that is tried without moving anything while others wait.
_LONG, _ATTEMPTS = 2000, 4
_SETTINGS = ("busy_timeout=0", "synchronous=FULL", "secure_delete=ON", "wal_autocheckpoint=0")


class FileBusyError(Exception):
    """Others have the file locked for too long, or change it too fast."""


class PageFile:
    """One file. Everything is read and written inside one of its transactions."""

    def __init__(self, path: Path, patience: float, pause: Callable[[float], None]) -> None:
        """Open it; `pause` waits for so many seconds. Raises `NotUnderstoodError` for a file of another kind."""
        self.pause = pause
        self._patience = patience
        self._path = path.resolve()
        self._connection = self._connect()
        self._holder, self._spare = self._connect(), self._connect()
        self._seconds, self._most = _WRITING, _FEWEST
        self._written = 0
        self._watch = Stopwatch()
        size, reserved = self._value("PRAGMA page_size"), self._read_header()[20]
        self.shape = Shape(size, size - reserved)
        if self._value("PRAGMA journal_mode") != "wal" or self._value("PRAGMA auto_vacuum"):
            raise NotUnderstoodError("the file is kept in another way")
        self.log = WriteLog(self._path, size)

    def close(self) -> None:
        """Give everything back."""
        for each in (self._spare, self._holder, self._connection):
            each.close()

    def take_alone(self) -> None:
        """Wait until no other process scrubs the file."""
        while not self.log.take_alone():
            self.pause(_ATTEMPT * 50)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read as of one moment."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write, as soon as nobody else does; then let others write."""
        self._begin()
        self._watch, self._written = Stopwatch(), 0
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # a full disk has ended it
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        seconds = self._watch.seconds
        if seconds > self._seconds + _COMMITTING:
            self._most = max(self._most // 2, _FEWEST)
        elif self._written >= self._most:
            self._most = min(self._most * 2, _MOST)
        self.pause(_REST if self._seconds > _WRITING else max(seconds, _REST))

    @property
    def may_go_on(self) -> bool:
        """Whether this transaction may write more."""
        return self._written < self._most and self._watch.seconds < self._seconds

    def hurry(self) -> None:
        """Have longer transactions, and less time between them: others write as fast as we do."""
        self._seconds = min(self._seconds * 1.5, _MOST_WRITING)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keep in the log what is written from now on, and begin to tell of it."""
        self.log.begin()
        _hold(self._holder)
        try:
            yield
        finally:
            for each in (self._holder, self._spare):
                if each.in_transaction:
                    each.execute("ROLLBACK")

    def shorten_log(self, take_in: Callable[[], None]) -> None:
        """If the log has become long, let it begin anew. `take_in` asks it before something can leave it.

        A long one would be moved into the file by whoever writes next, and take long to be emptied.
        """
        if self.log.frames < _LONG:
            return
        for attempt in range(_ATTEMPTS):
            _hold(self._spare)
            take_in()
            self._holder.execute("ROLLBACK")
            self._holder, self._spare = self._spare, self._holder
            moved = self._move_most()
            if self._begin_anew(take_in, moved, is_last=attempt + 1 == _ATTEMPTS):
                return

    def _begin_anew(self, take_in: Callable[[], None], moved: int | None, *, is_last: bool) -> bool:
        """Hold nothing of a log of which all was moved, so that who writes next begins it anew; False if more is there.

        The last time the rest is moved while others wait.
        """
        self._begin()
        try:
            take_in()
            is_moved = moved == self.log.frames
            if is_moved or is_last:
                self._holder.execute("ROLLBACK")
                if not is_moved:
                    self._spare.execute("PRAGMA wal_checkpoint(PASSIVE)")
                _hold(self._holder)
        finally:
            self._connection.execute("ROLLBACK")
        self.pause(_REST)
        return is_moved or is_last

    def find(self, number: int) -> bytes | None:
        """Return a page; None if the file has not as many."""
        row = self._connection.execute("SELECT data FROM sqlite_dbpage WHERE pgno = ?", (number,)).fetchone()
        return row[0] if row is not None else None

    def read(self, number: int) -> bytes:
        """Return a page that there must be."""
        data = self.find(number)
        if data is None:
            raise NotUnderstoodError(f"there is no page {number}")
        return data

    def write(self, number: int, data: bytes) -> None:
        """Change a page that was read in the same transaction."""
        self._connection.execute("UPDATE sqlite_dbpage SET data = ? WHERE pgno = ?", (data, number))
        self._written += 1

    def count(self) -> int:
        """Return how many pages the file has."""
        pages: int = self._value("PRAGMA page_count")
        if pages > _MOST_PAGES:
            raise NotUnderstoodError("the file has too many pages")
        return pages

    def roots(self) -> set[int]:
        """Return the root pages of all tables and indexes."""
        return {1, *(row[0] for row in self._connection.execute("SELECT rootpage FROM sqlite_schema WHERE rootpage"))}

    def empty_log(self) -> None:
        """Move everything from the log into the file. Most of it while others write, who wait only for the rest."""
        watch = Stopwatch()
        while not self._checkpoint():
            if watch.seconds > self._patience:
                raise FileBusyError
            self.pause(_REST)

    def _checkpoint(self) -> bool:
        if self._move_most() is None:
            return False
        is_busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy

    def _move_most(self) -> int | None:
        """Move from the log into the file what can be moved while others write.

        Return how many pages of the log are moved; None if more than a few are left.
        """
        for _ in range(_CHECKPOINTS):
            is_busy, frames, moved = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if not is_busy and frames - moved <= _LAST_FRAMES:
                count: int = moved
                return count
            self.pause(_REST)
        return None

    def _begin(self) -> None:
        watch = Stopwatch()
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlean.OperationalError as error:
                if error.sqlite_errorcode not in _BUSY:
                    raise
                if watch.seconds > self._patience:
                    raise FileBusyError from error
            else:
                return
            self.pause(_ATTEMPT)

    def _connect(self) -> Any:
        connection = sqlean.connect(f"{self._path.as_uri()}?mode=rw", uri=True, isolation_level=None)
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        return connection

    def _read_header(self) -> bytes:
        with self.reading():
            return self.read(1)

    def _value(self, pragma: str) -> Any:
        return self._connection.execute(pragma).fetchone()[0]


def _hold(connection: Any) -> None:
    """Begin to read as of now."""
    connection.execute("BEGIN")
    connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
