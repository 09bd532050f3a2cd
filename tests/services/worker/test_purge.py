"""The removal of what was over long ago."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.requests import RequestFacts
from app.models import TABLES
from app.models.base import TenantRow
from app.models.sessions import AccessToken
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork
from app.services.worker.purge import _KEPT, BATCH, purge_expired
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio

PURGED = ("access_token", "refresh_token", "one_time_token", "session", "outbox_message")


async def count(gateway: Gateway) -> dict[str, int]:
    return {table: (await gateway.rows(f"SELECT count(*) FROM {table}"))[0][0] for table in PURGED}  # noqa: S608


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

    async def test_removes_a_batch_at_a_time_and_each_row_once_with_two_workers(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
            uow.enter(gateway.tools.tenants.tenant("demo"))
            for number in range(BATCH + 50):
                token = AccessToken(
                    tenant_id="demo",
                    token_hash=number.to_bytes(32),
                    session_id=tokens.session_id,
                    created_at=uow.now,
                    expires_at=uow.now,
                )
                await uow.sessions.add_access_token(token)
        gateway.clock.advance(days=3)
        removed = await asyncio.gather(*(purge_expired(gateway.tools) for _ in range(4)))
        assert max(removed) <= BATCH
        assert sum(removed) + await purge(gateway) == BATCH + 50

    @pytest.mark.parametrize(("model", "moment"), [(model, moment) for model, moment, _ in _KEPT])
    def test_finds_each_kind_by_an_index(self, model: type[TenantRow], moment: str) -> None:
        assert moment in {index.columns[0].name for index in model.__table__.indexes}

    @pytest.mark.parametrize("model", [model for model in TABLES if "expires_at" in model.__table__.c])
    def test_forgets_no_kind_that_expires(self, model: type[TenantRow]) -> None:
        assert (model, "expires_at") in {(kind, moment) for kind, moment, _ in _KEPT}
