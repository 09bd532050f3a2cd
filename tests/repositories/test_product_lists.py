"""Statements about product lists see one customer of one tenant."""

from __future__ import annotations

from typing import Any

import pytest

from app.models.product_lists import ProductList, ProductListItem
from app.repositories.product_lists import ProductListRepository
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio


async def repository(gateway: Gateway, tenant_id: str = "demo") -> ProductListRepository:
    connection = gateway.tools.database.connect()
    await connection.begin()
    return ProductListRepository(connection, tenant_id)


@pytest.fixture
async def owner(gateway: Gateway) -> str:
    """Make a customer with the public list `l` and the item `i` on it, and return the customer's id."""
    person = await gateway.signup_confirmed()
    lists, now = await repository(gateway), gateway.clock.now()
    common: dict[str, Any] = {"tenant_id": "demo", "customer_id": person.id, "created_at": now, "updated_at": now}
    await lists.add(ProductList(id="l", type="WISH_LIST", name="Birthday", is_public=True, **common))
    await lists.add_item(ProductListItem(id="i", list_id="l", product_id="p", **common))
    await lists._connection.commit()
    await lists._connection.close()
    return person.id


class TestProductListRepository:
    async def test_finds_the_owners(self, gateway: Gateway, owner: str) -> None:
        lists = ProductListRepository(gateway.tools.database.connect(), "demo")
        assert [row.id for row in await lists.list(owner)] == ["l"]
        assert await lists.find(owner, "l") is not None
        assert await lists.find_public("l") is not None
        assert await lists.find_item(owner, "i") is not None
        assert [row.id for row in await lists.list_items(["l"], only_public=True)] == ["i"]
        assert await lists.count_items("l") == 1

    async def test_finds_nothing_for_another_customer(self, gateway: Gateway, owner: str) -> None:
        lists = ProductListRepository(gateway.tools.database.connect(), "demo")
        stranger = f"not-{owner}"[:36]
        assert await lists.list(stranger) == []
        assert await lists.find(stranger, "l") is None
        assert await lists.find_item(stranger, "i") is None

    async def test_finds_nothing_for_another_tenant(self, gateway: Gateway, owner: str) -> None:
        lists = ProductListRepository(gateway.tools.database.connect(), "open")
        assert await lists.list(owner) == []
        assert await lists.find(owner, "l") is None
        assert await lists.find_public("l") is None
        assert await lists.find_item(owner, "i") is None
        assert await lists.list_items(["l"], only_public=False) == []
        assert await lists.count_items("l") == 0

    @pytest.mark.parametrize(("tenant_id", "is_owner"), [("open", True), ("demo", False)])
    async def test_writes_nothing_of_others(
        self, gateway: Gateway, owner: str, tenant_id: str, *, is_owner: bool
    ) -> None:
        customer_id = owner if is_owner else "somebody-else"
        lists, now = await repository(gateway, tenant_id), gateway.clock.now()
        await lists.change(customer_id, "l", now, name="Changed")
        await lists.change_item(customer_id, "i", now, quantity=9)
        await lists.delete_item(customer_id, "i")
        await lists.delete(customer_id, "l")
        await lists._connection.commit()
        await lists._connection.close()
        (row,) = await gateway.rows(
            "SELECT name, quantity FROM product_list JOIN product_list_item USING (tenant_id) WHERE list_id = 'l'"
        )
        assert (row.name, row.quantity) == ("Birthday", 1)
