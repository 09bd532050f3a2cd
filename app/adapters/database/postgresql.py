"""PostgreSQL behind the `Database` port: SQLAlchemy's asynchronous engine, and asyncpg itself for what is prepared.

Transactions are begun and ended by our own BEGIN, COMMIT and ROLLBACK, so that statements of both kinds share one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import asyncpg
import orjson
from sqlalchemy import CursorResult, Executable, QueuePool, Row, make_url, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.adapters.database.prepared import Prepared, PreparedStatements, broken
from app.adapters.database.schema_version import VERSION, VERSION_STATEMENT, VERSION_TABLE, newest_migration
from app.domain.rows import Reading, RowT, Statement, Writing

# Connections that one process keeps, and opens on top when all are busy; PostgreSQL allows 100 in all by default.
POOL_SIZE = 10
POOL_OVERFLOW = 10

_HAS_VERSION = text(f"SELECT to_regclass('{VERSION_TABLE}') IS NOT NULL")

# The errors of a connection that the server has closed, perhaps while it was in the pool. The last one comes if the
# server closes it at the moment when a statement begins.
_LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError, asyncpg.InternalClientError)


class PostgresqlDatabase:
    """One PostgreSQL database with two pools of connections: for statements of all kinds, and for prepared reads."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            isolation_level="AUTOCOMMIT",
            json_deserializer=orjson.loads,
            hide_parameters=True,
        )
        self._connections = Connections(self._engine)
        self._prepared = PreparedStatements(self._engine.dialect)
        self._reads = PreparedReads(url)

    def connect(self) -> PostgresqlConnection:
        """Return a connection of the port. It borrows one from a pool only for a statement or a transaction."""
        return PostgresqlConnection(self._connections, self._prepared, self._reads)

    async def forget(self) -> None:
        """Do nothing: deleted rows are in no dump, and the server's own vacuum removes them from its files."""

    @property
    def connections_in_use(self) -> int:
        """How many connections of both pools are in use now."""
        pool = cast("QueuePool", self._engine.pool)
        return pool.checkedout() + self._reads.connections_in_use

    async def find_migration(self) -> str | None:
        """Return the migration that the database is at, or None where it has no tables of ours.

        Raises `OSError` for a server that does not answer, or does not let us in.
        """
        try:
            async with self._engine.connect() as connection:
                if not await connection.scalar(_HAS_VERSION):
                    return None
                migration: str | None = await connection.scalar(VERSION_STATEMENT)
                return migration
        except (SQLAlchemyError, asyncpg.PostgresError) as error:
            raise OSError(str(error.__cause__ or error)) from error

    async def is_ready(self) -> bool:
        """Tell whether the server answers and the database is at the newest migration."""
        try:
            rows = await self.connect().read_anew(VERSION)
        except (SQLAlchemyError, OSError):
            return False
        return [row.version_num for row in rows] == [newest_migration()]

    async def close(self) -> None:
        """Close every connection of both pools."""
        await self._reads.close()
        await self._engine.dispose()


class Connections:
    """The connections of the engine's pool, given out in the order of the requests.

    The pool itself gives a free connection to a newcomer before those who have waited: of many at once, some would wait
    four times as long as others.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turns = asyncio.Semaphore(POOL_SIZE + POOL_OVERFLOW)

    async def take(self) -> AsyncConnection:
        """Return a connection, which must be given back."""
        await self._turns.acquire()
        try:
            return await self._engine.connect()
        except BaseException:
            self._turns.release()
            raise

    async def give_back(self, connection: AsyncConnection, *, broken: bool = False) -> None:
        """Give the connection back, or a new one in its place if it is broken."""
        try:
            if broken:
                await connection.invalidate()
            await connection.close()
        finally:
            self._turns.release()


class PreparedReads:
    """Prepared reads outside of transactions, directly on asyncpg, without SQLAlchemy."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()
        # In order, as in `Connections`, because asyncpg's pool is not fair either.
        self._turns = asyncio.Semaphore(POOL_SIZE)

    async def fetch(self, prepared: Prepared, parameters: Mapping[str, Any]) -> list[Any]:
        """Return all rows of a constant."""
        arguments = prepared.arguments(parameters)
        pool = self._pool or await self._open()
        async with self._turns:
            return prepared.read(await _fetch_from(pool, prepared.sql, arguments))

    @property
    def connections_in_use(self) -> int:
        """How many connections are busy at this moment."""
        return self._pool.get_size() - self._pool.get_idle_size() if self._pool is not None else 0

    async def _open(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=1, max_size=POOL_SIZE, init=_read_json, reset=_nothing_to_reset
                )
        return self._pool

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.close()


async def _fetch_from(pool: asyncpg.Pool, sql: str, arguments: Sequence[Any]) -> Sequence[Any]:
    """Return all rows; if connections were lost while they were in the pool, try until one works."""
    for _ in range(POOL_SIZE):
        try:
            return cast("Sequence[Any]", await pool.fetch(sql, *arguments))
        except _LOST:
            continue
    return cast("Sequence[Any]", await pool.fetch(sql, *arguments))


