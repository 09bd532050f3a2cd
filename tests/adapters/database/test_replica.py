"""A real standby that follows its primary: read as if it were the primary, and left alone while it cannot be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from anyio import fail_after
from sqlalchemy import Boolean, text

from app.adapters.database import replica
from app.adapters.database.migrator import migrate
from app.adapters.database.opening import open_database
from app.adapters.database.postgresql import REMARK, PostgresqlDatabase
from app.adapters.database.replica import Replica
from app.domain.database_limits import DatabaseLimits
from app.domain.errors import BusyError
from app.domain.ports import Connection, Database
from app.domain.rows import Reading
from app.services.staff.exports import export_customers
from app.settings import Settings
from app.wiring import check_migrated
from tests.fakes import MovableClock
from tests.harness.freezing_proxy import FreezingProxy, run_freezing_proxy
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.postgresql import free_port
from tests.harness.postgresql_host import PASSWORD, PostgresqlHost
from tests.harness.staff import ENVIRONMENT, Staff

pytestmark = pytest.mark.anyio

PATIENCE = 60.0
LIMITS = DatabaseLimits(connections=8, seconds=120)
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
WAKE = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
ADD = "INSERT INTO webhook_endpoint (tenant_id, url, failures) VALUES ('demo', '{}', 0)"


class _Place:
    is_standby: bool


PLACE = Reading(_Place, text("SELECT pg_is_in_recovery() AS is_standby").columns(is_standby=Boolean))


def count_of(url: str) -> Reading[Any]:
    return Reading(object, text("SELECT url FROM webhook_endpoint WHERE url = :url").bindparams(url=url).columns())


@pytest.fixture(scope="module")
def primary() -> Iterator[PostgresqlHost]:
    server = PostgresqlHost(options={"synchronous_commit": "on"})
    server.make()
    migrate(server.url)
    yield server
    server.remove()


@pytest.fixture(scope="module")
def standby(primary: PostgresqlHost) -> Iterator[PostgresqlHost]:
    """Run one that gives way at once when what it replays is in the way of a read."""
    server = primary.copy()
    server.sql("ALTER SYSTEM SET max_standby_streaming_delay = 0")
    server.sql("SELECT pg_reload_conf()")
    yield server
    server.remove()


@pytest.fixture
def proxy(standby: PostgresqlHost) -> Iterator[FreezingProxy]:
    with run_freezing_proxy(standby.port) as running:
        yield running


@pytest.fixture(autouse=True)
def _tried_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a standby alone for no time, and wait for it as long as a slow machine takes."""
    for name in ("_PAUSE_BEHIND", "_FIRST_PAUSE", "_LONGEST_PAUSE"):
        monkeypatch.setattr(replica, name, 0.0)
    for name in ("_CONNECT_WITHIN", "_ANSWER_WITHIN", "_CATCH_UP_WITHIN"):
        monkeypatch.setattr(replica, name, PATIENCE)


@pytest.fixture
async def database(primary: PostgresqlHost, proxy: FreezingProxy) -> AsyncIterator[Database]:
    url = f"postgresql://gateway:{PASSWORD}@127.0.0.1:{proxy.port}/gateway"
    opened = open_database(primary.url, LIMITS, read_url=url)
    yield opened
    await opened.close()


async def is_at_standby(connection: Connection) -> bool:
    (row,) = await connection.read_anew(PLACE)
    return row.is_standby


async def add(database: Database, url: str) -> None:
    connection = database.connect()
    await connection.write_anew(text(ADD.format(url)))
    await connection.commit()


async def finds(database: Database, url: str) -> bool:
    return bool(await database.connect_to_read().read_anew(count_of(url)))


async def is_asleep(standby: PostgresqlHost, count: int) -> None:
    """Wait until so many statements sleep at the standby."""
    with fail_after(PATIENCE):
        while await asyncio.to_thread(standby.sql, ASLEEP) != str(count):  # noqa: ASYNC110 — it is another process
            await asyncio.sleep(0.05)


