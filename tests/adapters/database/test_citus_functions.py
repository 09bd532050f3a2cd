"""The look-up of a token on a cluster with Citus: a function on the tenant's node finds what the join finds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import insert

from app.adapters.database.citus_functions import NodeFunction
from app.adapters.database.migrator import migrate
from app.adapters.database.opening import open_database
from app.adapters.database.schema_version import newest_migration
from app.domain.database_limits import DatabaseLimits
from app.domain.ports import Connection, Database
from app.domain.rows import Reading
from app.domain.sharding import Sharding
from app.models.base import TenantRow
from app.models.credentials import Credential
from app.models.customers import Customer
from app.models.sessions import AccessToken, Session
from app.repositories.sessions import READ_ON_NODES
from tests.harness.citus import CitusCluster
from tests.harness.rows import row_of

(BY_TOKEN,) = READ_ON_NODES
FUNCTION = NodeFunction(BY_TOKEN)
# The same with other columns, as another release reads them.
OF_ANOTHER_RELEASE: Reading[Any] = Reading(
    BY_TOKEN.row,
    BY_TOKEN.statement.add_columns(Customer.__table__.c.search_text),  # type: ignore[union-attr]
)
# Of a tenant: a customer with a session, and somebody without a name.
CUSTOMERS_TOKEN, ANONYMOUS_TOKEN, CUSTOMER_WITHOUT_LOGIN = b"a", b"anonymous", b"without login"
ROWS: Sequence[tuple[type[TenantRow], dict[str, Any]]] = (
    (Customer, {}),
    (Credential, {}),
    (Session, {}),
    (AccessToken, {"token_hash": CUSTOMERS_TOKEN, "revoked_at": None}),
    (Session, {"id": "anonymous", "customer_id": None}),
    (AccessToken, {"token_hash": ANONYMOUS_TOKEN, "session_id": "anonymous"}),
    (Customer, {"id": "y", "customer_number": "y", "shopper_reference": "y", "mixins": {"a": [1, "é"]}}),
    (Session, {"id": "y", "customer_id": "y"}),
    (AccessToken, {"token_hash": CUSTOMER_WITHOUT_LOGIN, "session_id": "y"}),
)
MADE = "SELECT count(*) FROM pg_proc WHERE proname = '{}'"
LAST_STATEMENTS = (
    "SELECT query FROM pg_stat_activity WHERE application_name = 'customer-gateway' AND query LIKE 'SELECT%'"
)


@asynccontextmanager
async def opened(url: str, *on_nodes: Reading[Any]) -> AsyncIterator[tuple[Database, Connection]]:
    """Give a database of the cluster, with all the time that a busy machine needs, and a connection."""
    database = open_database(url, DatabaseLimits(seconds=60.0), sharding=Sharding.CITUS, on_nodes=on_nodes)
    connection = database.connect()
    try:
        yield database, connection
    finally:
        await connection.close()
        await database.close()


async def fill(connection: Connection) -> None:
    """Write the rows for two tenants."""
    for tenant_id in ("shop", "other"):
        for model, values in ROWS:
            row = row_of(model, tenant_id, **values)
            columns = {column.name: getattr(row, column.name) for column in model.__table__.c}
            await connection.write_anew(insert(model.__table__).values(columns))
    await connection.commit()


class TestNodeFunction:
    @pytest.mark.anyio
    async def test_finds_what_the_join_finds(self, citus: CitusCluster, citus_database: str) -> None:
        url = citus.url(citus_database)
        try:
            async with opened(url, BY_TOKEN) as (database, connection):
                await fill(connection)
                found = await database.find_migration()
                assert found is not None
                assert found.is_spread
                for token, customer_id in {
                    CUSTOMERS_TOKEN: "a", ANONYMOUS_TOKEN: None, CUSTOMER_WITHOUT_LOGIN: "y", b"unknown": ()
                }.items():  # fmt: skip
                    given = {"tenant_id": "shop", "token_hash": token}
                    # The plan is another one from the sixth time on.
                    for _ in range(7):
                        alone = [tuple(row) for row in await connection.read(BY_TOKEN, given)]
                    assert FUNCTION.call in citus.run(LAST_STATEMENTS, database=citus_database)
                    await connection.begin()
                    joined = await connection.read(BY_TOKEN, given)
                    await connection.rollback()
                    assert alone == [tuple(row) for row in joined]
                    assert [row.session_customer_id for row in joined] == ([] if customer_id == () else [customer_id])
                given = {"tenant_id": "third", "token_hash": CUSTOMERS_TOKEN}
                assert await connection.read(BY_TOKEN, given) == []
        finally:
            citus.empty(citus_database)

    def test_is_run_by_the_node_of_the_tenant_whichever_is_asked(
        self, citus: CitusCluster, citus_database: str
    ) -> None:
        plan = "EXPLAIN " + FUNCTION.call.replace("$1", "'x'").replace("$2", "'shop'")
        node = """SELECT nodeport FROM pg_dist_placement JOIN pg_dist_node USING (groupid)
            WHERE shardid = get_shard_id_for_distribution_column('access_token', 'shop')"""
        port = citus.run(node, database=citus_database)
        for asked in range(3):
            shown = citus.run(plan, database=citus_database, node=asked)
            assert f"Function Scan on {FUNCTION.name}" in shown
            # The node itself hands nothing on.
            assert (f"port={port}" in shown) == (str(citus.ports[asked]) != port)

    @pytest.mark.anyio
    async def test_is_done_without_on_tables_of_another_release(self, citus: CitusCluster, citus_database: str) -> None:
        try:
            async with opened(citus.url(citus_database), OF_ANOTHER_RELEASE) as (database, connection):
                await fill(connection)
                found = await database.find_migration()
                assert found is not None
                assert (found.migration, found.is_spread) == (newest_migration(), False)
                for _ in range(2):
                    given = {"tenant_id": "shop", "token_hash": CUSTOMERS_TOKEN}
                    (row,) = await connection.read(OF_ANOTHER_RELEASE, given)
                    assert (row.session_customer_id, row.session_tenant_id) == ("a", "shop")
        finally:
            citus.empty(citus_database)

    def test_is_made_once(self, citus: CitusCluster, citus_database: str) -> None:
        for _again in range(2):
            migrate(citus.url(citus_database), sharding=Sharding.CITUS, on_nodes=READ_ON_NODES)
            count = MADE.format(FUNCTION.name)
            assert [citus.run(count, database=citus_database, node=node) for node in range(3)] == ["1"] * 3
