"""The tables on a cluster with Citus: distributed by tenant by whatever way they came, and nodes that are missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import anyio
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, insert, text

from app.adapters.database import citus as distribution
from app.adapters.database.migrator import migrate
from app.adapters.database.opening import open_database
from app.adapters.database.schema_version import newest_migration
from app.commands.command_line import main
from app.domain.database_limits import DatabaseLimits
from app.domain.errors import ConflictError
from app.domain.ports import Connection as PortConnection
from app.domain.ports import Database
from app.domain.sharding import Sharding
from app.repositories.sessions import READ_ON_NODES
from app.settings import Settings
from tests.harness.citus import CitusCluster
from tests.harness.migration import VERSIONS, on, value_of
from tests.harness.postgresql import PostgresqlServer
from tests.harness.readmes import documents
from tests.harness.server import PATIENCE

# The last migration of release 1.0.
RELEASE_1_0 = "0003"
# By how they are distributed: the number of co-located groups, and whether any row is left on the coordinator.
GROUPS = "SELECT count(DISTINCT colocationid) FROM pg_dist_partition WHERE partmethod = 'h'"
LEFT = "SELECT sum(pg_relation_size(logicalrelid)) FROM pg_dist_partition WHERE partmethod = 'h'"
FUNCTIONS = "SELECT count(*) FROM pg_dist_object WHERE distribution_argument_index IS NOT NULL"
LOCAL = """SELECT count(*) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = c.oid AND d.partmethod = 'h')"""
TENANTS = ("big", "small")
# A line of the audit that is too young to be deleted.
NEW_LINE = (
    "INSERT INTO audit_event (tenant_id, id, occurred_at, action, outcome, request_id, detail)"
    " VALUES ('x', 'new', now(), 'login', 'done', 'r', '{}')"
)
ADD = "INSERT INTO webhook_endpoint (tenant_id, url, failures) VALUES ('{tenant}', 'u', 0)"
CHANGE = "UPDATE webhook_endpoint SET failures = failures + 1 WHERE tenant_id = '{tenant}'"
ROWS = ("SELECT count(*) FROM customer", "SELECT count(*) FROM address", "SELECT count(*) FROM audit_event")
NODE_OF_BIG = """SELECT nodeport FROM pg_dist_placement JOIN pg_dist_node USING (groupid)
    WHERE shardid = get_shard_id_for_distribution_column('{table}', 'big')"""
LATER = (
    """CREATE TABLE later (tenant_id varchar(64), id varchar(36), customer_id varchar(36),
    PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id, customer_id) REFERENCES customer (tenant_id, id))""",
    "CREATE TABLE kept (tenant_id varchar(64), id varchar(36), PRIMARY KEY (tenant_id, id)) PARTITION BY RANGE (id)",
    "CREATE TABLE kept_1 PARTITION OF kept FOR VALUES FROM ('a') TO ('m')",
    "INSERT INTO kept VALUES ('x', 'b')",
)


def as_release_1_0(*, distributed: bool) -> Callable[[Connection], None]:
    """Return what makes the tables of release 1.0, with a row in each."""

    def work(connection: Connection) -> None:
        if distributed:
            distribution.prepare(connection)
        config = Config()
        config.set_main_option("script_location", str(VERSIONS.parent))
        config.attributes["connection"] = connection
        command.upgrade(config, RELEASE_1_0)
        tables = MetaData()
        tables.reflect(connection, only=lambda name, _: not name.startswith(("alembic_", "citus_")))
        for table in tables.sorted_tables:
            values = {each.name: value_of(each.type) for each in table.columns if each.name != "password_hash"}
            connection.execute(insert(table).values(values))
        if distributed:
            distribution.distribute(connection)

    return work


@pytest.fixture
def empty(citus: CitusCluster) -> Iterator[str]:
    """Give the test a database without tables on the cluster."""
    name = citus.create_database()
    yield name
    citus.drop_database(name)


@asynccontextmanager
async def use(database: Database) -> AsyncIterator[PortConnection]:
    """Give a connection for a while."""
    connection = database.connect()
    try:
        yield connection
    finally:
        await connection.close()


class TestMigrate:
    @pytest.mark.parametrize("distributed", [False, True], ids=["on one server", "on the cluster"])
    def test_distributes_the_tables_of_release_1_0_with_their_rows(
        self, distributed: bool, citus: CitusCluster, empty: str
    ) -> None:
        url = citus.url(empty)
        on(url, as_release_1_0(distributed=distributed))
        for _again in range(2):
            migrate(url, sharding=Sharding.CITUS)
            found = citus.run(LOCAL, GROUPS, LEFT, *ROWS, "SELECT version_num FROM alembic_version", database=empty)
            assert found.split() == ["0", "1", "0", "1", "1", "1", newest_migration()]

    def test_distributes_what_is_new_beside_what_is_there(self, citus: CitusCluster, empty: str) -> None:
        url = citus.url(empty)
        migrate(url, sharding=Sharding.CITUS)
        citus.run(*LATER, database=empty)
        migrate(url, sharding=Sharding.CITUS)
        next_part = "CREATE TABLE kept_2 PARTITION OF kept FOR VALUES FROM ('m') TO ('z')"
        citus.run(next_part, "INSERT INTO kept VALUES ('x', 'n')", "DROP TABLE kept_1", database=empty)
        found = citus.run(LOCAL, GROUPS, LEFT, "SELECT id FROM kept", database=empty)
        assert found.split() == ["0", "1", "0", "n"]
        # Whoever forgets the setting makes no table that stays alone.
        with pytest.raises(OSError, match=r"^has distributed tables: set DATABASE_SHARDING=citus$"):
            migrate(url)

    def test_lets_an_ordinary_user_do_it(self, citus: CitusCluster, empty: str) -> None:
        citus.run("CREATE ROLE shop LOGIN", "CREATE ROLE visitor LOGIN")
        citus.run("GRANT CREATE ON SCHEMA public TO shop", database=empty)
        migrate(citus.url(empty, user="shop"), sharding=Sharding.CITUS, on_nodes=READ_ON_NODES)
        assert citus.run(LOCAL, GROUPS, FUNCTIONS, database=empty).split() == ["0", "1", "1"]
        citus.run(LATER[0], database=empty)
        with pytest.raises(OSError, match=r"permission denied|must be owner"):
            migrate(citus.url(empty, user="visitor"), sharding=Sharding.CITUS)

    def test_keeps_the_audit_growing(self, citus: CitusCluster, empty: str) -> None:
        on(citus.url(empty), as_release_1_0(distributed=True))
        migrate(citus.url(empty), sharding=Sharding.CITUS)
        citus.run(NEW_LINE, database=empty)
        for statement in ("DELETE FROM audit_event WHERE tenant_id = 'x'", "UPDATE audit_event SET action = 'y'"):
            with pytest.raises(AssertionError, match="audit_event only grows"):
                citus.run(statement, database=empty)

    def test_wants_nodes_to_distribute_to(self, citus: CitusCluster, empty: str) -> None:
        citus.run(*(f"SELECT citus_remove_node('127.0.0.1', {port})" for port in citus.ports[1:]), database=empty)
        with pytest.raises(OSError, match=r"^cannot be distributed: "):
            migrate(citus.url(empty), sharding=Sharding.CITUS)
        assert citus.run("SELECT to_regclass('customer') IS NULL", database=empty) == "t"

    def test_is_for_the_coordinator(self, citus: CitusCluster, empty: str) -> None:
        with pytest.raises(OSError, match=r"^is on a node that cannot change tables: name the coordinator's$"):
            migrate(citus.url(empty, node=1), sharding=Sharding.CITUS)


class TestLargeTenant:
    def test_gets_a_node_of_its_own_with_all_its_rows_as_the_readme_says(self, citus: CitusCluster, empty: str) -> None:
        on(citus.url(empty), as_release_1_0(distributed=True))
        migrate(citus.url(empty), sharding=Sharding.CITUS)
        citus.run(ADD.format(tenant="big"), database=empty)
        (instructions,) = [text for document in documents() for text in document.texts("sql")]
        isolate, where, move = instructions.rstrip().removesuffix(";").split(";")
        here = citus.run(isolate, where, database=empty).split("|")[-1]
        there = str(next(port for port in citus.ports[1:] if str(port) != here))
        for name, port in (("db-1", here), ("db-2", there)):
            move = move.replace(f"'{name}', 5432", f"'127.0.0.1', {port}")
        citus.run(move, database=empty)
        of_tables = [NODE_OF_BIG.format(table=table) for table in ("customer", "webhook_endpoint", "audit_event")]
        found = citus.run(*of_tables, "SELECT url FROM webhook_endpoint WHERE tenant_id = 'big'", database=empty)
        assert found.split() == [there, there, there, "u"]
        # And what a later migration makes goes there too.
        citus.run(*LATER, database=empty)
        migrate(citus.url(empty), sharding=Sharding.CITUS)
        found = citus.run(LOCAL, GROUPS, NODE_OF_BIG.format(table="later"), database=empty)
        assert found.split() == ["0", "1", there]


def test_a_dump_of_the_coordinator_is_restored_and_distributed_again(citus: CitusCluster, empty: str) -> None:
    on(citus.url(empty), as_release_1_0(distributed=True))
    migrate(citus.url(empty), sharding=Sharding.CITUS, on_nodes=READ_ON_NODES)
    other = citus.create_database()
    try:
        citus.copy(empty, other)
        migrate(citus.url(other), sharding=Sharding.CITUS, on_nodes=READ_ON_NODES)
        found = citus.run(LOCAL, GROUPS, LEFT, *ROWS, FUNCTIONS, database=other).split()
        assert found == ["0", "1", "0", "1", "1", "1", "1"]
    finally:
        citus.drop_database(other)


@pytest.mark.parametrize("command_", ["migrate", "serve"])
def test_a_server_without_citus_is_a_line_at_the_start(
    command_: str,
    postgresql: PostgresqlServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", postgresql.url("postgres"))
    monkeypatch.setenv("DATABASE_SHARDING", "citus")
    assert main([command_]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "DATABASE_URL names a database that has no Citus: "
        "run CREATE EXTENSION citus on each node, or set DATABASE_SHARDING=none"
    )


@pytest.fixture
async def database(citus: CitusCluster, citus_database: str) -> AsyncIterator[Database]:
    """Open the database that is kept, with all the time that a busy machine needs."""
    opened = open_database(citus.url(citus_database), DatabaseLimits(seconds=60.0), sharding=Sharding.CITUS)
    yield opened
    await opened.close()
    citus.empty(citus_database)


class TestConflict:
    @pytest.mark.anyio
    async def test_of_transactions_on_two_nodes_ends_one_of_them(self, database: Database) -> None:
        async with use(database) as connection:
            for tenant in TENANTS:
                await connection.write_anew(text(ADD.format(tenant=tenant)))
            await connection.commit()
        both_hold = asyncio.Barrier(2)

        async def change(*tenants: str) -> str:
            async with use(database) as connection:
                try:
                    await connection.write_anew(text(CHANGE.format(tenant=tenants[0])))
                    await both_hold.wait()
                    await connection.write_anew(text(CHANGE.format(tenant=tenants[1])))
                    await connection.commit()
                except ConflictError:
                    return "conflict"
                return "done"

        ends = await asyncio.gather(change(*TENANTS), change(*reversed(TENANTS)))
        assert sorted(ends) == ["conflict", "done"]


async def faults_until(database: Database, line: str | None) -> None:
    """Return as soon as the faults have that line, or are none; a busy machine may have others before."""
    with anyio.fail_after(PATIENCE):
        while True:
            faults = await database.faults()
            if (not faults) if line is None else (line in faults):
                return


class TestNodes:
    @pytest.mark.anyio
    async def test_are_named_when_they_do_not_answer(self, database: Database, citus: CitusCluster) -> None:
        await faults_until(database, None)
        citus.stop_node(1)
        await faults_until(database, f"database nodes: no answer of 127.0.0.1:{citus.ports[1]}")
        citus.start_node(1)
        await faults_until(database, None)
        citus.freeze_node(2)
        try:
            await faults_until(database, f"database nodes: no answer of 127.0.0.1:{citus.ports[2]}")
        finally:
            citus.thaw_node(2)
        await faults_until(database, None)
