"""Tells the worker of a SQLite file that something was written, without asking the database.

A process hears of its own announcements at once. What other processes write shows in the write-ahead log beside the
file: it is looked at, not opened, because closing a file of SQLite's would give up the locks that it holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.adapters.clock import SystemClock

# Seconds between two looks at the log.
LOOK = 0.5
# Seconds in which a file system may give two changes the same time.
_SAME_TIME = timedelta(seconds=0.1)

_Mark = tuple[int, int] | None


class LogWatch:
    """The write-ahead log of one file, and who wants to know when it changes."""

    def __init__(self, database: Path) -> None:
        self._log = database.with_name(f"{database.name}-wal")
        self._watching: set[Callable[[], None]] = set()

    @property
    def is_running(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watching)

    def announce(self) -> None:
        """Wake those who watch in this process; others see the log."""
        for wake in self._watching:
            wake()

    async def run(self, wake: Callable[[], None], stop: asyncio.Event) -> None:
        """Call `wake` at each announcement, and at most every half second when the log has changed."""
        self._watching.add(wake)
        seen = self._mark()
        is_sure = False
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK)
                    return
                found = self._mark()
                if found != seen or not is_sure:
                    wake()
                seen, is_sure = found, _is_settled(found)
        finally:
            self._watching.discard(wake)

    def _mark(self) -> _Mark:
        """Return what changes with every commit, of any process."""
        try:
            found = self._log.stat()
        except OSError:
            return None  # it is made by the first who connects
        return found.st_mtime_ns, found.st_size


def _is_settled(mark: _Mark) -> bool:
    """Tell whether another change would show: the log begins anew now and then, and has the same size then."""
    return mark is None or abs(SystemClock().now() - datetime.fromtimestamp(mark[0] / 1e9, UTC)) > _SAME_TIME