def standby_of(database: Database) -> Replica:
    assert isinstance(database, PostgresqlDatabase)
    assert database._replica is not None
    return database._replica


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "app.adapters.database.replica"]


class TestReads:
    async def test_are_made_at_the_standby_and_all_others_at_the_primary(self, database: Database) -> None:
        assert await is_at_standby(database.connect_to_read())
        assert not await is_at_standby(database.connect())
        assert await database.remarks() == ()

    async def test_see_what_was_committed_a_moment_before(self, database: Database) -> None:
        for number in range(30):
            await add(database, f"moment-{number}")
            reader = database.connect_to_read()
            assert await is_at_standby(reader)
            assert await reader.read_anew(count_of(f"moment-{number}"))

    async def test_see_what_was_acknowledged_before_it_is_on_the_disk(
        self, primary: PostgresqlHost, standby: PostgresqlHost
    ) -> None:
        url = f"{primary.url}?options=-c%20synchronous_commit%3Doff"
        database = open_database(url, LIMITS, read_url=standby.url)
        for number in range(5):
            await add(database, f"early-{number}")
            reader = database.connect_to_read()
            assert await is_at_standby(reader)
            assert await reader.read_anew(count_of(f"early-{number}"))
        await database.close()

    async def test_are_made_at_the_primary_in_a_transaction(self, database: Database) -> None:
        reader = database.connect_to_read()
        await reader.write_anew(text(ADD.format("in-a-transaction")))
        assert await reader.read_anew(count_of("in-a-transaction"))
        await reader.commit()
        assert await is_at_standby(reader)
        assert await reader.read_anew(count_of("in-a-transaction"))
        await reader.close()


