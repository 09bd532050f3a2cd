"""Tells the workers of all processes on PostgreSQL that there is something to do: LISTEN and NOTIFY.

A process hears of its own announcements at once, in memory. Other processes are notified in a transaction of its own
after the commit, a few times a second at most: NOTIFY takes a lock that all of the server's databases share until its
transaction is on the disk, and on the standbys too where replication is synchronous. In the transaction that writes it
would make all of them wait for each other. What is lost that way, as with the process itself, is found by looking.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg

from app.adapters.database.connecting import Connector
from app.adapters.database.pool import Pool
from app.adapters.database.postgresql_faults import LOST, describe
from app.domain.errors import BusyError

CHANNEL = "customer_gateway"
_NOTIFY = f"NOTIFY {CHANNEL}"
# The budget of connections below which none is spent on listening.
FEWEST_TO_LISTEN = 5
# Seconds between two notifications of one process.
_PAUSE = 0.25
# Seconds after which the listening connection is asked whether it is alive, and that it has to answer.
_ASK, _ANSWER_WITHIN = 30.0, 5.0
# Seconds between two attempts to listen again, doubled up to a longest pause.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
# Seconds that the last notification may take when the process ends.
_LAST = 1.0

_FAULTS = (asyncpg.PostgresError, *LOST, OSError, TimeoutError)

logger = logging.getLogger(__name__)


class Announcer:
    """What one process announces to the workers, and hears from others."""

    def __init__(self, pool: Pool, connector: Connector) -> None:
        self._pool = pool
        self._connector = connector
        # The server's process that has sent our last notification: by it we know our own.
        self._sender = 0
        self._watching: set[Callable[[], None]] = set()
        self._sending: asyncio.Task[None] | None = None
        self._has_more = False
        self._free_at = 0.0
        self.is_listening = False

    def announce(self) -> None:
        """Wake the workers of all processes: something was committed."""
        self._wake()
        self._has_more = True
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    def _wake(self) -> None:
        for wake in self._watching:
            wake()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        while self._has_more:
            await asyncio.sleep(self._free_at - loop.time())
            self._free_at = loop.time() + _PAUSE
            self._has_more = False
            # One that fails is not repeated: whoever was to hear it looks by itself.
            with suppress(BusyError, *_FAULTS):
                await self._notify()

    async def _notify(self) -> None:
        held = await self._pool.take()
        self._pool.start(held)
        is_broken = True
        try:
            self._sender = held.driver.get_server_pid()
            # It need not outlive a crash of the server, so that nobody waits for the disk.
            await held.driver.execute(f"{self._connector.begin}; SET LOCAL synchronous_commit = off; {_NOTIFY}; COMMIT")
            is_broken = False
        finally:
            self._pool.give_back(held, broken=is_broken)

    async def watch(self, wake: Callable[[], None], stop: asyncio.Event) -> None:
        """Call `wake` at each announcement, and after each time that some may have been missed, until told to stop."""
        self._watching.add(wake)
        listening = asyncio.create_task(self._listen(wake))
        try:
            await stop.wait()
        finally:
            self._watching.discard(wake)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, wake: Callable[[], None]) -> None:
        """Hold a connection of the budget that hears of others, and open it again whenever it is lost."""
        pause = _FIRST_PAUSE
        with self._pool.one_less(at_least=FEWEST_TO_LISTEN) as has_place:
            while has_place:
                try:
                    if not await self._listen_once(wake):
                        return
                    pause = _FIRST_PAUSE
                except _FAULTS as error:
                    if pause == _FIRST_PAUSE:
                        logger.warning("The worker cannot listen, and looks more often: %s", describe(error))
                    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                        self._connector.forget_server()
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _listen_once(self, wake: Callable[[], None]) -> bool:
        """Listen until the connection is lost; False where it would be of no use, behind a pooler."""
        driver = await self._connector.connect()
        try:
            if self._connector.is_pooled:
                return False
            lost = asyncio.Event()
            driver.add_termination_listener(lambda _connection: lost.set())

            def hear(_connection: Any, sender: int, _channel: str, _payload: object) -> None:
                if sender != self._sender:
                    wake()

            async with asyncio.timeout(_ANSWER_WITHIN):
                await driver.add_listener(CHANNEL, hear)
            self.is_listening = True
            wake()
            while not lost.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), _ASK)
                    break
                async with asyncio.timeout(_ANSWER_WITHIN):
                    await driver.execute("SELECT 1")
            return True
        finally:
            self.is_listening = False
            driver.terminate()

    async def close(self) -> None:
        """Let the last notification go."""
        if self._sending is not None and not self._sending.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sending, _LAST)
