"""Lists of customers are read along an index, from the place where the page begins, on both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import asyncpg
import pytest
from sqlalchemy import Engine, event

from app.domain.customer_filters import CustomerFilter, CustomerPosition
from app.models.customers import CustomerStatus
from app.repositories.customer_search import CustomerSearch
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio

AFTER = CustomerPosition("smith john", "01900000-0000-7000-8000-000000000000")
FILTERS = {
    "all": CustomerFilter(),
    "by name": CustomerFilter(name_prefix="smith"),
    "by the beginning of the address": CustomerFilter(email_prefix="s"),
    "by status": CustomerFilter(status=CustomerStatus.REPEAT.value),
    "by group": CustomerFilter(group_id="g"),
    "on hold": CustomerFilter(on_hold=True),
    "inactive": CustomerFilter(active=False),
}


@contextmanager
def caught() -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements meanwhile, each with its parameters."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        statements.append((statement, parameters))

    fetch = asyncpg.Connection.fetch

    async def noting_fetch(connection: asyncpg.Connection, statement: str, *parameters: Any) -> Any:
        if "pg_backend_pid" not in statement:  # which a new connection asks
            statements.append((statement, parameters))
        return await fetch(connection, statement, *parameters)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        # On PostgreSQL SQLAlchemy only writes the statements.
        with patch.object(asyncpg.Connection, "fetch", noting_fetch):
            yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def explain(database_url: str, statement: str, parameters: Any) -> str:
    """Return the plan of a statement; where a tiny table would be read whole or sorted, the planner is told not to."""
    if database_url.startswith("sqlite:///"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        try:
            return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))
        finally:
            connection.close()
    server = await asyncpg.connect(database_url)
    try:
        await server.execute("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off")
        return "\n".join(row[0] for row in await server.fetch(f"EXPLAIN {statement}", *parameters))
    finally:
        await server.close()


class TestPage:
    @pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
    @pytest.mark.parametrize("after", [None, AFTER], ids=["first page", "later page"])
    async def test_reads_along_an_index_and_sorts_nothing(
        self, gateway: Gateway, database_url: str, wanted: CustomerFilter, after: CustomerPosition | None
    ) -> None:
        with caught() as statements:
            await CustomerSearch(gateway.tools.database.connect(), "demo").page(wanted, after, 21)
        ((statement, parameters),) = statements
        plan = await explain(database_url, statement, parameters)
        assert "SCAN" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        assert "Seq Scan" not in plan, plan
        assert "Sort" not in plan, plan

    @pytest.mark.parametrize(
        "wanted", [CustomerFilter(email_key="smith@example.com"), CustomerFilter(customer_number="12345678")]
    )
    async def test_reads_one_row_of_an_index_where_there_can_be_only_one(
        self, gateway: Gateway, database_url: str, wanted: CustomerFilter
    ) -> None:
        with caught() as statements:
            await CustomerSearch(gateway.tools.database.connect(), "demo").page(wanted, None, 21)
        ((statement, parameters),) = statements
        plan = await explain(database_url, statement, parameters)
        assert "SCAN" not in plan, plan
        assert "Seq Scan" not in plan, plan

    @pytest.mark.parametrize(
        ("wanted", "index"),
        [
            (CustomerFilter(name_prefix="smith"), "ix_customer_search_name"),
            (CustomerFilter(status="REPEAT"), "ix_customer_status"),
            (CustomerFilter(on_hold=True), "ix_customer_on_hold"),
            (CustomerFilter(active=False), "ix_customer_inactive"),
        ],
    )
    async def test_reads_along_the_index_made_for_it(
        self, gateway: Gateway, database_url: str, wanted: CustomerFilter, index: str
    ) -> None:
        with caught() as statements:
            await CustomerSearch(gateway.tools.database.connect(), "demo").page(wanted, AFTER, 21)
        ((statement, parameters),) = statements
        assert index in await explain(database_url, statement, parameters)

    async def test_enters_the_index_where_the_page_begins(self, gateway: Gateway, database_url: str) -> None:
        for wanted in (CustomerFilter(name_prefix="smith"), CustomerFilter(email_prefix="smith")):
            with caught() as statements:
                await CustomerSearch(gateway.tools.database.connect(), "demo").page(wanted, AFTER, 21)
            ((statement, parameters),) = statements
            # With the beginning of the prefix as a second bound, SQLite would read over all pages before.
            assert statement.count(">=") == 0, statement
            assert "smith john" in str(parameters)
