"""Transactions that are in each other's way: the one that PostgreSQL ends is run again, as if it had come later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import asyncpg
import pytest

from app.domain.requests import RequestFacts
from app.models.outbox import OutboxKind
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork
from tests.factories import address_input
from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.client import Answer
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.postgresql import PostgresqlServer, free_port
from tests.harness.server import PATIENCE
from tests.test_metrics import read_metrics

pytestmark = pytest.mark.anyio

AT_ONCE = 16
CITIES = "{ addresses { city } }"
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
# A sequence counts on when its transaction is rolled back, so it tells how often one was run.
ENDING = """
CREATE SEQUENCE runs;
CREATE FUNCTION end_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('runs') <= {times} THEN
        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '{code}';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER conflict AFTER {event} ON {table}
    DEFERRABLE INITIALLY {when} FOR EACH ROW EXECUTE FUNCTION end_it();
"""
WHEN = {"its statement": "IMMEDIATE", "its COMMIT": "DEFERRED"}
SERIALIZATION, DEADLOCK = "40001", "40P01"


@pytest.fixture
def database_url(postgresql: PostgresqlServer, postgresql_template: str) -> Iterator[str]:
    """Give one test a database of the only engine that ends transactions because of others."""
    name = postgresql.create_database(postgresql_template)
    yield postgresql.url(name)
    postgresql.drop_database(name)


@pytest.fixture
def settings_environment() -> dict[str, str]:
    return {"METRICS_PORT": str(free_port())}


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Open a second connection to the database, beside the gateway's."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def end_transactions(
    other: asyncpg.Connection,
    times: int,
    when: str = "its COMMIT",
    code: str = SERIALIZATION,
    *,
    table: str = "address",
    event: str = "INSERT",
) -> None:
    """Have the server end so many transactions that write this table."""
    await other.execute(ENDING.format(times=times, code=code, table=table, event=event, when=WHEN[when]))


async def runs(other: asyncpg.Connection) -> int:
    return int(await other.fetchval("SELECT last_value FROM runs"))


async def create(gateway: Gateway, token: str, headers: dict[str, str] | None = None) -> Answer:
    return await gateway.graphql(operations.CREATE_ADDRESS, {"input": address_input()}, token, headers)


async def cities(gateway: Gateway, token: str) -> list[str]:
    return [each["city"] for each in (await gateway.graphql(CITIES, token=token))["addresses"]]


def outcome(answer: Answer) -> Any:
    """Return what SERVICE_BUSY says of the work."""
    assert answer.codes == ["SERVICE_BUSY"]
    assert answer.errors[0]["extensions"]["retryAfter"] == 1
    return answer.errors[0]["extensions"]["outcome"]


class TestRootField:
    @pytest.mark.parametrize("when", WHEN)
    @pytest.mark.parametrize("code", [SERIALIZATION, DEADLOCK])
    async def test_is_run_again_three_times(
        self, gateway: Gateway, other: asyncpg.Connection, settings_environment: dict[str, str], when: str, code: str
    ) -> None:
        token = (await gateway.customer()).tokens.access
        await end_transactions(other, 3, when, code)
        assert (await create(gateway, token))["createAddress"]["userErrors"] == []
        assert await cities(gateway, token) == ["Berlin"]
        assert await runs(other) == 4
        assert 'conflicts_total{outcome="repeated"} 3.0' in await read_metrics(settings_environment)

    @pytest.mark.parametrize("when", WHEN)
    async def test_is_not_done_after_the_fourth_conflict(
        self, gateway: Gateway, other: asyncpg.Connection, settings_environment: dict[str, str], when: str
    ) -> None:
        token = (await gateway.customer()).tokens.access
        await end_transactions(other, 4, when)
        assert outcome(await create(gateway, token)) == "NOT_DONE"
        assert await cities(gateway, token) == []
        assert await runs(other) == 4
        assert 'conflicts_total{outcome="given_up"} 1.0' in await read_metrics(settings_environment)
        assert (await create(gateway, token)).codes == []

    async def test_is_counted_once_by_limits(self, gateway: Gateway, other: asyncpg.Connection) -> None:
        await end_transactions(other, 3, table="visit")
        for number in range(61):
            answer = await gateway.graphql(operations.ANONYMOUS_LOGIN, {"input": {"clientId": "demo-storefront"}})
            assert answer.codes == ([] if number < 60 else ["RATE_LIMITED"])
            gateway.clock.advance(seconds=0.1)
        assert len(await gateway.rows("SELECT 1 FROM visit")) == 60

    async def test_leaves_what_the_field_before_it_has_done(self, gateway: Gateway, other: asyncpg.Connection) -> None:
        token = (await gateway.customer()).tokens.access
        both = """mutation ($a: AddressInput!, $b: AddressInput!) {
            a: createAddress(input: $a) { address { city } }
            b: createAddress(input: $b) { address { city } }
        }"""
        await end_transactions(other, 1)
        answer = await gateway.graphql(both, {"a": address_input(), "b": address_input(city="Hamburg")}, token)
        assert answer.codes == []
        assert sorted(await cities(gateway, token)) == ["Berlin", "Hamburg"]


class TestCallWithKey:
    async def test_is_run_again_and_answers_the_same_again(self, gateway: Gateway, other: asyncpg.Connection) -> None:
        token = (await gateway.customer()).tokens.access
        await end_transactions(other, 3, "its statement")
        first = await create(gateway, token, KEY)
        assert first["createAddress"]["userErrors"] == []
        assert (await create(gateway, token, KEY)).data == first.data
        assert await cities(gateway, token) == ["Berlin"]

    async def test_may_be_sent_again_at_once_when_its_commit_is_refused(
        self, gateway: Gateway, other: asyncpg.Connection, settings_environment: dict[str, str]
    ) -> None:
        token = (await gateway.customer()).tokens.access
        await end_transactions(other, 1)
        body = {"query": operations.CREATE_ADDRESS, "variables": {"input": address_input()}}
        refused = await gateway.http.post("/graphql", json=body, headers={**KEY, "Authorization": f"Bearer {token}"})
        assert refused.status_code == 503
        assert refused.json()["errors"][0]["extensions"]["outcome"] == "NOT_DONE"
        assert 'conflicts_total{outcome="given_up"} 1.0' in await read_metrics(settings_environment)
        assert (await create(gateway, token, KEY))["createAddress"]["userErrors"] == []
        assert await cities(gateway, token) == ["Berlin"]


class TestUnitBeside:
    async def test_keeps_the_unit_from_running_again_once_it_is_committed(self, gateway: Gateway) -> None:
        async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
            async with uow.beside() as reading:
                await reading.outbox_queue.has_due(reading.now, OutboxKind.MAIL)
            assert uow.may_begin_again
            async with uow.beside() as writing:
                await writing.mail_server.forget("smtp")
            assert not uow.may_begin_again


class TestWorker:
    async def test_sends_a_mail_once_when_it_cannot_write_that_down_at_first(
        self, gateway: Gateway, other: asyncpg.Connection
    ) -> None:
        visitor = await gateway.anonymous()
        await gateway.signup(visitor.access, email="anna@example.com")
        await end_transactions(other, 3, table="outbox_message", event="UPDATE OF delivered_at")
        await gateway.deliver()
        assert len(gateway.mails("anna@example.com")) == 1
        assert await gateway.rows("SELECT 1 FROM outbox_message WHERE delivered_at IS NULL AND kind <> 'event'") == []


class TestDeadlock:
    async def test_is_survived_by_the_one_that_it_ends(
        self, environment: dict[str, str], clock: MovableClock, other: asyncpg.Connection
    ) -> None:
        """Only the gateway looks for deadlocks, and so is the one that is ended."""
        url = f"{environment['DATABASE_URL']}?options=-c%20deadlock_timeout%3D2s"
        await other.execute("SET deadlock_timeout = '10min'")
        async with run_gateway({**environment, "DATABASE_URL": url}, clock) as gateway:
            person = await gateway.customer()
            address = (await create(gateway, person.tokens.access))["createAddress"]["address"]
            change = {"input": {"id": address["id"], "city": "Hamburg"}}
            async with other.transaction():
                await other.execute("SELECT 1 FROM address FOR UPDATE")
                call = asyncio.create_task(gateway.graphql(operations.UPDATE_ADDRESS, change, person.tokens.access))
                with anyio.fail_after(PATIENCE):
                    while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110 — it is the gateway that moves on
                        await anyio.sleep(0.01)
                await other.execute("SELECT 1 FROM customer FOR UPDATE")
            assert (await call)["updateAddress"]["userErrors"] == []
            assert await cities(gateway, person.tokens.access) == ["Hamburg"]
            assert 'conflicts_total{outcome="repeated"} 1.0' in await read_metrics(environment)


class TestSerializable:
    async def test_sixteen_writers_of_one_customer_are_answered_rightly(
        self, environment: dict[str, str], clock: MovableClock
    ) -> None:
        url = f"{environment['DATABASE_URL']}?options=-c%20default_transaction_isolation%3Dserializable"
        async with run_gateway({**environment, "DATABASE_URL": url}, clock) as gateway:
            token = (await gateway.customer()).tokens.access
            answers = await asyncio.gather(*(create(gateway, token) for _ in range(AT_ONCE)))
            done = [answer for answer in answers if answer.codes == []]
            assert all(answer["createAddress"]["userErrors"] == [] for answer in done)
            assert {outcome(answer) for answer in answers if answer not in done} <= {"NOT_DONE"}
            assert len(await cities(gateway, token)) == len(done) > 1
            assert 'conflicts_total{outcome="repeated"}' in await read_metrics(environment)
