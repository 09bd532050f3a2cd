"""How many rows the purge deletes at once: as many as take a moment, so that no other writer waits much longer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from app.models.base import TenantRow

FIRST = 100
LEAST = 50
MOST = 2_000
# Seconds that a batch should take at most. SQLite has one writer at a time, and others wait for it.
_MOMENT = 0.05


class Pace:
    """Learns for each table how much it can take: a disk, a server and a table of many indexes differ."""

    def __init__(self) -> None:
        self._rows: dict[type[TenantRow], int] = {}

    def rows_of(self, model: type[TenantRow]) -> int:
        """Return how many rows of a table to delete in the next transaction."""
        return self._rows.get(model, FIRST)

    @contextmanager
    def timing(self, model: type[TenantRow], rows: int) -> Iterator[None]:
        """Learn from the time that the deletion of so many rows takes."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        yield
        self.learn(model, rows, loop.time() - began)

    def learn(self, model: type[TenantRow], rows: int, seconds: float) -> None:
        """Take twice as many rows where a full batch took less than half a moment, and half as many beyond one."""
        now = self.rows_of(model)
        if seconds > _MOMENT:
            self._rows[model] = max(LEAST, now // 2)
        elif rows >= now and seconds < _MOMENT / 2:
            self._rows[model] = min(MOST, now * 2)
