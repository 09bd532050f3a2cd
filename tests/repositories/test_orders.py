"""Statements about recorded orders see one tenant."""

from __future__ import annotations

import pytest

from app.models.orders import RecordedOrder
from app.repositories.orders import OrderRepository
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio


class TestOrderRepository:
    async def test_keeps_a_reference_once_in_each_tenant(self, gateway: Gateway) -> None:
        people = {"demo": await gateway.signup_confirmed(), "open": await gateway.signed_up("open-storefront")}
        now = gateway.clock.now()
        written: list[bool] = []
        for tenant_id in ("demo", "demo", "open"):
            connection = gateway.tools.database.connect()
            order = RecordedOrder(
                tenant_id=tenant_id, reference="o", customer_id=people[tenant_id].id, placed_at=now, recorded_at=now
            )
            written.append(await OrderRepository(connection, tenant_id).add_unless_recorded(order))
            await connection.commit()
            await connection.close()
        assert written == [True, False, True]
        for tenant_id, person in people.items():
            found = await OrderRepository(gateway.tools.database.connect(), tenant_id).find("o")
            assert found is not None
            assert found.customer_id == person.id

    async def test_finds_nothing_for_another_tenant(self, gateway: Gateway) -> None:
        person, now = await gateway.signup_confirmed(), gateway.clock.now()
        connection = gateway.tools.database.connect()
        order = RecordedOrder(tenant_id="demo", reference="o", customer_id=person.id, placed_at=now, recorded_at=now)
        assert await OrderRepository(connection, "demo").add_unless_recorded(order)
        await connection.commit()
        await connection.close()
        assert await OrderRepository(gateway.tools.database.connect(), "open").find("o") is None
