"""What processes tell each other over a real PostgreSQL: seldom, beside the transactions, and again after a loss."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from anyio import fail_after

from app.adapters.clock import SystemClock
from app.adapters.database.announcing import CHANNEL, FEWEST_TO_LISTEN
from app.adapters.database.opening import open_database
from app.adapters.database.postgresql import PostgresqlDatabase
from app.adapters.database.sqlite_watch import LogWatch
from app.domain.database_limits import DatabaseLimits
from app.domain.ports import Database
from tests.harness.pgbouncer import run_pgbouncer
from tests.harness.postgresql import PostgresqlServer

pytestmark = pytest.mark.anyio

PATIENCE = 30.0


_END_ALL_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Watching:
    """A database that is watched, and how often it was woken."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1

    async def is_woken(self, count: int) -> None:
        await is_true(lambda: self.woken >= count)


async def is_true(told: Callable[[], object]) -> None:
    with fail_after(PATIENCE):
        while not told():  # noqa: ASYNC110 — it is another task, or another process, that moves on
            await asyncio.sleep(0.02)


@asynccontextmanager
async def watching(url: str, limits: DatabaseLimits | None = None) -> AsyncIterator[Watching]:
    database = open_database(url, limits or DatabaseLimits())
    watched, stop = Watching(database), asyncio.Event()
    task = asyncio.create_task(database.watch(watched.wake, stop))
    try:
        yield watched
    finally:
        stop.set()
        await task
        await database.close()


def is_full(database: Database) -> bool:
    assert isinstance(database, PostgresqlDatabase)
    return database._pool.is_full


async def announce(database: Database) -> None:
    connection = database.connect()
    await connection.begin()
    connection.announce()
    await connection.commit()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestPostgresql:
    async def test_hears_others_and_not_itself_again(self, database_url: str) -> None:
        async with watching(database_url) as one, watching(database_url) as other:
            await is_true(lambda: one.database.hears_others and other.database.hears_others)
            before = one.woken, other.woken
            await announce(one.database)
            await other.is_woken(before[1] + 1)
            await announce(other.database)
            await one.is_woken(before[0] + 2)
            assert (one.woken, other.woken) == (before[0] + 2, before[1] + 2)

    async def test_notifies_a_few_times_a_second_however_much_is_announced(self, database_url: str) -> None:
        async with watching(database_url) as other:
            await is_true(lambda: other.database.hears_others)
            before = other.woken
            database = open_database(database_url)
            assert isinstance(database, PostgresqlDatabase)
            for _ in range(1000):
                database._announcer.announce()
            await other.is_woken(before + 1)
            await announce(database)
            await other.is_woken(before + 2)
            await database.close()
            assert other.woken <= before + 3

    async def test_tells_the_last_when_the_process_ends(self, database_url: str) -> None:
        async with watching(database_url) as other:
            await is_true(lambda: other.database.hears_others)
            before = other.woken
            database = open_database(database_url)
            await announce(database)
            await database.close()
            await other.is_woken(before + 1)

    async def test_listens_again_after_a_loss_and_looks_for_what_was_missed(self, database_url: str) -> None:
        async with watching(database_url) as watched:
            await is_true(lambda: watched.database.hears_others)
            before = watched.woken
            server = await asyncpg.connect(database_url)
            await server.execute(_END_ALL_OTHERS)
            await is_true(lambda: not watched.database.hears_others)
            await is_true(lambda: watched.database.hears_others)
            await watched.is_woken(before + 1)
            await server.execute(f"NOTIFY {CHANNEL}")
            await watched.is_woken(before + 2)
            await server.close()

    async def test_spends_one_connection_of_the_budget(self, database_url: str) -> None:
        async with watching(database_url, DatabaseLimits(FEWEST_TO_LISTEN)) as watched:
            await is_true(lambda: watched.database.hears_others)
            connections = [watched.database.connect() for _ in range(FEWEST_TO_LISTEN - 1)]
            for connection in connections:
                assert not is_full(watched.database)
                await connection.begin()
            assert is_full(watched.database)
            for connection in connections:
                await connection.close()
            assert not is_full(watched.database)

    async def test_spends_none_of_a_small_budget(self, database_url: str) -> None:
        limits = DatabaseLimits(FEWEST_TO_LISTEN - 1)
        async with watching(database_url, limits) as watched:
            connections = [watched.database.connect() for _ in range(FEWEST_TO_LISTEN - 1)]
            for connection in connections:
                await connection.begin()
            assert not watched.database.hears_others
            connections[0].announce()
            await connections[0].commit()
            assert watched.woken == 1
            for connection in connections:
                await connection.close()

    async def test_does_not_listen_through_a_pooler(self, database_url: str, postgresql: PostgresqlServer) -> None:
        name = database_url.rpartition("/")[2]
        with run_pgbouncer(postgresql.port, postgresql.user, size=3) as pooler:
            async with watching(pooler.url(name)) as pooled, watching(database_url) as other:
                await is_true(lambda: other.database.hears_others)
                before = other.woken
                await announce(pooled.database)
                assert pooled.woken == 1
                await other.is_woken(before + 1)
                assert not pooled.database.hears_others


class TestLogWatch:
    """The log beside a file of SQLite, whose time and size can be the same after another commit."""

    async def test_wakes_once_for_each_change(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with log_watch(tmp_path, monkeypatch) as (log, woken):
            for moment in (1000, 2000):
                os.utime(log, (moment, moment))
                await is_true(lambda: woken)
                await asyncio.sleep(0.1)
                assert len(woken) == 1
                woken.clear()

    async def test_looks_again_after_what_has_just_changed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(SystemClock, "now", lambda _: datetime.fromtimestamp(3000.05, UTC))
        async with log_watch(tmp_path, monkeypatch) as (log, woken):
            os.utime(log, (3000, 3000))
            await is_true(lambda: len(woken) > 1)

    async def test_does_without_a_log(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with log_watch(tmp_path, monkeypatch) as (log, woken):
            log.unlink()
            await is_true(lambda: woken)


@asynccontextmanager
async def log_watch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Path, list[None]]]:
    """Watch the log of a file, which has not changed for long; it is looked at all the time."""
    monkeypatch.setattr("app.adapters.database.sqlite_watch.LOOK", 0.005)
    log = folder / "gateway.db-wal"
    log.touch()
    os.utime(log, (1, 1))
    woken: list[None] = []
    stop = asyncio.Event()
    running = asyncio.create_task(LogWatch(folder / "gateway.db").run(lambda: woken.append(None), stop))
    await is_true(lambda: woken)
    woken.clear()
    yield log, woken
    stop.set()
    await running