class TestStandby:
    async def test_that_is_behind_is_not_read(
        self,
        database: Database,
        standby: PostgresqlHost,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.INFO)
        monkeypatch.setattr(replica, "_CATCH_UP_WITHIN", 0.05)
        standby.sql("SELECT pg_wal_replay_pause()")
        try:
            for number in range(3):
                await add(database, f"behind-{number}")
                assert await finds(database, f"behind-{number}")
            assert await database.remarks() == [f"{REMARK}: it is behind the primary"]
            assert await database.faults() == []
        finally:
            standby.sql("SELECT pg_wal_replay_resume()")
        monkeypatch.setattr(replica, "_CATCH_UP_WITHIN", PATIENCE)
        assert await is_at_standby(database.connect_to_read())
        assert lines(caplog) == [
            "DATABASE_READ_URL is not read, but DATABASE_URL: it is behind the primary",
            "DATABASE_READ_URL is read again.",
        ]

    async def test_that_is_frozen_keeps_nobody_waiting_for_long(
        self, database: Database, proxy: FreezingProxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert await is_at_standby(database.connect_to_read())
        standby_of(database)._pause = 3600.0
        for name in ("_CONNECT_WITHIN", "_ANSWER_WITHIN"):
            monkeypatch.setattr(replica, name, 0.5)
        proxy.freeze(new_ones_too=True)
        with fail_after(PATIENCE):
            assert not await is_at_standby(database.connect_to_read())
        # From now on nobody tries, and so nobody waits.
        assert not standby_of(database).is_open
        assert not await is_at_standby(database.connect_to_read())
        ((remark),) = await database.remarks()
        assert remark.startswith(REMARK)

    async def test_that_is_away_is_left_alone_and_read_again_when_it_is_back(
        self, database: Database, proxy: FreezingProxy, standby: PostgresqlHost, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        assert await is_at_standby(database.connect_to_read())
        standby.stop()
        proxy.cut()
        await add(database, "away")
        assert await finds(database, "away")
        assert not await is_at_standby(database.connect_to_read())
        assert await database.faults() == []
        standby.start()
        with fail_after(PATIENCE):
            while not await is_at_standby(database.connect_to_read()):  # noqa: ASYNC110 — it is another process that moves on
                await asyncio.sleep(0.05)
        assert await finds(database, "away")
        said = lines(caplog)
        assert said[0].startswith("DATABASE_READ_URL is not read, but DATABASE_URL: ")
        assert said[-1] == "DATABASE_READ_URL is read again."

    async def test_that_takes_a_read_back_for_its_recovery_has_the_primary_read(
        self, database: Database, primary: PostgresqlHost, standby: PostgresqlHost
    ) -> None:
        await add(database, "conflict")
        slow = "SELECT url, CASE WHEN pg_is_in_recovery() THEN pg_sleep(600) END FROM webhook_endpoint LIMIT 1"
        reading = Reading(object, text(slow).columns())
        found = asyncio.create_task(database.connect_to_read().read_anew(reading))
        await is_asleep(standby, 1)
        await asyncio.to_thread(primary.sql, "ALTER TABLE webhook_endpoint ALTER failures SET DEFAULT 0", "gateway")
        assert len(await found) == 1
        assert await is_at_standby(database.connect_to_read())

    async def test_that_is_none_is_not_read(self, primary: PostgresqlHost, caplog: pytest.LogCaptureFixture) -> None:
        database = open_database(primary.url, LIMITS, read_url=primary.url)
        await add(database, "none")
        assert await finds(database, "none")
        assert await database.remarks() == [f"{REMARK}: it is no standby"]
        await database.close()
        assert lines(caplog) == ["DATABASE_READ_URL is not read, but DATABASE_URL: it is no standby"]

    async def test_whose_connections_are_all_in_use_has_the_primary_read(
        self, database: Database, standby: PostgresqlHost
    ) -> None:
        slow = Reading(object, text("SELECT pg_sleep(600)").columns())
        reads = [asyncio.create_task(database.connect_to_read().read_anew(slow)) for _ in range(2)]
        await is_asleep(standby, 2)
        assert not await is_at_standby(database.connect_to_read())
        assert await database.remarks() == ()
        standby.sql(WAKE)
        assert {type(each) for each in await asyncio.gather(*reads, return_exceptions=True)} == {BusyError}

    async def test_is_no_way_around_the_time_limit(self, primary: PostgresqlHost, standby: PostgresqlHost) -> None:
        database = open_database(primary.url, LIMITS, read_url=standby.url)
        assert await is_at_standby(database.connect_to_read())
        standby_of(database)._pool._limits = DatabaseLimits(2, seconds=0.5)
        with pytest.raises(BusyError):
            await database.connect_to_read().read_anew(Reading(object, text("SELECT pg_sleep(600)").columns()))
        await database.close()


class TestBudget:
    @pytest.mark.parametrize(("connections", "shares"), [(5, (4, 1)), (20, (15, 5)), (21, (16, 5))])
    def test_is_one_for_both(self, connections: int, shares: tuple[int, int]) -> None:
        of_primary, of_standby = DatabaseLimits(connections).shared()
        assert (of_primary.connections, of_standby.connections) == shares


class TestStart:
    """What `serve` and `worker` check first."""

    def check(self, primary: PostgresqlHost, read_url: str) -> None:
        check_migrated(Settings.load({"DATABASE_URL": primary.url, "DATABASE_READ_URL": read_url}))

    def test_takes_a_standby(
        self, primary: PostgresqlHost, standby: PostgresqlHost, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.check(primary, standby.url)
        assert caplog.messages == []

    def test_refuses_one_that_refuses_us(self, primary: PostgresqlHost, standby: PostgresqlHost) -> None:
        with pytest.raises(
            ValueError, match=r"^DATABASE_READ_URL names a database that refuses us: password"
        ) as raised:
            self.check(primary, standby.url.replace(PASSWORD, "wrong"))
        assert "wrong" not in str(raised.value)

    def test_refuses_one_without_our_tables(self, primary: PostgresqlHost, standby: PostgresqlHost) -> None:
        with pytest.raises(ValueError, match=r"^DATABASE_READ_URL names a database that has not our tables$"):
            self.check(primary, standby.url.removesuffix("gateway") + "postgres")

    def test_refuses_a_file_that_is_no_certificate(self, primary: PostgresqlHost, tmp_path: Path) -> None:
        (tmp_path / "no.crt").write_text("no certificate")
        with pytest.raises(ValueError, match=r"^DATABASE_READ_URL has an sslrootcert"):
            self.check(primary, f"postgresql://u@db.example/n?sslmode=verify-full&sslrootcert={tmp_path}/no.crt")

    def test_goes_on_without_one_that_is_away(self, primary: PostgresqlHost, caplog: pytest.LogCaptureFixture) -> None:
        self.check(primary, f"postgresql://u:p@127.0.0.1:{free_port()}/n")
        (line,) = caplog.messages
        assert line.startswith("DATABASE_READ_URL names a database that does not answer: ")
        assert line.endswith(". DATABASE_URL is read until it does.")


class TestGateway:
    @pytest.fixture
    async def gateway(
        self, primary: PostgresqlHost, standby: PostgresqlHost, clock: MovableClock, tmp_path: Path
    ) -> AsyncIterator[Gateway]:
        urls = {"DATABASE_URL": primary.url, "DATABASE_READ_URL": standby.url}
        async with run_gateway({**ENVIRONMENT, **urls, "STATE_DIR": str(tmp_path)}, clock) as running:
            yield running

    @pytest.fixture
    def read_there(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Collect what is read at the standby."""
        read: list[str] = []
        fetch: Callable[..., Any] = Replica.fetch

        async def noted(self: Replica, sql: str, arguments: Sequence[Any], position: str) -> Sequence[Any]:
            read.append(sql)
            rows: Sequence[Any] = await fetch(self, sql, arguments, position)
            return rows

        monkeypatch.setattr(Replica, "fetch", noted)
        return read

    async def test_lists_searches_and_exports_at_the_standby_and_does_nothing_else_there(
        self, gateway: Gateway, read_there: list[str]
    ) -> None:
        person = await gateway.signup_confirmed(email="ada@example.com")
        tokens = await gateway.login(person.email)
        answer = await gateway.graphql("{ me { email addresses { city } } }", token=tokens.access)
        assert answer["me"]["email"] == person.email
        staff = await Staff.of(gateway)
        assert await staff.find(id=person.id) is not None
        assert read_there == []
        for by in ("email", "search"):
            terms: dict[str, Any] = {by: person.email}
            read_there.clear()
            assert [node["id"] for node in (await staff.list(**terms))["nodes"]] == [person.id]
            assert read_there
        read_there.clear()
        tenant = gateway.tools.tenants.tenant("demo")
        exported = [each async for each in export_customers(gateway.tools, tenant, with_hashes=True)]
        assert person.email in [each["email"] for each in exported]
        assert len(read_there) > 1

    async def test_shows_staff_what_they_have_just_changed(self, gateway: Gateway, read_there: list[str]) -> None:
        staff = await Staff.of(gateway)
        customer = await staff.create(email="grace@example.com")
        for number in range(10):
            await staff.update(customer["id"], lastName=f"Name{number}")
            found = await staff.list(email="grace@example.com")
            assert [node["lastName"] for node in found["nodes"]] == [f"Name{number}"]
        assert len(read_there) >= 10

    async def test_is_ready_without_its_standby_and_says_so(
        self, gateway: Gateway, standby: PostgresqlHost, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Replica, "is_open", property(lambda self: self.fault is None))
        assert (await gateway.http.get("/readyz")).text == "ready"
        staff = await Staff.of(gateway)
        standby.stop()
        try:
            await staff.list()
            answer = await gateway.http.get("/readyz")
        finally:
            standby.start()
        first, second = answer.text.splitlines()
        assert (answer.status_code, first) == (200, "ready")
        assert second.startswith(f"{REMARK}: ")
