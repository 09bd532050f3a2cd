"""The connections of one process to PostgreSQL: one budget for reads, transactions, the worker and `/readyz`.

They are given out in the order of the requests. A connection whose statement has not ended within its limit is cut off
and not waited for: whoever waits for an answer on a dead one waits for ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from app.adapters.database.connecting import Connector
from app.adapters.database.faults import busy
from app.adapters.database.postgresql_faults import LOST
from app.domain.database_limits import DatabaseLimits

# Seconds between two looks for statements whose time is up.
_LOOK = 0.2
# Seconds without use after which a connection is asked whether it is alive, and those that it has to answer.
_UNSURE_AFTER, _ANSWER_WITHIN = 1.0, 1.0
# Seconds without use after which a connection is closed.
_UNUSED = 300.0
# Seconds that closing may take.
_CLOSING = 1.0


# Statements that a connection keeps to be sent with others: those that writers ask for no count of are some dozens.
_MOST_NAMED = 256


class Held:
    """A connection that somebody has taken. `deadline` is when the running statement is cut off (loop time)."""

    __slots__ = ("_named", "answered_at", "deadline", "driver", "is_new", "is_over", "is_warned")

    def __init__(self, driver: asyncpg.Connection) -> None:
        self.driver = driver
        self.is_new = True
        self.is_over = False
        # Whether the server has warned since somebody has set this to False.
        self.is_warned = False
        self.deadline = inf
        self.answered_at = 0.0
        self._named: dict[str, PreparedStatement] = {}
        driver.add_log_listener(self._hear)

    async def name_of(self, sql: str) -> str:
        """Return the name of a statement on the server, where it is prepared if need be."""
        statement = self._named.get(sql)
        if statement is None:
            if len(self._named) >= _MOST_NAMED:
                del self._named[next(iter(self._named))]
            statement = self._named[sql] = await self.driver.prepare(sql)
        return statement.get_name()

    def write(self, messages: bytes) -> None:
        """Send messages in front of the statement that the caller sends next, before it waits for anything."""
        # asyncpg has no public way to the transport.
        self.driver._transport.write(messages)  # type: ignore[attr-defined]  # noqa: SLF001

    def _hear(self, _: object, message: asyncpg.PostgresLogMessage) -> None:
        # It is called before the answer is given to whoever waits for it, as the warning came before.
        self.is_warned |= isinstance(message, asyncpg.PostgresWarning)


class Pool:
    """At most so many connections, all alike."""

    def __init__(self, connector: Connector, limits: DatabaseLimits) -> None:
        self._connector = connector
        self._limits = limits
        self._free = limits.connections
        self._idle: list[Held] = []
        self._held: set[Held] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._watch: asyncio.TimerHandle | None = None

    @property
    def connections_in_use(self) -> int:
        """How many are taken at this moment."""
        return self._limits.connections - self._free

    @property
    def is_full(self) -> bool:
        """Whether the next one would have to wait."""
        return self._free <= 0 or bool(self._waiting)

    async def take(self, *, first: bool = False, anew: bool = False) -> Held:
        """Return a connection, which must be given back. With `first` it is the next one that comes free.

        With `anew` it is opened now, in the place of one that nobody uses.

        Raises `BusyError` when none comes free in time, or what the connector raises when none can be opened.
        """
        if self.is_full:
            await self._wait(first=first)
        else:
            self._free -= 1
        try:
            held = await self._pick(anew=anew)
        except BaseException:
            self._free_one()
            raise
        self._held.add(held)
        return held

    def give_back(self, held: Held, *, broken: bool = False) -> None:
        """Give a connection back, or cut it off if it is broken."""
        self._held.discard(held)
        held.deadline = inf
        if broken or held.driver.is_closed():
            held.driver.terminate()
        else:
            held.is_new = False
            held.answered_at = _now()
            self._idle.append(held)
        self._free_one()

    @contextmanager
    def one_less(self, *, at_least: int) -> Iterator[bool]:
        """Leave one connection of the budget to the caller, who opens it; False where the budget is too small."""
        if self._limits.connections < at_least:
            yield False
            return
        self._free -= 1  # it may be all in use at this moment, and is made up for by the next one given back
        try:
            yield True
        finally:
            self._free_one()

    def start(self, held: Held) -> None:
        """Begin to count the time of a statement."""
        held.deadline = asyncio.get_running_loop().time() + self._limits.seconds

    def drop_idle(self) -> None:
        """Cut off all connections that nobody uses: the server behind them is no longer the right one."""
        while self._idle:
            self._idle.pop().driver.terminate()

    async def close(self) -> None:
        """Close all connections; whoever still waits for an answer gets none."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        for held in list(self._held):
            held.driver.terminate()
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_close(held.driver) for held in idle))

    async def _wait(self, *, first: bool) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if first:
            self._waiting.appendleft(turn)
        else:
            self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._limits.seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._free_one()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise busy(f"All {self._limits.connections} connections to the database are in use.") from None
            raise

    def _free_one(self) -> None:
        """Hand the place of a connection to whoever has waited longest."""
        while self._waiting and self._free >= 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    async def _pick(self, *, anew: bool) -> Held:
        """Return a connection that works: the one that was used last, or else a new one."""
        if anew and self._idle:
            self._idle.pop(0).driver.terminate()
        while self._idle and not anew:
            held = self._idle.pop()
            if held.driver.is_closed():
                continue
            if _now() - held.answered_at < _UNSURE_AFTER or await self._answers(held):
                return held
        held = Held(await self._connector.connect())
        if self._watch is None:
            self._look()
        return held

    async def _answers(self, held: Held) -> bool:
        """Tell whether the connection is alive; if it is not, those that are silent as long are not believed either."""
        held.deadline = _now() + _ANSWER_WITHIN
        self._held.add(held)
        try:
            await held.driver.execute("SELECT 1")
        except (*LOST, asyncpg.PostgresError, OSError):
            held.driver.terminate()
            for other in [each for each in self._idle if each.answered_at < held.deadline - _ANSWER_WITHIN]:
                self._idle.remove(other)
                other.driver.terminate()
            return False
        except BaseException:
            held.driver.terminate()
            raise
        finally:
            held.deadline = inf
            self._held.discard(held)
        return True

    def _look(self) -> None:
        """Cut off each connection whose time is up, and close those that nobody needs."""
        now = _now()
        for held in [each for each in self._held if each.deadline < now]:
            held.is_over = True
            held.driver.terminate()
        while self._idle and self._idle[0].answered_at < now - _UNUSED:
            self._idle.pop(0).driver.terminate()
        self._watch = asyncio.get_running_loop().call_later(_LOOK, self._look)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _close(driver: asyncpg.Connection) -> None:
    try:
        await driver.close(timeout=_CLOSING)
    except (*LOST, OSError, TimeoutError):
        driver.terminate()
