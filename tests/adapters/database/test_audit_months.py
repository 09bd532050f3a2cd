"""The audit in months on PostgreSQL: divided while gateways write, kept by the worker, and guarded as before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from app.adapters.database.audit_division import UndividedError, divide, step
from app.adapters.database.audit_months import BEFORE, OTHER, month_after
from app.adapters.database.connecting import Connector
from app.adapters.database.opening import open_database
from app.domain.database_limits import DatabaseLimits
from app.domain.database_url import read_server_url
from app.domain.profile import Profile
from app.services.worker.retention import drop_months, months_before, purge_retained
from tests.harness.differences import differences_on_postgresql
from tests.harness.gateway import Gateway
from tests.harness.postgresql import PostgresqlServer

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
# Of a division that long ago, the worker has made every month since.
LONG_AGO = months_before(NOW, 30)
# As release 1.0 writes a line.
INSERT = """INSERT INTO audit_event (tenant_id, id, occurred_at, action, outcome, actor_kind, actor_id, customer_id,
session_id, ip, request_id, detail) VALUES ('demo', $1, $2, 'login', 'success', NULL, NULL, 'ada', NULL, '192.0.2.0/24',
'r', '{}')"""
LINES = "SELECT id, occurred_at, action, detail::text FROM audit_event ORDER BY id"
PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_event'::regclass ORDER BY 1"
CHECKS = "SELECT count(*) FROM pg_constraint WHERE conrelid = 'audit_event'::regclass AND contype = 'c'"


@pytest.fixture
def url(postgresql: PostgresqlServer, postgresql_template: str) -> Iterator[str]:
    """Give the test a migrated database whose audit is one table."""
    name = postgresql.create_database(postgresql_template)
    yield postgresql.url(name)
    postgresql.drop_database(name)


def connector_of(url: str) -> Connector:
    return Connector(read_server_url(url, Profile.DEVELOPMENT), DatabaseLimits())


async def division(url: str, now: datetime = NOW) -> None:
    await divide(connector_of(url), now)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    driver = await asyncpg.connect(url)
    try:
        yield driver
    finally:
        await driver.close()


async def parts(driver: asyncpg.Connection) -> list[str]:
    return [name for (name,) in await driver.fetch(PARTS)]


class TestDivision:
    async def test_keeps_the_lines_and_what_the_table_had(self, url: str) -> None:
        async with connected(url) as driver:
            await driver.execute("CREATE ROLE reader; GRANT SELECT (id), INSERT ON audit_event TO reader")
            await driver.execute(
                "COMMENT ON TABLE audit_event IS 'it''s kept'; COMMENT ON COLUMN audit_event.id IS 'x'"
            )
            for months in (0, 1, 40):
                await driver.execute(INSERT, f"old-{months}", months_before(NOW, months))
            before = await driver.fetch(LINES)
            await division(url)
            # On a connection that has prepared both statements before.
            assert await driver.fetch(LINES) == before
            await driver.execute(INSERT, "young", NOW)
            await driver.execute(INSERT, "to come", month_after(NOW, 2))
            await driver.execute(INSERT, "far ahead", NOW + timedelta(days=4000))
            assert len(await driver.fetch(LINES)) == 6
            assert await driver.fetchval(f"SELECT id FROM {OTHER}") == "far ahead"  # noqa: S608
            held = "SELECT has_column_privilege('reader', 'audit_event', $1, $2)"
            asked = [("id", "SELECT"), ("action", "SELECT"), ("action", "INSERT")]
            assert [await driver.fetchval(held, *each) for each in asked] == [True, False, True]
            assert await driver.fetchval("SELECT obj_description('audit_event'::regclass)") == "it's kept"
            assert await driver.fetchval("SELECT col_description('audit_event'::regclass, 2)") == "x"
            await driver.execute("COMMENT ON TABLE audit_event IS NULL; COMMENT ON COLUMN audit_event.id IS NULL")
            await driver.execute("DROP OWNED BY reader; DROP ROLE reader")
            made = await parts(driver)
            await division(url)
            assert await parts(driver) == made
        assert await differences_on_postgresql(url) == []

    async def test_can_be_dumped_and_restored(self, url: str, postgresql: PostgresqlServer) -> None:
        async with connected(url) as driver:
            await driver.execute(INSERT, "kept", NOW)
            await division(url)
        name = postgresql.create_database()
        async with connected(postgresql.url(name)) as restored:
            dumped = postgresql.dump(url).decode()
            await restored.execute("\n".join(line for line in dumped.splitlines() if not line.startswith("\\")))
            await restored.execute("SET search_path = public")
            assert [line["id"] for line in await restored.fetch(LINES)] == ["kept"]
            with pytest.raises(asyncpg.RaiseError, match="only grows"):
                await restored.execute("DELETE FROM audit_event")
        postgresql.drop_database(name)

    @pytest.mark.parametrize("steps", [1, 2, 3])
    async def test_goes_on_where_it_was_killed(self, url: str, steps: int) -> None:
        async with connected(url) as driver:
            await driver.execute(INSERT, "before", NOW)
            for _ in range(steps):
                assert not await step(connector_of(url), NOW)
            await driver.execute(INSERT, "between", NOW)
            await division(url)
            await driver.execute(INSERT, "after", NOW)
            assert [line["id"] for line in await driver.fetch(LINES)] == ["after", "before", "between"]
            assert await driver.fetchval(CHECKS) == 0
            assert len(await parts(driver)) == 3

    async def test_begins_again_in_another_month(self, url: str) -> None:
        async with connected(url) as driver:
            for _ in range(2):
                await step(connector_of(url), months_before(NOW, 1))
            await division(url)
            assert f"{BEFORE}{month_after(NOW, 2):%Y_%m}" in await parts(driver)

    async def test_loses_and_refuses_no_line_that_is_written_meanwhile(self, url: str) -> None:
        stop, is_busy = asyncio.Event(), asyncio.Event()
        written: list[str] = []

        async def write(writer: int) -> None:
            async with connected(url) as driver:
                while not stop.is_set():
                    line = f"{writer}-{len(written)}"
                    await driver.execute(INSERT, line, NOW)
                    written.append(line)
                    if len(written) > 50:
                        is_busy.set()

        async with asyncio.TaskGroup() as writing:
            for writer in range(4):
                writing.create_task(write(writer))
            await is_busy.wait()
            await divide(connector_of(url), NOW)
            stop.set()
        async with connected(url) as driver:
            assert {line["id"] for line in await driver.fetch(LINES)} == set(written)
            assert len(await parts(driver)) == 3

    async def test_gives_up_while_others_hold_the_table_and_leaves_it_as_it_was(self, url: str) -> None:
        async with connected(url) as driver, connected(url) as other:
            await step(connector_of(url), NOW)
            async with other.transaction():
                await other.execute(INSERT, "held", NOW)
                with pytest.raises(UndividedError, match="run this again"):
                    await divide(connector_of(url), NOW, attempts=1)
            assert await parts(driver) == []
            await division(url)
            assert len(await parts(driver)) == 3

    async def test_is_refused_where_a_view_would_see_a_part_only(self, url: str) -> None:
        async with connected(url) as driver:
            await driver.execute("CREATE VIEW mine AS SELECT * FROM audit_event")
            database = open_database(url)
            told = await database.divide_audit(NOW)
            await database.close()
            assert told == "The audit is not divided into months: the table has the view mine."
            assert await parts(driver) == []

    async def test_is_refused_where_lines_are_of_a_time_to_come(self, url: str) -> None:
        async with connected(url) as driver:
            await driver.execute(INSERT, "far ahead", NOW + timedelta(days=100))
            with pytest.raises(UndividedError, match="a time to come"):
                await division(url)
            assert await driver.fetchval(CHECKS) == 0


class TestGuard:
    async def test_holds_for_the_table_and_each_part(self, url: str) -> None:
        await division(url)
        moments = [NOW, month_after(NOW, 2), NOW + timedelta(days=4000)]
        async with connected(url) as driver:
            for number, moment in enumerate(moments):
                await driver.execute(INSERT, str(number), moment)
            tables = ["audit_event", *await parts(driver)]
            assert len(tables) == 1 + len(moments)
            for table in tables:
                for change in (
                    f"DELETE FROM {table}",  # noqa: S608
                    f"UPDATE {table} SET occurred_at = now() - interval '2 years'",  # noqa: S608
                    f"UPDATE {table} SET ip = 'x'",  # noqa: S608
                ):
                    with pytest.raises(asyncpg.RaiseError, match="only grows"):
                        await driver.execute(change)
            assert await driver.execute("UPDATE audit_event SET ip = NULL") == f"UPDATE {len(moments)}"


class TestKeeping:
    async def test_makes_months_ahead_and_drops_those_that_are_past(self, url: str) -> None:
        await division(url, LONG_AGO)
        database = open_database(url)
        async with connected(url) as driver:
            assert await database.keep_audit_months(NOW, months_before(NOW, 60)) == 0
            # The first, the other, and each month from the one after next, 28 months ago, to two months from now.
            assert len(await parts(driver)) == 2 + 28 + 3
            old, young = months_before(NOW, 15), months_before(NOW, 13)
            for number, moment in enumerate((months_before(NOW, 40), old, young, NOW)):
                await driver.execute(INSERT, f"line {number}", moment)
            before = months_before(NOW, 14)
            # The first one, and the months up to the one before that in which the moment lies.
            assert await database.keep_audit_months(NOW, before) == 15
            assert [line["id"] for line in await driver.fetch(LINES)] == ["line 2", "line 3"]
            assert await database.keep_audit_months(NOW, before) == 0
            # Nobody's clock has a month dropped that is young by that of the database.
            assert await database.keep_audit_months(NOW, NOW + timedelta(days=4000)) == len(
                [month for month in range(-14, 3) if month_after(NOW, month + 1) <= NOW - timedelta(days=27)]
            )
            assert "line 3" in [line["id"] for line in await driver.fetch(LINES)]
        await database.close()

    async def test_does_without_while_a_backup_reads(self, url: str) -> None:
        await division(url, LONG_AGO)
        database = open_database(url)
        async with connected(url) as backup, backup.transaction():
            await backup.fetch(LINES)
            assert await database.keep_audit_months(NOW, months_before(NOW, 14)) == 0
        assert await database.keep_audit_months(NOW, months_before(NOW, 14)) == 15
        await database.close()

    async def test_leaves_a_month_of_which_there_are_lines_already(self, url: str) -> None:
        await division(url)
        database = open_database(url)
        later = month_after(NOW, 6)
        async with connected(url) as driver:
            await driver.execute(INSERT, "early", month_after(NOW, 5))
            assert await database.keep_audit_months(later, months_before(NOW, 60)) == 0
            made = await parts(driver)
            assert f"audit_event_{month_after(NOW, 5):%Y_%m}" not in made
            assert f"audit_event_{later:%Y_%m}" in made
        await database.close()

    async def test_removes_the_check_of_a_division_that_was_broken_off(self, url: str) -> None:
        await step(connector_of(url), NOW)
        database = open_database(url)
        async with connected(url) as driver:
            assert await driver.fetchval(CHECKS) == 1
            assert await database.keep_audit_months(NOW, NOW) == 0
            assert (await driver.fetchval(CHECKS), await parts(driver)) == (0, [])
        await database.close()


class TestRetention:
    """What the worker does of it, with the shops of the tenants file."""

    @pytest.fixture
    def database_url(self, url: str) -> str:
        return url

    async def test_drops_a_month_when_no_shop_keeps_it(self, gateway: Gateway, url: str) -> None:
        await division(url, LONG_AGO)
        longer = gateway.tools.tenants.tenant("demo").model_copy(update={"audit_retention_months": 60})
        keeping = replace(gateway.tools, tenants=gateway.tools.tenants.with_changes([longer]))
        cutoff = months_before(gateway.clock.now(), 13)
        month = month_after(cutoff, 0)
        async with connected(url) as driver:
            assert await drop_months(keeping) == 0
            await driver.execute(INSERT, "past", month - timedelta(days=1))
            await driver.execute(INSERT, "in the month of the cutoff", month)
            await driver.execute(INSERT, "kept", cutoff + timedelta(hours=1))
            assert (await drop_months(keeping), await purge_retained(keeping)) == (0, 0)
            assert await drop_months(gateway.tools) > 0
            assert [line["id"] for line in await driver.fetch(LINES)] == ["in the month of the cutoff", "kept"]
            # In the month of the cutoff lines go one by one, as in every month for a shop that keeps less than others.
            assert await purge_retained(gateway.tools) == 1
            assert [line["id"] for line in await driver.fetch(LINES)] == ["kept"]
            gateway.clock.advance(days=70)
            assert await drop_months(gateway.tools) >= 2
            assert await driver.fetch(LINES) == []

    async def test_serves_as_before(self, gateway: Gateway, url: str) -> None:
        await division(url)
        await gateway.customer()
        assert len(await gateway.rows("SELECT action FROM audit_event")) > 0
        assert await gateway.tools.database.faults() == []
