"""A customer has one default address at the most, and nobody reaches another customer's."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from app.domain.ports import Database
from app.models.addresses import PURPOSES, Address
from app.models.customers import Customer
from app.repositories.addresses import AddressRepository
from tests.harness.rows import LATER, NOW, row_of
from tests.harness.transactions import transaction, write

pytestmark = pytest.mark.anyio


def address(word: str = "a", /, **values: Any) -> Address:
    made = row_of(Address, "shop", word, **{"customer_id": "a", **values})
    assert isinstance(made, Address)
    return made


@pytest.fixture(autouse=True)
async def _owners(database: Database) -> None:
    await write(database, row_of(Customer, "shop", "a"), row_of(Customer, "shop", "b"))


class TestAddressRepository:
    async def test_lists_the_default_first_then_the_oldest(self, database: Database) -> None:
        await write(database, address("a"), address("b", is_default=True), address("c"), address("d", customer_id="b"))
        listed = await AddressRepository(database.connect(), "shop").list("a")
        assert [each.id for each in listed] == ["b", "a", "c"]

    async def test_cannot_have_two_defaults(self, database: Database) -> None:
        await write(database, address("a", is_default=True), address("b", is_default=True, customer_id="b"))
        with pytest.raises(IntegrityError):
            await write(database, address("c", is_default=True))

    @pytest.mark.parametrize("column", PURPOSES.values())
    async def test_cannot_have_two_defaults_for_a_purpose(self, database: Database, column: str) -> None:
        is_default = {column: True}
        await write(database, address("a", **is_default), address("b", customer_id="b", **is_default))
        with pytest.raises(IntegrityError):
            await write(database, address("c", **is_default))

    async def test_stores_no_city_as_no_null_which_the_release_before_could_not_read(self, database: Database) -> None:
        assert not Address.__table__.c.city.nullable
        await write(database, address(city=None))
        found = await AddressRepository(database.connect(), "shop").find("a", "a")
        assert found is not None
        assert found.city is None

    async def test_clears_the_default_of_one_customer(self, database: Database) -> None:
        await write(database, address("a", is_default=True), address("b", is_default=True, customer_id="b"))
        async with transaction(database) as connection:
            await AddressRepository(connection, "shop").clear_default("a", LATER)
        addresses = AddressRepository(database.connect(), "shop")
        assert [(each.is_default, each.updated_at) for each in await addresses.list("a")] == [(False, LATER)]
        assert [(each.is_default, each.updated_at) for each in await addresses.list("b")] == [(True, NOW)]

    async def test_reaches_no_other_customers(self, database: Database) -> None:
        await write(database, address(is_default=True))
        async with transaction(database) as connection:
            addresses = AddressRepository(connection, "shop")
            assert await addresses.find("b", "a") is None
            await addresses.change("b", "a", LATER, city="b")
            await addresses.delete("b", "a")
            unchanged = await addresses.find("a", "a")
        assert unchanged is not None
        assert (unchanged.city, unchanged.updated_at) == ("a", NOW)
