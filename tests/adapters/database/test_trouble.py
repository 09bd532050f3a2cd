"""A real PostgreSQL in trouble (frozen, restarted, replaced, read-only, full): it is busy meanwhile, and then over."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import String, text

from app.adapters.database.migrator import migrate
from app.adapters.database.opening import open_database
from app.domain.database_limits import DatabaseLimits, Pooler
from app.domain.errors import BusyError, BusyOutcome
from app.domain.ports import Database
from app.domain.rows import Reading
from tests.harness.freezing_proxy import FreezingProxy, run_freezing_proxy
from tests.harness.postgresql_host import PostgresqlHost

pytestmark = pytest.mark.anyio

# Seconds: a short limit makes a short test.
LIMIT = 1.5
LIMITS = DatabaseLimits(connections=5, seconds=LIMIT)
SLACK = 2.0
PATIENCE = 60.0
ADD = "INSERT INTO webhook_endpoint (tenant_id, url, failures) VALUES ('demo', '{}', 0)"


class Row:
    url: str


ROWS = Reading(Row, text("SELECT url FROM webhook_endpoint").columns(url=String))


async def read(database: Database) -> list[str]:
    return sorted(row.url for row in await database.connect().read_anew(ROWS))


async def write(database: Database, url: str) -> None:
    connection = database.connect()
    try:
        await connection.write_anew(text(ADD.format(url)))
        await connection.commit()
    finally:
        await connection.close()


async def until_it_works(database: Database, url: str) -> float:
    """Write until that works; what comes before may only be SERVICE_BUSY. Return the seconds."""
    began = time.monotonic()
    while True:
        try:
            await write(database, url)
        except BusyError as error:
            if error.retry_after != 1 or time.monotonic() - began > PATIENCE:
                raise
            await asyncio.sleep(0.05)
        else:
            return time.monotonic() - began


@pytest.fixture(scope="module")
def host() -> Iterator[PostgresqlHost]:
    # What was committed has to outlive an end at once.
    server = PostgresqlHost(options={"synchronous_commit": "on"})
    server.make()
    migrate(server.url)
    yield server
    server.remove()


@pytest.fixture(autouse=True)
def _empty(host: PostgresqlHost) -> None:
    host.sql("DELETE FROM webhook_endpoint", "gateway")


@pytest.fixture
def proxy(host: PostgresqlHost) -> Iterator[FreezingProxy]:
    with run_freezing_proxy(host.port) as running:
        yield running


@pytest.fixture
async def database(host: PostgresqlHost, proxy: FreezingProxy) -> AsyncIterator[Database]:
    """Open the database through the proxy."""
    opened = open_database(host.url.replace(str(host.port), str(proxy.port)), LIMITS)
    yield opened
    await opened.close()


async def warm(database: Database, connections: int = 5) -> None:
    """Open so many connections."""
    opened = [database.connect() for _ in range(connections)]
    for connection in opened:
        await connection.begin()
    for connection in opened:
        await connection.close()


class TestFrozenConnections:
    async def test_are_all_left_behind_within_the_limit(self, database: Database, proxy: FreezingProxy) -> None:
        await warm(database)
        assert proxy.freeze() == 5
        began = time.monotonic()
        calls = await asyncio.gather(*(read(database) for _ in range(20)), return_exceptions=True)
        assert {type(call) for call in calls} <= {list, BusyError}
        assert time.monotonic() - began < 2 * LIMIT + SLACK
        assert await asyncio.gather(*(read(database) for _ in range(20))) == [[]] * 20
        await write(database, "after")
        assert await read(database) == ["after"]
        assert await database.faults() == []

    async def test_are_noticed_before_they_are_used_once_they_were_silent(
        self, database: Database, proxy: FreezingProxy
    ) -> None:
        await warm(database)
        proxy.freeze()
        await asyncio.sleep(1.1)
        began = time.monotonic()
        await write(database, "first")
        assert time.monotonic() - began < LIMIT + SLACK
        assert await read(database) == ["first"]

    async def test_make_a_commit_s_outcome_unknown(self, database: Database, proxy: FreezingProxy) -> None:
        connection = database.connect()
        await connection.write_anew(text(ADD.format("perhaps")))
        proxy.freeze()
        with pytest.raises(BusyError) as raised:
            await connection.commit()
        assert raised.value.outcome is BusyOutcome.UNKNOWN
        await connection.close()
        assert await read(database) == []

    async def test_make_a_statement_not_done(self, database: Database, proxy: FreezingProxy) -> None:
        connection = database.connect()
        await connection.begin()
        proxy.freeze()
        with pytest.raises(BusyError) as raised:
            await connection.write_anew(text(ADD.format("never")))
        assert raised.value.outcome is BusyOutcome.NOT_DONE
        await connection.close()
        assert database.connections_in_use == 0

    async def test_and_new_ones_too_leave_it_busy_until_it_is_over(
        self, database: Database, proxy: FreezingProxy
    ) -> None:
        await warm(database)
        proxy.freeze(new_ones_too=True)
        began = time.monotonic()
        with pytest.raises(BusyError):
            await write(database, "never")
        assert time.monotonic() - began < 2 * LIMIT + SLACK
        began = time.monotonic()
        faults = await database.faults()
        assert time.monotonic() - began < 2.0
        assert [fault.partition(":")[0] for fault in faults] == ["database read", "database write"]
        proxy.thaw()
        assert await until_it_works(database, "after") < LIMIT + SLACK

    async def test_do_not_keep_it_from_ending(self, database: Database, proxy: FreezingProxy) -> None:
        await warm(database)
        hanging = asyncio.ensure_future(write(database, "never"))
        await asyncio.sleep(0)
        proxy.freeze(new_ones_too=True)
        began = time.monotonic()
        await database.close()
        assert time.monotonic() - began < SLACK
        await asyncio.gather(hanging, return_exceptions=True)


class TestStatement:
    async def test_that_takes_too_long_is_cut_off_on_the_server_too(
        self, database: Database, host: PostgresqlHost
    ) -> None:
        began = time.monotonic()
        with pytest.raises(BusyError):
            await database.connect().read_anew(Reading(object, text("SELECT pg_sleep(30)").columns()))
        assert time.monotonic() - began < LIMIT + SLACK
        running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
        deadline = time.monotonic() + PATIENCE
        while host.sql(running) != "0":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)

    async def test_that_waits_for_a_lock_is_busy(self, database: Database) -> None:
        await write(database, "one")
        holder, waiter = database.connect(), database.connect()
        change = text("UPDATE webhook_endpoint SET failures = failures + 1")
        await holder.write_anew(change)
        with pytest.raises(BusyError):
            await waiter.write_anew(change)
        await waiter.close()
        await holder.commit()
        await waiter.write_anew(change)
        await waiter.commit()

    async def test_of_somebody_who_has_gone_gives_its_connection_back(self, database: Database) -> None:
        sleeping = Reading(object, text("SELECT pg_sleep(30)").columns())
        calls = [asyncio.ensure_future(database.connect().read_anew(sleeping)) for _ in range(5)]
        await asyncio.sleep(0.2)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert database.connections_in_use == 0
        assert await read(database) == []


class TestBudget:
    @pytest.fixture
    async def patient(self, host: PostgresqlHost) -> AsyncIterator[Database]:
        """Let nobody be refused because the machine is slow."""
        opened = open_database(host.url, replace(LIMITS, seconds=PATIENCE))
        yield opened
        await opened.close()

    async def test_is_never_exceeded_and_lets_everybody_in(self, patient: Database, host: PostgresqlHost) -> None:
        most = 0
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'customer-gateway'"

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, int(await asyncio.to_thread(host.sql, count)))

        # What earlier tests have cut off, the server ends when its own limit has passed.
        deadline = time.monotonic() + PATIENCE
        while host.sql(count) != "0":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        # The first connection of all looks for a pooler, and its server's process takes a moment to end.
        await warm(patient)
        await asyncio.sleep(0.5)
        watching = asyncio.ensure_future(watch())
        calls = [call for n in range(30) for call in (read(patient), write(patient, str(n)), patient.faults())]
        await asyncio.gather(*calls)
        watching.cancel()
        assert 0 < most <= LIMITS.connections
        assert len(await read(patient)) == 30

    async def test_makes_callers_wait_and_then_says_busy(self, database: Database) -> None:
        held = [database.connect() for _ in range(LIMITS.connections)]
        for connection in held:
            await connection.begin()
        began = time.monotonic()
        with pytest.raises(BusyError, match="All 5 connections") as raised:
            await read(database)
        assert raised.value.outcome is BusyOutcome.NOT_DONE
        assert LIMIT <= time.monotonic() - began < LIMIT + SLACK
        waiting = asyncio.ensure_future(read(database))
        await asyncio.sleep(0.1)
        await held[0].close()
        assert await waiting == []
        for connection in held:
            await connection.close()

    async def test_lets_the_probe_in_before_those_who_wait(self, database: Database) -> None:
        held = [database.connect() for _ in range(LIMITS.connections)]
        for connection in held:
            await connection.begin()
        waiting = [asyncio.ensure_future(read(database)) for _ in range(50)]
        await asyncio.sleep(0)
        probing = asyncio.ensure_future(database.faults())
        await asyncio.sleep(0.05)
        await held.pop().close()
        assert await probing == []
        for connection in held:
            await connection.close()
        await asyncio.gather(*waiting)


class TestRestart:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=["told", "at once"])
    async def test_is_busy_while_it_lasts_and_then_over(
        self, database: Database, host: PostgresqlHost, number: signal.Signals
    ) -> None:
        await warm(database)
        await asyncio.to_thread(host.stop, number)
        with pytest.raises(BusyError):
            await write(database, "never")
        with pytest.raises(BusyError):
            await read(database)
        assert len(await database.faults()) == 2
        await asyncio.to_thread(host.start)
        await write(database, "after")
        assert await read(database) == ["after"]
        assert await database.faults() == []

    async def test_loses_nothing_that_was_confirmed(self, database: Database, host: PostgresqlHost) -> None:
        confirmed: set[str] = set()
        is_over = False

        async def go_on(name: int) -> None:
            number = 0
            while not is_over:
                number += 1
                try:
                    await write(database, f"{name}-{number}")
                except BusyError:
                    await asyncio.sleep(0.05)
                else:
                    confirmed.add(f"{name}-{number}")

        going = [asyncio.ensure_future(go_on(name)) for name in range(10)]
        await asyncio.sleep(0.3)
        await asyncio.to_thread(host.stop, signal.SIGINT)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(host.start)
        await asyncio.sleep(1)
        after = len(confirmed)
        await asyncio.sleep(1)
        assert len(confirmed) > after
        is_over = True
        await asyncio.gather(*going)
        assert confirmed <= set(await read(database))


class TestSynchronousStandby:
    """A COMMIT that waits for a standby that is away."""

    @pytest.fixture
    async def database(self, host: PostgresqlHost) -> AsyncIterator[Database]:
        host.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        host.sql("SELECT pg_reload_conf()")
        deadline = time.monotonic() + PATIENCE
        while host.sql("SHOW synchronous_standby_names") != "nobody":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        opened = open_database(f"{host.url}?options=-c%20synchronous_commit%3Don", LIMITS)
        yield opened
        await opened.close()
        host.sql("ALTER SYSTEM RESET synchronous_standby_names")
        host.sql("SELECT pg_reload_conf()")

    async def test_makes_the_outcome_unknown_when_the_limit_has_passed(self, database: Database) -> None:
        began = time.monotonic()
        with pytest.raises(BusyError) as raised:
            await write(database, "here alone")
        assert raised.value.outcome is BusyOutcome.UNKNOWN
        assert LIMIT <= time.monotonic() - began < 2 * LIMIT + SLACK
        assert database.connections_in_use == 0

    @pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend"])
    async def test_makes_it_unknown_when_somebody_ends_the_waiting(
        self, database: Database, host: PostgresqlHost, end: str
    ) -> None:
        await warm(database, 1)
        writing = asyncio.ensure_future(write(database, "here alone"))
        ending = f"SELECT {end}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"  # noqa: S608 — one of two
        deadline = time.monotonic() + PATIENCE
        while await asyncio.to_thread(host.sql, ending) != "t" and not writing.done():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        with pytest.raises(BusyError) as raised:
            await writing
        assert raised.value.outcome is BusyOutcome.UNKNOWN
        assert raised.value.retry_after == 1
        assert database.connections_in_use == 0


class TestReadOnly:
    async def test_is_busy_for_writers_alone_until_it_is_over(self, database: Database, host: PostgresqlHost) -> None:
        await warm(database)
        host.sql("ALTER SYSTEM SET default_transaction_read_only = on")
        host.sql("SELECT pg_reload_conf()")
        try:
            await asyncio.sleep(0.2)
            with pytest.raises(BusyError) as raised:
                await write(database, "never")
            assert raised.value.outcome is BusyOutcome.NOT_DONE
            assert await read(database) == []
            assert await database.faults() == ["database write: ReadOnlySQLTransactionError"]
        finally:
            host.sql("ALTER SYSTEM RESET default_transaction_read_only")
            host.sql("SELECT pg_reload_conf()")
        assert await until_it_works(database, "after") < SLACK


class TestIsolation:
    @pytest.mark.parametrize("pooler", Pooler)
    async def test_is_ours_whatever_the_database_has_been_given(self, host: PostgresqlHost, pooler: Pooler) -> None:
        class Row:
            level: str

        level = Reading(Row, text("SELECT current_setting('transaction_isolation') AS level").columns(level=String))
        host.sql("ALTER DATABASE gateway SET default_transaction_isolation = 'serializable'")
        opened = open_database(host.url, replace(LIMITS, pooler=pooler))
        try:
            connection = opened.connect()
            alone = await connection.read_anew(level)
            await connection.begin()
            within = await connection.read_anew(level)
            await connection.rollback()
            assert [row.level for row in (*alone, *within)] == ["read committed"] * 2
        finally:
            await opened.close()
            host.sql("ALTER DATABASE gateway RESET default_transaction_isolation")


@pytest.fixture
def pair() -> Iterator[tuple[PostgresqlHost, PostgresqlHost]]:
    """Run a primary with the tables, and a standby that follows it."""
    primary = PostgresqlHost()
    primary.make()
    migrate(primary.url)
    standby = primary.copy()
    yield primary, standby
    standby.remove()
    primary.remove()


class TestFailOver:
    async def test_goes_over_to_the_standby_that_was_promoted(
        self, pair: tuple[PostgresqlHost, PostgresqlHost]
    ) -> None:
        primary, standby = pair
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        url = primary.url.replace(f"127.0.0.1:{primary.port}", hosts) + "?target_session_attrs=read-write"
        database = open_database(url, LIMITS)
        await write(database, "before")
        deadline = time.monotonic() + PATIENCE
        while standby.sql("SELECT count(*) FROM webhook_endpoint", "gateway") != "1":
            assert time.monotonic() < deadline
        await asyncio.to_thread(primary.stop)
        with pytest.raises(BusyError):
            await write(database, "never")
        await asyncio.to_thread(standby.promote)
        assert await until_it_works(database, "after") < LIMIT + SLACK
        assert await read(database) == ["after", "before"]
        await database.close()

    @pytest.mark.parametrize(("target", "writes"), [("primary", True), ("standby", False), ("prefer-standby", False)])
    async def test_chooses_the_server_that_the_url_wants(
        self, pair: tuple[PostgresqlHost, PostgresqlHost], target: str, *, writes: bool
    ) -> None:
        primary, standby = pair
        for hosts in ((primary, standby), (standby, primary)):
            named = ",".join(f"127.0.0.1:{host.port}" for host in hosts)
            url = primary.url.replace(f"127.0.0.1:{primary.port}", named) + f"?target_session_attrs={target}"
            database = open_database(url, LIMITS)
            assert await database.is_ready()
            assert (await database.faults() == []) is writes
            await database.close()


@pytest.fixture
def small_disk() -> Iterator[tuple[PostgresqlHost, Path]]:
    """Run a server with a database `shop` on a disk of 24 MB, which is full at once."""
    server = PostgresqlHost()
    disk = server.folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], check=False).returncode:
        server.remove()
        pytest.skip("only root may make a small disk")
    try:
        server.give(disk)
        server.make()
        server.sql(f"CREATE TABLESPACE small LOCATION '{disk}'")
        server.sql("CREATE DATABASE shop OWNER gateway TABLESPACE small")
        migrate(shop(server))
        with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(8192))
        yield server, disk
    finally:
        server.stop()
        subprocess.run(["umount", disk], check=False)
        server.remove()


def shop(host: PostgresqlHost) -> str:
    return host.url.removesuffix("gateway") + "shop"


async def fill(database: Database) -> None:
    """Write as much as a database on a full disk can still hold."""
    for number in range(2000):
        await write(database, f"{number}-" + "x" * 1900)


class TestFullDisk:
    async def test_is_busy_until_there_is_room_again(self, small_disk: tuple[PostgresqlHost, Path]) -> None:
        host, disk = small_disk
        database = open_database(shop(host), LIMITS)
        with pytest.raises(BusyError) as raised:
            await fill(database)
        assert raised.value.outcome is BusyOutcome.NOT_DONE
        (disk / "ballast").unlink()
        await write(database, "after")
        assert "after" in await read(database)
        await database.close()
