"""The end of a process: 20 seconds after SIGTERM or SIGINT it is over, whatever hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Collection
from types import FrameType
from typing import Any

# Seconds after the signal: how long requests have, how long the worker has, how long all has. What is left of the
# outbox's work is done again by another process.
REQUESTS, WORKER, ALL = 16, 18.0, 19.5
# Seconds for connections to be closed, and for what was cancelled to notice it.
_CLOSING = 1.0
_NOTICING = 0.25


class Ending:
    """When the process was told to end, if it was."""

    def __init__(self) -> None:
        self._told_at: float | None = None

    def watch(self) -> None:
        """Count from the next SIGTERM or SIGINT on; whoever handles them now still does. For the main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._after(signal.getsignal(number)))

    def _after(self, handler: Any) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            self.begin()
            if callable(handler):
                handler(number, frame)

        return handle

    def begin(self) -> None:
        """Count from now on, and end the process by force when its time is up. For the thread of the event loop."""
        if self._told_at is None:
            self._told_at = asyncio.get_running_loop().time()
            last_resort = threading.Timer(ALL, _end_by_force)
            last_resort.daemon = True
            last_resort.start()

    async def finish(self, tasks: Collection[asyncio.Task[None]], close: Callable[[], Awaitable[None]]) -> None:
        """Wait for the tasks, which were told to stop, and close the rest; both only as long as there is time."""
        if tasks:
            done, late = await asyncio.wait(tasks, timeout=self._left())
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_NOTICING)
            for task in done:
                task.result()
        try:
            async with asyncio.timeout(None if self._told_at is None else _CLOSING):
                await close()
        except TimeoutError:
            sys.stderr.write("Something could not be closed in time.\n")

    def _left(self) -> float:
        if self._told_at is None:
            return WORKER
        return max(0.0, self._told_at + WORKER - asyncio.get_running_loop().time())


def _end_by_force() -> None:
    os._exit(1)


# A process ends once.
ENDING = Ending()
