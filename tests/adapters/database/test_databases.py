"""Both databases behind the port: prepared statements, one transaction for both kinds of them, lost connections."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.adapters.database.opening import open_database
from app.adapters.database.prepared import MOST, PreparedStatements
from app.adapters.database.sqlite import SqliteDatabase
from app.domain.errors import BusyError, BusyOutcome
from app.domain.ports import Connection, Database
from app.domain.rows import Reading
from app.models.customers import Customer
from tests.harness.round_trips import count_round_trips

pytestmark = pytest.mark.anyio

_TABLE = Customer.__table__
_INSERT = insert(_TABLE)
_BY_ID = Reading(Customer, select(_TABLE).where(_TABLE.c.id == bindparam("id"), _TABLE.c.company == "Berlin"))
_MOVE = update(_TABLE).where(_TABLE.c.id == bindparam("id")).values(company=bindparam("to"))
_MOVE_FROM_PARIS = update(_TABLE).where(_TABLE.c.company == "Paris").values(company="Rome")
_RETURNING = insert(_TABLE).returning(*_TABLE.c)
_COMPANIES = Reading(Customer, select(_TABLE))
_NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def _customer(id: str = "1", company: str = "Berlin") -> dict[str, Any]:
    row = Customer(
        tenant_id="demo",
        id=id,
        customer_number=id,
        shopper_reference=id,
        company=company,
        mixins={"loyalty": {"level": "gold"}},
        created_at=_NOW,
        updated_at=_NOW,
    )
    return row.model_dump()


async def _companies(connection: Connection) -> list[str]:
    return sorted(row.company or "" for row in await connection.read_anew(_COMPANIES))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    yield opened
    await opened.close()


class TestPrepared:
    async def test_reads_each_column_as_its_type(self, database: Database) -> None:
        connection = database.connect()
        await connection.write(_INSERT, _customer())
        for _ in range(2):  # inside the transaction, and after it
            (row,) = await connection.read(_BY_ID, {"id": "1"})
            read = (row.created_at, row.mixins, row.active, row.on_hold, row.title)
            assert read == (_NOW, {"loyalty": {"level": "gold"}}, True, False, None)
            await connection.commit()

    async def test_takes_neither_more_nor_fewer_parameters(self, database: Database) -> None:
        connection = database.connect()
        for parameters in ({}, {"id": "1", "tenant_id": "demo"}):
            with pytest.raises(ValueError, match="takes"):
                await connection.read(_BY_ID, parameters)

    async def test_tells_how_many_rows_it_touched(self, database: Database) -> None:
        connection = database.connect()
        assert await connection.write(_INSERT, _customer()) == 1
        gone = delete(_TABLE).where(_TABLE.c.id == bindparam("id"))
        assert await connection.write(gone, {"id": "2"}) == 0
        assert await connection.write(gone, {"id": "1"}) == 1
        await connection.rollback()

    async def test_returns_what_a_change_has_made_of_the_rows(self, database: Database) -> None:
        connection = database.connect()
        await connection.write(_INSERT, _customer())
        in_berlin = _TABLE.c.company == "Berlin"
        counted = update(_TABLE).where(in_berlin).values(version=_TABLE.c.version + 1).returning(*_TABLE.c)
        (row,) = await connection.read(Reading(Customer, counted), {})
        assert (row.version, row.created_at, row.mixins) == (2, _NOW, {"loyalty": {"level": "gold"}})
        assert await _companies(database.connect()) == []
        await connection.commit()
        (row,) = await database.connect().read(_BY_ID, {"id": "1"})
        assert row.version == 2

    async def test_is_refused_what_breaks_a_key_as_any_other_statement(self, database: Database) -> None:
        again = Reading(Customer, insert(_TABLE).returning(*_TABLE.c))
        repeats: tuple[Callable[[Connection], Awaitable[object]], ...] = (
            lambda connection: connection.write(_INSERT, _customer()),
            lambda connection: connection.read(again, _customer()),
            lambda connection: connection.write_anew(insert(_TABLE).values(**_customer())),
        )
        for repeat in repeats:
            connection = database.connect()
            await connection.write(_INSERT, _customer())
            with pytest.raises(IntegrityError) as raised:
                await repeat(connection)
            assert "Berlin" not in str(raised.value)
            await connection.rollback()

    @pytest.mark.parametrize("anew", [False, True], ids=["constant", "anew"])
    async def test_writes_what_returns_rows_inside_the_transaction(self, database: Database, *, anew: bool) -> None:
        connection = database.connect()
        reading = Reading(Customer, insert(_TABLE).values(**_customer()).returning(*_TABLE.c))
        (row,) = await connection.read_anew(reading) if anew else await connection.read(reading, {})
        assert (row.company, connection.begun) == ("Berlin", True)
        await connection.rollback()
        assert await _companies(database.connect()) == []

    async def test_keeps_no_more_statements_than_so_many(self) -> None:
        dialect = sqlite_dialect()
        statements = PreparedStatements(dialect)
        first = select(_TABLE.c.id)
        kept = statements.get(first)
        assert statements.get(first) is kept
        for _ in range(MOST):
            statements.get(select(_TABLE.c.id))
        assert len(PreparedStatements._every[dialect.name]) == MOST
        assert statements.get(first) is not kept


class TestSoon:
    """What is written without asking for a count goes with the next statement, and is as good as written at once."""

    async def test_is_found_by_whatever_comes_after_it(self, database: Database) -> None:
        connection = database.connect()
        await connection.write_soon(_INSERT, _customer())
        assert connection.begun
        await connection.write_soon(_INSERT, _customer(id="2"))
        assert len(await connection.read(_BY_ID, {"id": "2"})) == 1
        await connection.write_soon(_MOVE, {"id": "1", "to": "Paris"})
        assert await connection.write(_MOVE_FROM_PARIS, {}) == 1
        await connection.write_soon(_INSERT, _customer(id="3"))
        assert await _companies(database.connect()) == []
        await connection.commit()
        assert await _companies(database.connect()) == ["Berlin", "Berlin", "Rome"]

    async def test_is_nothing_after_a_rollback(self, database: Database) -> None:
        connection = database.connect()
        for begins in (False, True):
            if begins:
                await connection.write(_INSERT, _customer(id="2"))
            await connection.write_soon(_INSERT, _customer())
            await connection.rollback()
            assert not connection.begun
            await connection.commit()
        assert await _companies(database.connect()) == []

    @pytest.mark.parametrize(
        "text",
        ["", "'; DROP TABLE customer; --", '\\x41 \\ " $1 %s\n\t', "Łuczak 山田 \U0001f600", "x" * 100],
        ids=ascii,
    )
    async def test_keeps_every_value_as_it_is(self, database: Database, text: str) -> None:
        born = {"created_at": _NOW.astimezone(timezone(timedelta(hours=-9))), "birth_date": date(1, 2, 3)}
        given = {**_customer(company="Berlin"), **born, "notes": text, "on_hold": True, "title": None, "version": -7}
        given = {name: value for name, value in given.items() if name in _TABLE.c}
        written = []
        for soon in (False, True):
            connection = database.connect()
            values = {**given, "middle_name": text}
            if soon:
                await connection.write_soon(_INSERT, values)
            else:
                await connection.write(_INSERT, values)
            (row,) = await connection.read(_BY_ID, {"id": "1"})
            await connection.rollback()
            written.append({name: getattr(row, name) for name in given})
        assert written[0] == written[1]
        assert written[1]["middle_name"] == text
        assert (written[1]["created_at"], written[1]["on_hold"], written[1]["version"]) == (_NOW, True, -7)

    @pytest.mark.parametrize("by", ["read", "commit"])
    async def test_is_refused_what_breaks_a_key_at_the_latest_by_what_comes_after(
        self, database: Database, by: str
    ) -> None:
        connection = database.connect()
        await connection.write(_INSERT, _customer())

        async def break_a_key() -> None:
            for id_ in ("2", "1"):
                await connection.write_soon(_INSERT, _customer(id=id_))
            await (connection.read(_BY_ID, {"id": "1"}) if by == "read" else connection.commit())

        with pytest.raises(IntegrityError) as raised:
            await break_a_key()
        assert "Berlin" not in str(raised.value)
        await connection.close()
        assert await _companies(database.connect()) == []
        await connection.write_soon(_INSERT, _customer())
        await connection.commit()
        assert await _companies(database.connect()) == ["Berlin"]


class TestTransaction:
    async def test_is_one_for_prepared_and_other_statements(self, database: Database) -> None:
        connection, other = database.connect(), database.connect()
        await connection.write(_INSERT, _customer(company="Berlin"))
        await connection.write_anew(insert(_TABLE).values(**_customer(id="2", company="Paris")))
        assert await _companies(connection) == ["Berlin", "Paris"]
        assert await _companies(other) == []
        await connection.rollback()
        assert await _companies(other) == []

    async def test_keeps_what_was_committed(self, database: Database) -> None:
        connection = database.connect()
        await connection.write_anew(insert(_TABLE).values(**_customer(company="Paris")))
        await connection.write(_INSERT, _customer(id="2"))
        await connection.commit()
        assert await _companies(database.connect()) == ["Berlin", "Paris"]

    async def test_is_over_after_a_cancelled_request(self, database: Database) -> None:
        connection = database.connect()
        await connection.write(_INSERT, _customer())
        closing = asyncio.ensure_future(connection.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        after = database.connect()
        await after.write(_INSERT, _customer(company="Paris"))
        await after.commit()
        assert await _companies(after) == ["Paris"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestSqlite:
    async def test_waits_for_other_processes_without_stopping_the_loop(
        self, database: Database, database_url: str
    ) -> None:
        other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        connection = database.connect()
        writing = asyncio.ensure_future(connection.write(_INSERT, _customer()))
        done, _ = await asyncio.wait([writing], timeout=0.05)
        assert not done
        assert await _companies(database.connect()) == []
        other.execute("COMMIT")
        other.close()
        assert await writing == 1
        await connection.commit()

    async def test_is_busy_while_its_disk_is_full(self, database: Database, database_url: str) -> None:
        assert isinstance(database, SqliteDatabase)
        (pages,) = await database.write(lambda writer: writer.exec_driver_sql("PRAGMA page_count").one())
        await database.write(lambda writer: writer.exec_driver_sql(f"PRAGMA max_page_count={pages}"))
        with pytest.raises(BusyError) as raised:
            await _fill(database)
        assert raised.value.outcome is BusyOutcome.NOT_DONE
        written = len(await _companies(database.connect()))
        await database.write(lambda writer: writer.exec_driver_sql("PRAGMA max_page_count=1000000"))
        connection = database.connect()
        await connection.write(_INSERT, _customer(id="after"))
        await connection.commit()
        assert len(await _companies(database.connect())) == written + 1
        assert await database.faults() == []

    async def test_is_busy_while_it_may_only_be_read(self, database: Database) -> None:
        assert isinstance(database, SqliteDatabase)
        await database.write(lambda writer: writer.exec_driver_sql("PRAGMA query_only=ON"))
        connection = database.connect()
        with pytest.raises(BusyError):
            await connection.write(_INSERT, _customer())
        await connection.close()
        (fault,) = await database.faults()
        assert fault.startswith("database write: ")
        await database.write(lambda writer: writer.exec_driver_sql("PRAGMA query_only=OFF"))
        await connection.write(_INSERT, _customer())
        await connection.commit()
        assert await database.faults() == []


async def _fill(database: Database) -> None:
    for number in range(10_000):
        connection = database.connect()
        try:
            await connection.write(_INSERT, _customer(id=str(number), company="x" * 200))
            await connection.commit()
        finally:
            await connection.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestPostgresql:
    async def test_goes_on_after_the_server_has_closed_every_connection(
        self, database: Database, database_url: str
    ) -> None:
        connection = database.connect()
        await connection.write(_INSERT, _customer())
        await connection.commit()
        assert len(await connection.read(_BY_ID, {"id": "1"})) == 1
        server = await asyncpg.connect(database_url)
        await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await server.close()
        assert len(await connection.read(_BY_ID, {"id": "1"})) == 1
        assert await _companies(connection) == ["Berlin"]
        await connection.write(_INSERT, _customer(id="2"))
        await connection.commit()
        assert await _companies(connection) == ["Berlin", "Berlin"]

    @pytest.mark.parametrize("ends", ["read", "write", "commit"])
    async def test_sends_what_waits_anew_after_the_server_has_closed_every_connection(
        self, database: Database, database_url: str, ends: str
    ) -> None:
        connection = database.connect()
        await connection.write_soon(_INSERT, _customer())
        await connection.commit()
        server = await asyncpg.connect(database_url)
        await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await server.close()
        await connection.write_soon(_MOVE, {"id": "1", "to": "Paris"})
        await connection.write_soon(_INSERT, _customer(id="2"))
        if ends == "read":
            assert len(await connection.read(_BY_ID, {"id": "2"})) == 1
        if ends == "write":
            assert await connection.write(_MOVE_FROM_PARIS, {}) == 1
        await connection.commit()
        assert await _companies(connection) == ["Berlin", "Rome" if ends == "write" else "Paris"]

    async def test_takes_no_fault_of_what_waited_for_that_of_the_next_statement(self, database: Database) -> None:
        # `IntegrityError` of a statement may mean to its caller that somebody else was faster.
        connection = database.connect()
        await connection.write(_INSERT, _customer())
        for ask in (
            lambda: connection.write(_INSERT, _customer(id="2")),
            lambda: connection.read(Reading(Customer, _RETURNING), _customer(id="2")),
        ):
            await connection.write_soon(_INSERT, _customer())
            await connection.write_soon(_INSERT, _customer(id="3"))
            with pytest.raises(DBAPIError) as raised:
                await ask()
            assert not isinstance(raised.value, IntegrityError)
            await connection.rollback()
            await connection.write(_INSERT, _customer())

    async def test_sends_what_nobody_waits_for_in_one_round_trip(self, database: Database) -> None:
        connection = database.connect()
        for _ in range(2):  # the first time, the server learns the statements
            with count_round_trips() as trips:
                for number in range(9):
                    await connection.write_soon(_INSERT, _customer(id=str(number)))
                assert len(await connection.read(_BY_ID, {"id": "8"})) == 1
                await connection.write_soon(_MOVE, {"id": "1", "to": "Paris"})
                await connection.commit()
                await connection.write(delete(_TABLE), {})
                await connection.commit()
        assert [sql.split()[0] for sql in trips] == ["SELECT", "COMMIT", "DELETE", "COMMIT"]

    @pytest.mark.parametrize("begins", [False, True], ids=["reads", "transactions"])
    async def test_lets_nobody_wait_while_others_come_and_go(self, database: Database, *, begins: bool) -> None:
        clients, done, longest = 64, 0, 0

        async def ask() -> None:
            nonlocal done, longest
            for _ in range(20):
                connection, began = database.connect(), done
                if begins:
                    await connection.begin()
                await connection.read(_BY_ID, {"id": "1"})
                await connection.rollback()
                longest = max(longest, done - began)
                done += 1

        await asyncio.gather(*(ask() for _ in range(clients)))
        # As many as there are clients in the fairest order; without one it is seven times that.
        assert longest < 3 * clients
