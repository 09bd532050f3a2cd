"""The removal of what was over long ago."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.requests import RequestFacts
from app.models import TABLES
from app.models.base import TenantRow
from app.models.sessions import AccessToken, Session
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork
from app.services.worker.pace import FIRST, LEAST, MOST, Pace
from app.services.worker.purge import _KEPT, purge_expired
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio

PURGED = ("access_token", "refresh_token", "one_time_token", "session", "outbox_message")


async def count(gateway: Gateway) -> dict[str, int]:
    return {table: (await gateway.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in PURGED}  # noqa: S608


async def add_tokens(gateway: Gateway, amounts: dict[str, int]) -> None:
    """Write so many access tokens of each tenant that end now."""
    for tenant_id, amount in amounts.items():
        async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
            uow.enter(gateway.tools.tenants.tenant("demo").model_copy(update={"id": tenant_id}))
            for number in range(amount):
                token = AccessToken(
                    tenant_id=tenant_id,
                    token_hash=number.to_bytes(32),
                    session_id="of-nobody",
                    created_at=uow.now,
                    expires_at=uow.now,
                )
                await uow.sessions.add_access_token(token)


async def purge(gateway: Gateway) -> int:
    removed = 0
    while gone := await purge_expired(gateway.tools):
        removed += gone
    return removed


class TestPurgeExpired:
    async def test_leaves_what_is_alive(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await gateway.signed_up()
        before = await count(gateway)
        assert await purge(gateway) == 0
        assert await count(gateway) == before
        assert (await gateway.graphql("{ me { id } }", token=person.tokens.access))["me"]["id"] == person.id

    async def test_still_knows_for_a_while_what_has_expired(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        gateway.clock.advance(hours=2)
        await purge(gateway)
        assert (await gateway.graphql("{ me { id } }", token=person.tokens.access)).reason == "EXPIRED"

    async def test_removes_everything_in_the_end(self, gateway: Gateway) -> None:
        await gateway.customer()
        await gateway.signed_up()
        await gateway.deliver()
        gateway.clock.advance(days=61)
        assert await purge(gateway) > 0
        assert await count(gateway) == dict.fromkeys(PURGED, 0)

    async def test_never_removes_what_waits_in_the_outbox(self, gateway: Gateway) -> None:
        await gateway.signed_up()
        gateway.clock.advance(days=400)
        await purge(gateway)
        assert (await count(gateway))["outbox_message"] == 1

    async def test_never_removes_what_was_given_up(self, gateway: Gateway) -> None:
        await gateway.signed_up()
        async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
            (message,) = await uow.outbox_queue.claim(uow.now, uow.now, 1)
            await uow.outbox_queue.settle(message, dead_at=uow.now)
        gateway.clock.advance(days=400)
        await purge(gateway)
        assert (await count(gateway))["outbox_message"] == 1

    async def test_removes_each_row_once_with_four_workers(self, gateway: Gateway) -> None:
        await add_tokens(gateway, {"demo": 3 * FIRST})
        gateway.clock.advance(days=3)
        removed = await asyncio.gather(*(purge_expired(gateway.tools) for _ in range(4)))
        assert sum(removed) + await purge(gateway) == 3 * FIRST

    async def test_names_the_tenant_in_every_deletion_and_locks_nothing_to_find_it(self, gateway: Gateway) -> None:
        # A few of one shop, and many of another.
        await add_tokens(gateway, {"demo": 30, "other": 2})
        gateway.clock.advance(days=3)
        with gateway.count_statements() as statements:
            assert await purge(gateway) == 32
        assert [each for each in statements if "FOR UPDATE" in each and "tenant_id = " not in each] == []
        deletions = [each for each in statements if each.startswith("DELETE")]
        assert len(deletions) > 1
        assert [each for each in deletions if "tenant_id = " not in each] == []

    async def test_leaves_a_batch_that_another_worker_is_at(self, gateway: Gateway) -> None:
        await add_tokens(gateway, {"demo": 30})
        gateway.clock.advance(days=3)
        async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
            ((_, keys),) = (await uow.past_rows.list(AccessToken, "expires_at", uow.now, 10)).items()
            assert await uow.past_rows.claim(AccessToken, "demo", keys[0])
            assert await uow.past_rows.delete(AccessToken, "expires_at", uow.now, "demo", keys) == 10
            other = asyncio.create_task(purge_expired(gateway.tools))
            if not gateway.tools.database.has_one_writer:
                assert await other == 0
        # On SQLite it waits for the other's end instead.
        assert await other + await purge(gateway) == 20

    @pytest.mark.parametrize(("model", "moment"), [(model, moment) for model, moment, _ in _KEPT])
    def test_finds_each_kind_by_an_index(self, model: type[TenantRow], moment: str) -> None:
        assert moment in {index.columns[0].name for index in model.__table__.indexes}

    @pytest.mark.parametrize("model", [model for model in TABLES if "expires_at" in model.__table__.c])
    def test_forgets_no_kind_that_expires(self, model: type[TenantRow]) -> None:
        assert (model, "expires_at") in {(kind, moment) for kind, moment, _ in _KEPT}


class TestPace:
    def test_begins_with_few_rows(self) -> None:
        assert Pace().rows_of(AccessToken) == FIRST

    def test_takes_more_of_a_table_that_can_take_it(self) -> None:
        pace = Pace()
        pace.learn(AccessToken, FIRST, 0.001)
        assert (pace.rows_of(AccessToken), pace.rows_of(Session)) == (2 * FIRST, FIRST)

    def test_takes_fewer_where_others_have_to_wait(self) -> None:
        pace = Pace()
        pace.learn(AccessToken, FIRST, 0.2)
        assert pace.rows_of(AccessToken) == FIRST // 2

    def test_learns_nothing_from_a_batch_that_was_not_full(self) -> None:
        pace = Pace()
        pace.learn(AccessToken, FIRST - 1, 0.001)
        assert pace.rows_of(AccessToken) == FIRST

    @pytest.mark.parametrize(("seconds", "rows"), [(0.0, MOST), (9.0, LEAST)])
    def test_keeps_within_bounds(self, seconds: float, rows: int) -> None:
        pace = Pace()
        for _ in range(20):
            pace.learn(AccessToken, MOST, seconds)
        assert pace.rows_of(AccessToken) == rows
