"""Which pages of a SQLite file have been written, by anybody: read from the write-ahead log and its index.

By https://www.sqlite.org/walformat.html. Whoever calls has a read transaction open that began before the end of what
was read last: while that is open, nothing that was written later leaves the log.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
from collections.abc import Iterator
from pathlib import Path

# The index begins with two copies of its header. In each are the number of frames, and the salts, which change when the
# log begins anew.
_HEADER = 48
_FRAMES = struct.Struct("=I")
_FRAMES_AT, _SALTS = 16, slice(32, 40)
# Before each page in the log stand its number, what is not 0 at the end of a transaction, and more; before the first
# page a header.
_PAGE = struct.Struct(">II")
_LOG_HEADER, _FRAME_HEADER = 32, 24
# Seconds between two attempts to read the index, which somebody writes, and how many there are.
_PAUSE, _MOST_READS = 0.001, 5000


class WriteLog:
    """The log of one file, which is open. Its files stay open too: closing the index would give up SQLite's locks."""

    def __init__(self, database: Path, page_size: int) -> None:
        self._frame = _FRAME_HEADER + page_size
        self._log = os.open(f"{database}-wal", os.O_RDONLY)
        self._index = os.open(f"{database}-shm", os.O_RDONLY)
        self._frames, self._salts = 0, b""

    def take_alone(self) -> bool:
        """Tell whether no other process has taken the log; it is ours until this process ends.

        SQLite itself does not lock this file, and none of its locks is touched.
        """
        try:
            fcntl.flock(self._log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def begin(self) -> None:
        """Tell from now on what is written."""
        self._frames, self._salts = self._read_index()

    @property
    def frames(self) -> int:
        """How many pages are in it, as far as it was read."""
        return self._frames

    def written(self) -> Iterator[set[int]]:
        """Yield the pages of each transaction that was committed since this was asked last, in their order.

        All of them for who holds the write lock; for anybody else the last ones may be missing, until next time.
        """
        frames, salts = self._read_index()
        if salts != self._salts:
            # It has begun anew, which it does only when everything in it had been there before our read transaction.
            self._frames, self._salts = 0, salts
        pages: set[int] = set()
        for frame in range(self._frames, frames):
            page, ends = _PAGE.unpack(os.pread(self._log, _PAGE.size, _LOG_HEADER + frame * self._frame))
            pages.add(page)
            if ends:
                yield pages
                pages = set()
        self._frames = frames
        if pages:
            yield pages

    def _read_index(self) -> tuple[int, bytes]:
        for _ in range(_MOST_READS):
            both = os.pread(self._index, 2 * _HEADER, 0)
            first, second = both[:_HEADER], both[_HEADER:]
            if first == second and len(first) == _HEADER:
                return _FRAMES.unpack_from(first, _FRAMES_AT)[0], first[_SALTS]
            select.select([], [], [], _PAUSE)
        raise OSError("The index of the write-ahead log cannot be read.")
