"""Reads at a standby of PostgreSQL (DATABASE_READ_URL): what they find is as new as at the primary when they began.

The primary says how far it has written, and the standby waits a moment until it has come as far. So who has changed
something finds it, whichever process did it and however slow the standby is. Where the standby is away or far behind,
the primary is read, and the standby is left alone for a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import asyncpg
from sqlalchemy import Executable, String, text

from app.adapters.database.connecting import Connector
from app.adapters.database.faults import busy
from app.adapters.database.pool import Held, Pool
from app.adapters.database.postgresql_faults import LOST, describe, is_fatal
from app.adapters.database.prepared import Prepared, PreparedStatements
from app.domain.database_limits import DatabaseLimits
from app.domain.database_url import ServerUrl
from app.domain.ports import Connection
from app.domain.rows import Reading, RowT, Writing

# Seconds that a read waits for a connection to the standby, and for its word how far it is.
_CONNECT_WITHIN, _ANSWER_WITHIN = 2.0, 1.0
# Seconds that a read waits until the standby has caught up, and between two questions.
_CATCH_UP_WITHIN, _CATCH_UP_PAUSE = 0.25, 0.01
# Seconds for which the standby is left alone while it is behind; and while it is away, doubled up to a longest pause.
_PAUSE_BEHIND = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0

_STATE = "SELECT pg_is_in_recovery(), coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn, false)"
_FAULTS = (asyncpg.PostgresError, *LOST, OSError, TimeoutError, AttributeError)

logger = logging.getLogger(__name__)


class ElsewhereError(Exception):
    """The standby cannot be read now: read the primary."""


class Replica:
    """One standby, or several behind one URL, with a pool of connections of its own."""

    def __init__(self, url: ServerUrl, limits: DatabaseLimits) -> None:
        self.connector = Connector(url, limits)
        self._pool = Pool(self.connector, limits)
        self._closed_until = 0.0
        self._pause = _FIRST_PAUSE
        self._fault: str | None = None

    @property
    def connections_in_use(self) -> int:
        """How many connections to the standby are in use now."""
        return self._pool.connections_in_use

    @property
    def is_open(self) -> bool:
        """Whether it may be tried now."""
        return asyncio.get_running_loop().time() >= self._closed_until

    @property
    def fault(self) -> str | None:
        """Why it was not read the last time; None where it was, or nobody has tried yet."""
        return self._fault

    async def fetch(self, sql: str, arguments: Sequence[Any], position: str) -> Sequence[Any]:
        """Return the rows as they are after this position of the primary's log.

        Raises `ElsewhereError` where the primary is to be asked, and `BusyError` when the statement's time is up.
        """
        held = await self._take()
        is_of_use = False
        try:
            await self._begin(held, position)
            rows = await self._fetch(held, sql, arguments)
            is_of_use = True
        except ElsewhereError:
            # Alone each statement is a transaction that has ended; a pooler's would still be open.
            is_of_use = self.connector.is_pooled is False
            raise
        finally:
            self._pool.give_back(held, broken=not is_of_use)
        if self._fault is not None:
            self._fault, self._pause = None, _FIRST_PAUSE
            logger.info("DATABASE_READ_URL is read again.")
        return rows

    async def _take(self) -> Held:
        if self._pool.is_full:
            raise ElsewhereError  # the primary is there already, and nothing is wrong with the standby
        try:
            async with asyncio.timeout(_CONNECT_WITHIN):
                return await self._pool.take()
        except _FAULTS as error:
            raise self._close(describe(error)) from error

    async def _begin(self, held: Held, position: str) -> None:
        """Wait until the standby is there, so that everything from now on sees it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _CATCH_UP_WITHIN
        try:
            held.deadline = loop.time() + _ANSWER_WITHIN
            if self.connector.is_pooled:
                await held.driver.execute(self.connector.begin)
            is_standby, is_there = await _ask(held, position)
            while is_standby and not is_there and loop.time() < until:
                await asyncio.sleep(_CATCH_UP_PAUSE)
                is_standby, is_there = await _ask(held, position)
        except _FAULTS as error:
            held.driver.terminate()
            raise self._close(describe(error)) from error
        finally:
            held.deadline = inf
        if not is_standby:
            raise self._close("it is no standby")
        if not is_there:
            raise self._close("it is behind the primary", _PAUSE_BEHIND)

    async def _fetch(self, held: Held, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
        self._pool.start(held)
        try:
            rows: Sequence[Any] = await held.driver.fetch(sql, *arguments)
            if self.connector.is_pooled:
                await held.driver.execute("COMMIT")
        except _FAULTS as error:
            if held.is_over or isinstance(error, asyncpg.QueryCanceledError):
                raise busy() from error  # its time was up, and the primary would be as long
            if not isinstance(error, asyncpg.PostgresError) or is_fatal(error):
                held.driver.terminate()
                raise self._close(describe(error)) from error
            # What it has ended for its own recovery, the primary does; or says what is wrong.
            raise ElsewhereError from error
        return rows

    def _close(self, fault: str, pause: float | None = None) -> ElsewhereError:
        """Leave the standby alone for a while; the first time, and for another fault, a line says so."""
        if fault != self._fault:
            logger.warning("DATABASE_READ_URL is not read, but DATABASE_URL: %s", fault)
        self._fault = fault
        self._closed_until = asyncio.get_running_loop().time() + (pause or self._pause)
        if pause is None:
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return ElsewhereError(fault)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()


async def _ask(held: Held, position: str) -> tuple[bool, bool]:
    """Return whether the server is a standby, and whether it has come as far as this."""
    ((is_standby, is_there),) = await held.driver.fetch(_STATE, position)
    return is_standby, is_there


class ReadingConnection:
    """A connection whose reads are made at a standby where that is as well; once it has written, at the primary.

    Its first read asks the primary how far it is, and all of them see at least that.
    """

    def __init__(self, primary: Connection, replica: Replica, prepared: PreparedStatements) -> None:
        self._primary = primary
        self._replica = replica
        self._prepared = prepared
        self._position: str | None = None

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        return self._primary.begun

    async def begin(self) -> None:
        """Open the transaction, at the primary."""
        await self._primary.begin()

    def announce(self) -> None:
        """Wake the workers as soon as the transaction is committed."""
        self._primary.announce()

    async def commit(self) -> None:
        """Commit what was written. What is read then sees it."""
        self._position = None
        await self._primary.commit()

    async def rollback(self) -> None:
        """Roll back what was written."""
        await self._primary.rollback()

    async def read(self, reading: Reading[RowT], parameters: Mapping[str, Any]) -> Sequence[RowT]:
        """Read at the standby, or at the primary."""
        prepared = self._prepared.get(reading.statement)
        try:
            return await self._read(prepared, parameters)
        except ElsewhereError:
            return await self._primary.read(reading, parameters)

    async def read_anew(self, reading: Reading[RowT]) -> Sequence[RowT]:
        """Like `read`, at several times the cost."""
        prepared = self._prepared.make(reading.statement)
        try:
            return await self._read(prepared, {})
        except ElsewhereError:
            return await self._primary.read_anew(reading)

    async def _read(self, prepared: Prepared, parameters: Mapping[str, Any]) -> list[Any]:
        if prepared.writes or self._primary.begun or not self._replica.is_open:
            raise ElsewhereError
        if self._position is None:
            self._position = await position_of(self._primary)
        return prepared.read(await self._replica.fetch(prepared.sql, prepared.arguments(parameters), self._position))

    async def write(self, statement: Writing, parameters: Mapping[str, Any]) -> int:
        """Write, at the primary."""
        return await self._primary.write(statement, parameters)

    async def write_soon(self, statement: Writing, parameters: Mapping[str, Any]) -> None:
        """Write, at the primary."""
        await self._primary.write_soon(statement, parameters)

    async def write_anew(self, statement: Executable) -> int:
        """Write, at the primary."""
        return await self._primary.write_anew(statement)

    async def close(self) -> None:
        """Give the connection back. What is not committed is rolled back."""
        await self._primary.close()


class _Position:
    position: str


# What is acknowledged is flushed, unless the server acknowledges before it flushes.
_POSITION = Reading(
    _Position,
    text(
        "SELECT (CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()"
        " ELSE pg_current_wal_flush_lsn() END)::text AS position"
    ).columns(position=String),
)


async def position_of(primary: Connection) -> str:
    """Return up to where the primary's log has everything that was acknowledged."""
    (row,) = await primary.read(_POSITION, {})
    return row.position
