"""Looks for due work in the place of all jobs: by one statement, when something is announced or its time has come."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from datetime import datetime

from app.domain.errors import BusyError
from app.domain.tools import LiveTools
from app.services.worker_unit import open_for_worker

# Seconds between two looks while nothing is announced: a word can be lost, and the clock of another process be ahead.
# Shorter where other processes are not heard of at all.
PAUSE, PAUSE_ALONE = 10.0, 2.0
# Seconds between two looks at the clock, which may be moved, as by the sleep of the machine.
TICK = 0.5
# The shortest time between two looks at the database, in seconds, and as a multiple of what the last one has taken.
LEAST_PAUSE, LEAST_REST = 0.1, 10
# Seconds to wait after a failure, and while the database is busy.
PAUSE_AFTER_FAILURE, PAUSE_WHILE_BUSY = 5.0, 1.0

logger = logging.getLogger(__name__)


class Lookout:
    """Rings the bells of the jobs that have something to do."""

    def __init__(self, live: LiveTools, stop: asyncio.Event) -> None:
        self._live = live
        self._stop = stop
        self._woken = asyncio.Event()
        self._bells: defaultdict[str, list[asyncio.Event]] = defaultdict(list)

    def bell(self, what: str) -> asyncio.Event:
        """Return an event that is set whenever this kind of work is due; who does it clears the event before."""
        bell = asyncio.Event()
        self._bells[what].append(bell)
        return bell

    def wake(self) -> None:
        """Look again soon: there may be something to do, or a later moment to know of."""
        self._woken.set()

    async def keep(self) -> None:
        """Look until told to stop."""
        while not self._stop.is_set():
            self._woken.clear()
            loop = asyncio.get_running_loop()
            began = loop.time()
            try:
                next_at = await self._look()
            except BusyError as error:
                logger.warning("The worker waits: %s", error.message)
                await until(self._stop, seconds=PAUSE_WHILE_BUSY)
            except Exception:
                logger.exception("The worker failed; it goes on soon.")
                await until(self._stop, seconds=PAUSE_AFTER_FAILURE)
            else:
                await until(self._stop, seconds=max(LEAST_PAUSE, LEAST_REST * (loop.time() - began)))
                await self._wait(next_at, began)

    async def _look(self) -> datetime | None:
        """Ring for what is due, and return when to look again."""
        async with open_for_worker(self._live.now) as uow:
            agenda = await uow.agenda.look(uow.now)
        for what in agenda.due:
            for bell in self._bells[what]:
                bell.set()
        return agenda.next_at

    async def _wait(self, next_at: datetime | None, looked_at: float) -> None:
        """Wait until something is announced, its time has come, or it is long ago that anybody looked."""
        loop, tools = asyncio.get_running_loop(), self._live.now
        while not self._woken.is_set() and not self._stop.is_set():
            pause = PAUSE if tools.database.hears_others else PAUSE_ALONE
            left = looked_at + pause - loop.time()
            if next_at is not None:
                left = min(left, (next_at - tools.clock.now()).total_seconds())
            if left <= 0:
                return
            await until(self._woken, self._stop, seconds=max(min(left, TICK), 0.01))


async def until(*events: asyncio.Event, seconds: float | None = None) -> None:
    """Wait for the first of these events, and no longer than so many seconds."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