async def _read_json(connection: asyncpg.Connection) -> None:
    """Decode JSONB columns, as the engine's connections do; asyncpg alone returns them as text."""
    await connection.set_type_codec("jsonb", encoder=str, decoder=orjson.loads, schema="pg_catalog")


async def _nothing_to_reset(_connection: object) -> None:
    """Skip the reset and save its round trip, because a single SELECT leaves nothing to reset."""


class _Transaction:
    """A connection in a transaction; `driver` is asyncpg's object for the same connection."""

    def __init__(self, connections: Connections, connection: AsyncConnection, driver: asyncpg.Connection) -> None:
        self._connections = connections
        self.connection = connection
        self.driver = driver

    @classmethod
    async def begin(cls, connections: Connections) -> _Transaction:
        """Borrow a connection and open a READ COMMITTED transaction; guarded updates and row locks decide races.

        If the connection was lost while it was in the pool, another one is taken: nothing has happened yet.
        """
        for _ in range(POOL_SIZE + POOL_OVERFLOW):
            connection = await connections.take()
            try:
                driver = await _driver(connection)
                await driver.execute("BEGIN")
            except _LOST:
                await connections.give_back(connection, broken=True)
            except BaseException:
                await connections.give_back(connection, broken=True)
                raise
            else:
                return cls(connections, connection, driver)
        raise OSError("PostgreSQL closes every connection.")

    async def end(self, command: str) -> None:
        """COMMIT or ROLLBACK, and give the connection back. A connection that fails is closed."""
        try:
            await self.driver.execute(command)
        except BaseException:
            await self._connections.give_back(self.connection, broken=True)
            raise
        await self._connections.give_back(self.connection)


async def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    return cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)


class PostgresqlConnection:
    """A connection to a `PostgresqlDatabase`; see the `Connection` port."""

    def __init__(self, connections: Connections, prepared: PreparedStatements, reads: PreparedReads) -> None:
        self._connections = connections
        self._prepared = prepared
        self._reads = reads
        self._transaction: _Transaction | None = None

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        return self._transaction is not None

    async def begin(self) -> None:
        """Open the transaction, unless it is open."""
        await self._begin()

    async def _begin(self) -> _Transaction:
        if self._transaction is None:
            self._transaction = await _Transaction.begin(self._connections)
        return self._transaction

    async def commit(self) -> None:
        """Commit what was written."""
        await self._end("COMMIT")

    async def rollback(self) -> None:
        """Roll back what was written."""
        await self._end("ROLLBACK")

    async def _end(self, command: str) -> None:
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            # Shielded, because a cancelled request must still give the connection back, without an open transaction.
            await asyncio.shield(asyncio.ensure_future(transaction.end(command)))

    async def read(self, reading: Reading[RowT], parameters: Mapping[str, Any]) -> Sequence[RowT]:
        """Read the latest commit; inside the transaction, also what it has written itself."""
        prepared = self._prepared.get(reading.statement)
        if self._transaction is None and not prepared.writes:
            return await self._reads.fetch(prepared, parameters)
        transaction = await self._begin()
        try:
            return prepared.read(await transaction.driver.fetch(prepared.sql, *prepared.arguments(parameters)))
        except asyncpg.IntegrityConstraintViolationError as error:
            raise broken(prepared, error) from error

    async def read_anew(self, reading: Reading[RowT]) -> Sequence[RowT]:
        """Like `read`, at several times the cost."""
        return cast("Sequence[RowT]", await self._fetch(reading.statement))

    async def _fetch(self, statement: Statement) -> Sequence[Row[*tuple[Any, ...]]]:
        if self._transaction is not None or statement.is_dml:
            return (await (await self._begin()).connection.execute(statement)).fetchall()
        try:
            return await self._fetch_alone(statement)
        except (DBAPIError, *_LOST) as error:
            if isinstance(error, DBAPIError) and not error.connection_invalidated:
                raise
            return await self._fetch_alone(statement)

    async def _fetch_alone(self, statement: Statement) -> Sequence[Row[*tuple[Any, ...]]]:
        connection = await self._connections.take()
        is_broken = True
        try:
            rows = (await connection.execute(statement)).fetchall()
            is_broken = False
        finally:
            await self._connections.give_back(connection, broken=is_broken)
        return rows

    async def write(self, statement: Writing, parameters: Mapping[str, Any]) -> int:
        """Write inside the transaction, which is opened if need be, and return the number of changed rows."""
        transaction = await self._begin()
        prepared = self._prepared.get(statement)
        try:
            status = await transaction.driver.execute(prepared.sql, *prepared.arguments(parameters))
        except asyncpg.IntegrityConstraintViolationError as error:
            raise broken(prepared, error) from error
        # The status of the answer ends in the number of rows: `UPDATE 1`, `INSERT 0 1`.
        return int(status.rpartition(" ")[2])

    async def write_anew(self, statement: Executable) -> int:
        """Like `write`, at several times the cost."""
        transaction = await self._begin()
        result: CursorResult[Any] = await transaction.connection.execute(statement)
        return result.rowcount

    async def close(self) -> None:
        """Give the connection back. What is not committed is rolled back."""
        await self.rollback()
