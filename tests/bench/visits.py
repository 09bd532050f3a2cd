"""What anonymous visits leave in the database, and how fast the worker removes it, at times that the clock jumps to."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing, redirect_stderr
from datetime import timedelta
from io import StringIO
from pathlib import Path
from time import perf_counter

import asyncpg

from app.services.worker.pace import Pace
from app.services.worker.purge import purge_expired
from app.services.worker.visits import purge_visits
from tests.bench.dataset import Databases
from tests.bench.report import Visits
from tests.bench.servers import environment_of
from tests.bench.workloads import CLIENT_ID
from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway

# Then whatever an anonymous session leaves is to be removed.
_LONG_AFTER = timedelta(days=800)
_AT_ONCE = 16


def measure_visits(databases: Databases, database: str, visits: int) -> Visits:
    """Have so many people look at the shop without logging in, and return what comes of it."""
    url = databases.copy(database)
    # Its log would stand in the way of the table.
    with redirect_stderr(StringIO()):
        return asyncio.run(_measure(url, environment_of(url, databases.folder), visits))


async def _measure(url: str, environment: Mapping[str, str], visits: int) -> Visits:
    clock = MovableClock()
    async with run_gateway(environment, clock) as gateway:
        before = await _bytes_of(url)
        for _ in range(0, visits, _AT_ONCE):
            await asyncio.gather(*(gateway.anonymous(CLIENT_ID) for _ in range(_AT_ONCE)))
        at_once = await _bytes_of(url)
        clock.advance(days=1, minutes=1)
        await _purge(gateway)
        after_a_day = await _bytes_of(url)
        sessions = await _count(gateway)
        clock.advance(days=_LONG_AFTER.days)
        started = perf_counter()
        await _purge(gateway)
        seconds = perf_counter() - started
        gone = sessions - await _count(gateway)
    return Visits((at_once - before) / visits, (after_a_day - before) / visits, gone / seconds)


async def _purge(gateway: Gateway) -> None:
    pace = Pace()
    while await purge_expired(gateway.tools, pace) + await purge_visits(gateway.tools):
        pass


async def _count(gateway: Gateway) -> int:
    counts = [await gateway.rows(f"SELECT count(*) FROM {table}") for table in ("session", "visit")]
    return sum(int(count) for ((count,),) in counts)


async def _bytes_of(url: str) -> int:
    """Return how many bytes the rows and their indexes need; what is free within the file can be used again."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(Path(url.removeprefix("sqlite:///")))) as file:
            pragmas = ("page_count", "freelist_count", "page_size")
            pages, free, size = (file.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas)
        return int((pages - free) * size)
    connection = await asyncpg.connect(url)
    try:
        # A server's vacuum comes when it likes, and frees only what is at the end of a table.
        await connection.execute("VACUUM FULL", timeout=600)
        return int(await connection.fetchval("SELECT pg_database_size(current_database())"))
    finally:
        await connection.close()
