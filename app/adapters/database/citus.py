"""Citus: distributes the tables by tenant, and tells what does not work of that.

All rows of a tenant are on one node, and a statement that names the tenant runs there alone, with its joins, foreign
keys, unique keys and triggers. Citus copies a table to its nodes and keeps the old rows; those are removed at once, for
what is erased later must be gone everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import TopologicalSorter
from typing import cast

import asyncpg
from sqlalchemy import Connection

from app.adapters.database.citus_functions import NodeFunction
from app.adapters.database.faults import UnusableDatabaseError
from app.adapters.database.schema_version import VERSION_TABLE

# Our tables with rows of tenants, but the partitions, which go where their table is.
_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
AND {} EXISTS (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = c.oid AND d.partmethod = 'h')
ORDER BY c.oid
"""
_LOCAL = _TABLES.format("NOT")
_DISTRIBUTED = _TABLES.format("")
_REFERENCES = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
"""
_HAS_CITUS = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')"
_IS_COORDINATOR = "SELECT groupid = 0 FROM pg_dist_local_group"
_IS_ON_ALL_NODES = (
    f"SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = '{VERSION_TABLE}'::regclass "  # noqa: S608 - ours
    "AND partmethod = 'n' AND repmodel = 't')"
)
# For the transaction of the migrations. On one connection to each node they see what they have done before; and our
# triggers look at no other row, which is what Citus fears of triggers.
_PREPARATION = "SET LOCAL citus.multi_shard_modify_mode = 'sequential'; SET LOCAL citus.enable_unsafe_triggers = on"
# So many milliseconds each node has to let us in.
_NODE_WITHIN = 1000
_UNREACHABLE = "SELECT nodename, nodeport FROM run_command_on_workers('SELECT 1') WHERE NOT success ORDER BY 1, 2"


async def check_citus(driver: asyncpg.Connection) -> None:
    """Raise unless the database has the extension."""
    if not await driver.fetchval(_HAS_CITUS):
        raise UnusableDatabaseError(
            "has no Citus: run CREATE EXTENSION citus on each node, or set DATABASE_SHARDING=none"
        )


async def is_distributed(driver: asyncpg.Connection) -> bool:
    """Tell whether each of our tables is."""
    return not await driver.fetch(_LOCAL) and bool(await driver.fetchval(_IS_ON_ALL_NODES))


async def fault_of_nodes(driver: asyncpg.Connection) -> str | None:
    """Return which nodes do not let us in, or that some tables are not distributed, or None.

    Wants a new connection: an old one waits on its own connections to nodes that are silent.
    """
    await driver.execute(f"SET citus.node_connection_timeout = {_NODE_WITHIN}")
    if silent := await driver.fetch(_UNREACHABLE):
        return f"no answer of {', '.join(f'{name}:{port}' for name, port in silent)}"
    if not await is_distributed(driver):
        return "some tables are not distributed: run python -m app migrate"
    return None


def prepare(connection: Connection) -> None:
    """Let the migrations of this transaction change distributed tables, which only the coordinator can."""
    if connection.exec_driver_sql(_IS_COORDINATOR).scalar() is False:
        raise UnusableDatabaseError("is on a node that cannot change tables: name the coordinator's")
    for statement in _PREPARATION.split("; "):
        connection.exec_driver_sql(statement)


def refuse_distributed(connection: Connection) -> None:
    """Raise where tables are distributed already, among which new ones could not work alone."""
    if connection.exec_driver_sql(_HAS_CITUS).scalar() and _names(connection, _DISTRIBUTED):
        raise UnusableDatabaseError("has distributed tables: set DATABASE_SHARDING=citus")


def distribute(connection: Connection, functions: Iterable[NodeFunction] = ()) -> None:
    """Distribute each table that is not, and remove its rows from the coordinator; and each of these functions.

    The version of the tables goes to all nodes, so that a gateway may be connected to any of them.
    """
    local = _names(connection, _LOCAL)
    beside = next(iter(_names(connection, _DISTRIBUTED)), None)
    for name in _referred_first(connection, local):
        _run(connection, f"create_distributed_table('{name}', 'tenant_id', colocate_with => '{beside or 'none'}')")
        beside = beside or name
    for name in local:
        _run(connection, f"truncate_local_data_after_distributing_table('{name}')")
    if not connection.exec_driver_sql(_IS_ON_ALL_NODES).scalar():
        _run(connection, f"create_reference_table('{VERSION_TABLE}')")
    for function in functions:
        function.distribute(connection)


def _names(connection: Connection, query: str) -> list[str]:
    return cast("list[str]", list(connection.exec_driver_sql(query).scalars()))


def _referred_first(connection: Connection, names: list[str]) -> list[str]:
    """Return the tables in an order in which each comes after those that its foreign keys refer to."""
    referred: dict[str, set[str]] = {name: set() for name in names}
    for referring, other in connection.exec_driver_sql(_REFERENCES):
        if referring in referred and other in referred and other != referring:
            referred[referring].add(other)
    return list(TopologicalSorter(referred).static_order())


def _run(connection: Connection, call: str) -> None:
    # The names are our own, as the server writes them, and a client's library would not know the types.
    connection.exec_driver_sql(f"SELECT {call}")
