"""An assertion is used once, and a revoked token stays revoked."""

from __future__ import annotations

import pytest

from app.domain.ports import Connection, Database
from app.models.integration_tokens import IntegrationToken, UsedAssertion
from app.repositories.integration_tokens import IntegrationTokenRepository, UsedAssertionRepository
from tests.harness.rows import LATER, NOW, row_of
from tests.harness.transactions import AT_ONCE, at_once, transaction, write

pytestmark = pytest.mark.anyio


def assertion(client_id: str = "a", jti_hash: bytes = b"a") -> UsedAssertion:
    return UsedAssertion(tenant_id="shop", client_id=client_id, jti_hash=jti_hash, expires_at=LATER)


class TestUsedAssertionRepository:
    async def test_lets_one_of_sixteen_at_once_use_it(self, database: Database) -> None:
        async def use(connection: Connection) -> bool:
            return await UsedAssertionRepository(connection, "shop").add_unless_used(assertion())

        assert sorted(await at_once(database, use)) == [False] * (AT_ONCE - 1) + [True]

    async def test_tells_clients_and_assertions_apart(self, database: Database) -> None:
        await write(database, assertion())
        async with transaction(database) as connection:
            used = UsedAssertionRepository(connection, "shop")
            assert await used.add_unless_used(assertion("b"))
            assert await used.add_unless_used(assertion("a", b"b"))


class TestIntegrationTokenRepository:
    async def test_revokes_once(self, database: Database) -> None:
        await write(database, row_of(IntegrationToken, "shop"))
        async with transaction(database) as connection:
            tokens = IntegrationTokenRepository(connection, "shop")
            assert [await tokens.revoke("a", NOW), await tokens.revoke("a", LATER)] == [True, False]
            assert not await tokens.revoke("b", NOW)
            found = await tokens.find("a")
        assert found is not None
        assert found.revoked_at == NOW
