"""A real PgBouncer that hands connections on after each transaction: found out, migrated through, and under load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.adapters.database.opening import open_database
from app.adapters.database.postgresql import PostgresqlDatabase
from app.commands.command_line import main
from app.domain.database_limits import DatabaseLimits, Pooler
from app.domain.ports import Database
from app.settings import Settings
from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.pgbouncer import PgBouncer, run_pgbouncer
from tests.harness.postgresql import PostgresqlServer

pytestmark = pytest.mark.anyio

# More than one gateway's connections, over fewer servers: two statements of one client are seldom on the same one.
SERVERS = 3
UPDATE_ME = "mutation ($input: UpdateMeInput!) { updateMe(input: $input) { userErrors { code } } }"


@pytest.fixture(scope="module")
def pooler(postgresql: PostgresqlServer) -> Iterator[PgBouncer]:
    with run_pgbouncer(postgresql.port, postgresql.user, size=SERVERS) as running:
        yield running


@pytest.fixture
def name(postgresql: PostgresqlServer, postgresql_template: str) -> Iterator[str]:
    made = postgresql.create_database(postgresql_template)
    yield made
    postgresql.drop_database(made)


@pytest.fixture(params=["found out", "said"])
async def gateways(
    request: pytest.FixtureRequest, pooler: PgBouncer, name: str, clock: MovableClock, tmp_path: Path
) -> AsyncIterator[list[Gateway]]:
    """Run two gateways with their workers on one database behind the pooler."""
    environment = {"DATABASE_URL": pooler.url(name), "STATE_DIR": str(tmp_path), "DATABASE_CONNECTIONS": "5"}
    if request.param == "said":
        environment["DATABASE_POOLER"] = "transaction"
    async with run_gateway(environment, clock) as one, run_gateway(environment, clock) as other:
        yield [one, other]


def is_pooled(database: Database) -> bool | None:
    assert isinstance(database, PostgresqlDatabase)
    return database._connector.is_pooled


class TestTransactionMode:
    async def test_serves_whole_journeys_under_load(self, gateways: list[Gateway]) -> None:
        async def shop(gateway: Gateway, number: int) -> None:
            gateway_of_reads = gateways[number % 2]
            person = await gateway.signed_up("open-storefront", email=f"shopper-{number}@example.com")
            tokens = await gateway.login(person.email, client_id="open-storefront")
            for _ in range(6):
                answer = await gateway_of_reads.graphql("{ me { email addresses { city } } }", token=tokens.access)
                assert answer["me"] == {"email": person.email, "addresses": []}, answer.errors
                tokens = await gateway.refresh(tokens.refresh)
                changed = {"input": {"company": f"Company {number}"}}
                answer = await gateway_of_reads.graphql(UPDATE_ME, changed, tokens.access)
                assert not answer.errors
            answer = await gateway.graphql("{ me { company } }", token=tokens.access)
            assert answer["me"] == {"company": f"Company {number}"}

        await asyncio.gather(*(shop(gateways[number % 2], number) for number in range(12)))
        for gateway in gateways:
            answer = await gateway.http.get("/readyz")
            assert (answer.status_code, answer.text) == (200, "ready")

    async def test_leaves_nothing_prepared_on_the_servers(
        self, gateways: list[Gateway], pooler: PgBouncer, name: str
    ) -> None:
        await gateways[0].signed_up("open-storefront")
        rows = await gateways[0].rows("SELECT name FROM pg_prepared_statements")
        assert rows == []


class TestFinding:
    async def test_knows_a_pooler_from_a_server(
        self, pooler: PgBouncer, postgresql: PostgresqlServer, name: str
    ) -> None:
        for url, pooled in ((pooler.url(name), True), (postgresql.url(name), False)):
            database = open_database(url)
            assert await database.is_ready()
            assert is_pooled(database) is pooled
            await database.close()

    async def test_believes_what_is_said_of_a_pooler_that_keeps_its_servers(
        self, postgresql: PostgresqlServer, name: str
    ) -> None:
        with run_pgbouncer(postgresql.port, postgresql.user, mode="session", size=10) as keeping:
            database = open_database(keeping.url(name), DatabaseLimits(5, pooler=Pooler.NONE))
            assert await database.faults() == []
            assert is_pooled(database) is False
            await database.close()


class TestMigrate:
    def test_makes_the_tables_through_a_pooler(
        self, pooler: PgBouncer, postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for variable in Settings.model_fields:
            monkeypatch.delenv(variable.upper(), raising=False)
        empty = postgresql.create_database()
        monkeypatch.setenv("DATABASE_URL", pooler.url(empty))
        monkeypatch.setenv("STATE_DIR", str(tmp_path))
        assert main(["migrate"]) == 0
        assert main(["migrate"]) == 0
        assert main(["outbox"]) == 0
        postgresql.drop_database(empty)
