"""Failures of an endpoint are counted without losing one, and one message at a time tries a paused one."""

from __future__ import annotations

import pytest

from app.domain.ports import Database
from app.models.webhook_endpoints import WebhookEndpointState
from app.repositories.webhook_endpoints import WebhookEndpointRepository
from tests.harness.rows import LATER, NOW
from tests.harness.transactions import AT_ONCE, at_once, transaction, write

pytestmark = pytest.mark.anyio

URL = "https://hooks.example"


class TestWebhookEndpointRepository:
    async def test_counts_every_failure_of_sixteen_at_once(self, database: Database) -> None:
        counts = await at_once(
            database, lambda connection: WebhookEndpointRepository(connection, "shop").note_failure(URL)
        )
        assert sorted(counts) == list(range(1, AT_ONCE + 1))

    async def test_lets_one_of_sixteen_at_once_try_a_paused_endpoint(self, database: Database) -> None:
        await write(database, WebhookEndpointState(tenant_id="shop", url=URL, paused_until=NOW))
        claimed = await at_once(
            database, lambda connection: WebhookEndpointRepository(connection, "shop").claim_probe(URL, NOW, LATER)
        )
        assert sorted(claimed) == [False] * (AT_ONCE - 1) + [True]

    async def test_lets_nobody_try_before_the_pause_is_over(self, database: Database) -> None:
        await write(database, WebhookEndpointState(tenant_id="shop", url=URL, paused_until=LATER))
        async with transaction(database) as connection:
            assert not await WebhookEndpointRepository(connection, "shop").claim_probe(URL, NOW, LATER)

    async def test_remembers_that_an_endpoint_is_gone_until_somebody_says_otherwise(self, database: Database) -> None:
        async with transaction(database) as connection:
            endpoints = WebhookEndpointRepository(connection, "shop")
            await endpoints.note_gone(URL, NOW)
            state = await endpoints.find(URL)
            assert state is not None
            assert state.gone_at == NOW
            await endpoints.forget(URL)
            assert await endpoints.find(URL) is None
