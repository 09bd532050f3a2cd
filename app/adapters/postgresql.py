"""PostgreSQL behind the `Database` port: SQLAlchemy's asynchronous engine on asyncpg."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy import CursorResult, Dialect, Executable, Row, Select, make_url
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.adapters.prepared import Prepared
from app.adapters.schema_version import VERSION_STATEMENT, newest_migration

# Connections that one process keeps, and opens on top when all are busy; PostgreSQL allows 100 in all by default.
POOL_SIZE = 10
POOL_OVERFLOW = 10


class PostgresqlDatabase:
    """A pool of connections to one PostgreSQL database."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        self._standalone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reads = PreparedReads(url)

    def connect(self) -> PostgresqlConnection:
        """Return a conversation; it borrows a connection only for a statement, or for a transaction."""
        return PostgresqlConnection(self._engine, self._standalone, self._reads)

    async def is_ready(self) -> bool:
        """Tell whether the server answers and the database is at the newest migration."""
        try:
            rows = await self.connect().fetch(VERSION_STATEMENT)
        except (SQLAlchemyError, OSError):
            return False
        return [row.version_num for row in rows] == [newest_migration()]

    async def close(self) -> None:
        """Close every connection of the pool."""
        await self._reads.close()
        await self._engine.dispose()


class PreparedReads:
    """Constant reads right on asyncpg, with connections of their own: nothing of SQLAlchemy is in the way."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._dialect: Dialect = asyncpg_dialect()  # type: ignore[no-untyped-call]
        self._prepared: dict[Select[Any], Prepared] = {}
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def fetch(self, statement: Select[Any], parameters: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Return all rows of a constant statement."""
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = Prepared(statement, self._dialect)
        pool = self._pool or await self._open()
        return prepared.read(await pool.fetch(prepared.sql, *prepared.arguments(parameters)))

    async def _open(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=1, max_size=POOL_SIZE, reset=_nothing_to_reset
                )
        return self._pool

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.close()


async def _nothing_to_reset(_connection: object) -> None:
    """Spare the round trip: a single SELECT leaves nothing behind."""


class PostgresqlConnection:
    """A conversation with a `PostgresqlDatabase`; see the `Connection` port."""

    def __init__(self, engine: AsyncEngine, standalone: AsyncEngine, reads: PreparedReads) -> None:
        self._engine = engine
        self._standalone = standalone
        self._reads = reads
        self._transaction: AsyncConnection | None = None

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        return self._transaction is not None

    async def begin(self) -> None:
        """Open a READ COMMITTED transaction; guarded updates and row locks decide the races."""
        await self._begin()

    async def _begin(self) -> AsyncConnection:
        if self._transaction is None:
            self._transaction = await self._engine.connect()
        return self._transaction

    async def commit(self) -> None:
        """Keep what was written."""
        if self._transaction is not None:
            await self._transaction.commit()
            await self.close()

    async def rollback(self) -> None:
        """Forget what was written."""
        await self.close()

    async def fetch(self, statement: Executable) -> Sequence[Row[Any]]:
        """Read the latest commit, or inside the transaction what it has written itself."""
        if self._transaction is not None:
            return (await self._transaction.execute(statement)).fetchall()
        async with self._standalone.connect() as connection:
            return (await connection.execute(statement)).fetchall()

    async def fetch_prepared(self, statement: Select[Any], parameters: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Read as `fetch` does, outside a transaction at a fraction of the cost."""
        if self._transaction is None:
            return await self._reads.fetch(statement, parameters)
        result: CursorResult[Any] = await self._transaction.execute(statement, parameters)
        return result.fetchall()

    async def execute(self, statement: Executable) -> int:
        """Write inside the transaction, which is opened when it is not, and return the number of rows touched."""
        transaction = await self._begin()
        return (await transaction.execute(statement)).rowcount

    async def execute_returning(self, statement: Executable) -> Sequence[Row[Any]]:
        """Write inside the transaction, which is opened when it is not, and return the rows of the RETURNING clause."""
        transaction = await self._begin()
        return (await transaction.execute(statement)).fetchall()

    async def close(self) -> None:
        """Give the connection back to the pool, which rolls back what was not committed."""
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            await transaction.close()
