"""Customers keep their numbers and references apart, their searched name in step, and log in only when they may."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.anonymizations import AnonymizationStatus
from app.domain.ports import Connection, Database
from app.models.customers import Customer, CustomerStatus
from app.repositories.customers import CustomerRepository
from tests.harness.rows import LATER, NOW, row_of
from tests.harness.transactions import AT_ONCE, at_once, transaction, write

pytestmark = pytest.mark.anyio

CLOSED = {"anonymization_status": AnonymizationStatus.REQUESTED.value}


def customer(word: str = "a", /, **values: Any) -> Customer:
    made = row_of(
        Customer, "shop", word, **{"anonymization_status": None, "merged_into": None, "status": "PROSPECT", **values}
    )
    assert isinstance(made, Customer)
    return made


async def stored(database: Database) -> Any:
    async with transaction(database) as connection:
        return await CustomerRepository(connection, "shop").lock_even_if_closed("a")


class TestAddUnlessTaken:
    @pytest.mark.parametrize("same", ["customer_number", "shopper_reference"])
    async def test_of_sixteen_at_once_one_gets_it(self, database: Database, same: str) -> None:
        words = iter(range(AT_ONCE))

        async def add(connection: Connection) -> bool:
            return await CustomerRepository(connection, "shop").add_unless_taken(
                customer(f"c{next(words)}", **{same: "z"})
            )

        assert sorted(await at_once(database, add)) == [False] * (AT_ONCE - 1) + [True]

    async def test_writes_the_name_as_it_is_searched(self, database: Database) -> None:
        new = customer(last_name="Lovelace", first_name="Ada", middle_name=None)
        async with transaction(database) as connection:
            assert await CustomerRepository(connection, "shop").add_unless_taken(new)
        assert (await stored(database)).search_name == "lovelace ada"


class TestChange:
    async def test_keeps_the_searched_name_in_step(self, database: Database) -> None:
        await write(database, customer(middle_name=None))
        async with transaction(database) as connection:
            await CustomerRepository(connection, "shop").change("a", NOW, last_name="Byron", first_name="Ada")
        assert (await stored(database)).search_name == "byron ada"

    async def test_counts_the_versions(self, database: Database) -> None:
        await write(database, customer())
        await at_once(
            database, lambda connection: CustomerRepository(connection, "shop").change("a", LATER, title="Dr.")
        )
        after = await stored(database)
        assert (after.version, after.updated_at, after.search_name) == (1 + AT_ONCE, LATER, "a")

    async def test_of_nobody_does_nothing(self, database: Database) -> None:
        await write(database, customer())
        async with transaction(database) as connection:
            await CustomerRepository(connection, "shop").change("b", NOW, last_name="Byron")
        assert (await stored(database)).last_name == "a"


class TestChangeShopperReference:
    @pytest.mark.parametrize(("reference", "is_free"), [("c", True), ("b", False)])
    async def test_tells_whether_it_was_free(self, database: Database, reference: str, *, is_free: bool) -> None:
        await write(database, customer("a"), customer("b"))
        async with transaction(database) as connection:
            customers = CustomerRepository(connection, "shop")
            assert await customers.change_shopper_reference("a", reference) is is_free
            if not is_free:
                await connection.rollback()
        assert (await stored(database)).shopper_reference == (reference if is_free else "a")


class TestNoteLogin:
    @pytest.mark.parametrize(
        ("state", "may"),
        [
            ({}, True),
            ({"anonymization_status": AnonymizationStatus.CANCELED.value}, True),
            ({"active": False}, False),
            ({"on_hold": True}, False),
            (CLOSED, False),
        ],
        ids=["open", "open again", "inactive", "on hold", "closed"],
    )
    async def test_lets_in_who_may(self, database: Database, state: dict[str, Any], *, may: bool) -> None:
        await write(database, customer(last_login_at=None, **state))
        async with transaction(database) as connection:
            assert await CustomerRepository(connection, "shop").note_login("a", NOW) is may
        assert (await stored(database)).last_login_at == (NOW if may else None)


class TestLock:
    async def test_finds_a_closed_account_only_when_asked_to(self, database: Database) -> None:
        await write(database, customer(**CLOSED))
        async with transaction(database) as connection:
            customers = CustomerRepository(connection, "shop")
            assert await customers.lock("a") is None
            assert await customers.lock_even_if_closed("a") is not None
            assert await customers.lock_even_if_closed("b") is None


class TestCountOrder:
    async def test_loses_none_of_sixteen_at_once(self, database: Database) -> None:
        await write(database, customer())
        await at_once(
            database,
            lambda connection: CustomerRepository(connection, "shop").count_order("a", CustomerStatus.REPEAT),
        )
        after = await stored(database)
        assert (after.order_count, after.status, after.version) == (AT_ONCE, "REPEAT", 1)
