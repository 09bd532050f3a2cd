"""Transactions on a database, straight, for what the repositories alone decide."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
from sqlalchemy import insert

from app.domain.ports import Connection, Database
from app.models.base import TenantRow

Result = TypeVar("Result")

AT_ONCE = 16


@asynccontextmanager
async def conversation(database: Database) -> AsyncIterator[Connection]:
    """Open a transaction that leaves nothing behind unless it is committed."""
    connection = database.connect()
    await connection.begin()
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[Connection]:
    """Open a transaction, which is committed when nothing is raised."""
    async with conversation(database) as connection:
        yield connection
        await connection.commit()


async def write(database: Database, *rows: TenantRow) -> None:
    """Write rows, each after those that it refers to."""
    async with transaction(database) as connection:
        for row in rows:
            await connection.write_anew(insert(type(row).__table__).values(**row.model_dump()))


async def at_once(database: Database, work: Callable[[Connection], Awaitable[Result]]) -> list[Result]:
    """Do the work sixteen times at once, each in a transaction of its own, and return what came of it."""
    results: list[Result] = []

    async def one() -> None:
        async with transaction(database) as connection:
            result = await work(connection)
        results.append(result)

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(one)
    return results
