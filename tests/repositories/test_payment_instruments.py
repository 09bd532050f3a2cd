"""Statements about payment instruments see one customer of one tenant."""

from __future__ import annotations

import pytest

from app.domain.ports import Connection
from app.models.payment_instruments import PaymentInstrument
from app.repositories.payment_instruments import PaymentInstrumentRepository
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio


async def add(gateway: Gateway, customer_id: str, instrument_id: str, *, is_default: bool) -> None:
    connection, now = gateway.tools.database.connect(), gateway.clock.now()
    try:
        await connection.begin()
        await PaymentInstrumentRepository(connection, "demo").add(
            PaymentInstrument(
                tenant_id="demo",
                id=instrument_id,
                customer_id=customer_id,
                token="pm_1",
                brand="visa",
                is_default=is_default,
                created_at=now,
                updated_at=now,
            )
        )
        await connection.commit()
    finally:
        await connection.close()


@pytest.fixture
async def owner(gateway: Gateway) -> str:
    """Make a customer with the payment instrument `i`, and return the customer's id."""
    person = await gateway.signup_confirmed()
    await add(gateway, person.id, "i", is_default=True)
    return person.id


class TestPaymentInstrumentRepository:
    async def test_finds_the_owners(self, gateway: Gateway, owner: str) -> None:
        instruments = PaymentInstrumentRepository(gateway.tools.database.connect(), "demo")
        assert [row.id for row in await instruments.list(owner)] == ["i"]
        assert await instruments.find(owner, "i") is not None

    @pytest.mark.parametrize(("tenant_id", "is_owner"), [("open", True), ("demo", False)])
    async def test_neither_finds_nor_writes_anything_of_others(
        self, gateway: Gateway, owner: str, tenant_id: str, *, is_owner: bool
    ) -> None:
        customer_id = owner if is_owner else "somebody-else"
        connection: Connection = gateway.tools.database.connect()
        await connection.begin()
        instruments, now = PaymentInstrumentRepository(connection, tenant_id), gateway.clock.now()
        assert await instruments.list(customer_id) == []
        assert await instruments.find(customer_id, "i") is None
        await instruments.change(customer_id, "i", now, brand="changed")
        await instruments.clear_default(customer_id, now)
        await instruments.delete(customer_id, "i")
        await connection.commit()
        await connection.close()
        (row,) = await gateway.rows("SELECT brand, is_default FROM payment_instrument")
        assert (row.brand, bool(row.is_default)) == ("visa", True)

    async def test_cannot_have_two_defaults(self, gateway: Gateway, owner: str) -> None:
        with pytest.raises(Exception, match=r"(?i)unique constraint"):
            await add(gateway, owner, "second", is_default=True)
