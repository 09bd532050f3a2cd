"""Addresses over the public API: how many, which is the default, and their tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.factories import address_input
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.operations import ADD_ADDRESS_TAGS, CREATE_ADDRESS, DELETE_ADDRESS, UPDATE_ADDRESS
from tests.harness.two_shops import HERE, Shop, two_shops

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    """Let customers have three addresses."""
    environment = two_shops(tmp_path)
    file = Path(environment["TENANTS_FILE"])
    limits = f"[tenants.{HERE}.limits]\n"
    file.write_text(file.read_text().replace(limits, f"{limits}addresses_per_customer = 3\n"))
    return environment


class Resident:
    """A customer with a number of addresses."""

    def __init__(self, gateway: Gateway, token: str) -> None:
        self._gateway = gateway
        self._token = token
        self.ids: list[str] = []

    @classmethod
    async def with_addresses(cls, gateway: Gateway, count: int) -> Resident:
        resident = cls(gateway, (await Shop(gateway).customer()).tokens.access)
        for _ in range(count):
            answer = await resident.do(CREATE_ADDRESS, **address_input())
            resident.ids.append(answer["createAddress"]["address"]["id"])
        return resident

    async def do(self, operation: str, **fields: Any) -> Answer:
        return await self._gateway.graphql(operation, {"input": fields}, self._token)

    async def look(self, tag: str | None = None) -> list[tuple[str, bool]]:
        """Return each address by its number in the order of creation, and whether it is the default."""
        query = "query ($tag: String) { addresses(tag: $tag) { id isDefault } }"
        listed = (await self._gateway.graphql(query, {"tag": tag}, self._token))["addresses"]
        return [(str(self.ids.index(each["id"])), each["isDefault"]) for each in listed]


class TestCreateAddress:
    async def test_makes_the_first_the_default(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 2)
        assert await resident.look() == [("0", True), ("1", False)]

    async def test_refuses_one_too_many(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 3)
        answer = await resident.do(CREATE_ADDRESS, **address_input())
        assert answer.user_errors("createAddress") == [("LIMIT_REACHED", "")]
        assert len(await resident.look()) == 3


class TestUpdateAddress:
    async def test_moves_the_default(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 2)
        answer = await resident.do(UPDATE_ADDRESS, id=resident.ids[1], isDefault=True)
        assert answer["updateAddress"]["address"]["isDefault"] is True
        assert await resident.look() == [("1", True), ("0", False)]

    async def test_leaves_no_customer_without_a_default(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 2)
        answer = await resident.do(UPDATE_ADDRESS, id=resident.ids[0], isDefault=False)
        assert answer.user_errors("updateAddress") == [("INVALID", "isDefault")]
        answer = await resident.do(UPDATE_ADDRESS, id=resident.ids[1], isDefault=False)
        assert answer.user_errors("updateAddress") == []
        assert await resident.look() == [("0", True), ("1", False)]


class TestDeleteAddress:
    async def test_makes_the_oldest_left_the_default(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 3)
        await resident.do(DELETE_ADDRESS, id=resident.ids[0])
        assert await resident.look() == [("1", True), ("2", False)]

    async def test_leaves_the_default_when_another_one_goes(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 3)
        await resident.do(DELETE_ADDRESS, id=resident.ids[1])
        assert await resident.look() == [("0", True), ("2", False)]


class TestDefaultFor:
    async def look(self, resident: Resident) -> list[list[str]]:
        """Return what each address is the default for, in the order of creation."""
        answer = await resident.do("query { addresses { id defaultFor } }")
        found = {each["id"]: each["defaultFor"] for each in answer["addresses"]}
        return [found[each] for each in resident.ids]

    async def test_is_taken_from_the_address_that_had_it(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 2)
        assert await self.look(resident) == [[], []]
        await resident.do(UPDATE_ADDRESS, id=resident.ids[1], defaultFor=["SHIPPING", "BILLING"])
        assert await self.look(resident) == [[], ["BILLING", "SHIPPING"]]
        assert await resident.look() == [("0", True), ("1", False)]
        await resident.do(UPDATE_ADDRESS, id=resident.ids[0], defaultFor=["BILLING"])
        assert await self.look(resident) == [["BILLING"], ["SHIPPING"]]
        third = (await resident.do(CREATE_ADDRESS, **address_input(defaultFor=["BILLING"])))["createAddress"]
        resident.ids.append(third["address"]["id"])
        assert await self.look(resident) == [[], ["SHIPPING"], ["BILLING"]]

    async def test_stays_where_a_change_does_not_name_it(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 1)
        await resident.do(UPDATE_ADDRESS, id=resident.ids[0], defaultFor=["BILLING"])
        await resident.do(UPDATE_ADDRESS, id=resident.ids[0], street="Elsewhere")
        assert await self.look(resident) == [["BILLING"]]

    @pytest.mark.parametrize("nothing", [None, []])
    async def test_is_cleared_by_nothing(self, gateway: Gateway, nothing: list[str] | None) -> None:
        resident = await Resident.with_addresses(gateway, 1)
        await resident.do(UPDATE_ADDRESS, id=resident.ids[0], defaultFor=["BILLING"])
        await resident.do(UPDATE_ADDRESS, id=resident.ids[0], defaultFor=nothing)
        assert await self.look(resident) == [[]]

    async def test_goes_with_the_address(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 2)
        await resident.do(UPDATE_ADDRESS, id=resident.ids[0], defaultFor=["BILLING", "SHIPPING"])
        await resident.do(DELETE_ADDRESS, id=resident.ids[0])
        del resident.ids[0]
        assert await self.look(resident) == [[]]

    async def test_is_shown_of_the_one_before_by_the_customer_of_the_payload(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 2)
        await resident.do(UPDATE_ADDRESS, id=resident.ids[0], defaultFor=["BILLING"])
        change = """mutation ($input: UpdateAddressInput!) {
            updateAddress(input: $input) { customer { addresses { id defaultFor } } }
        }"""
        answer = await resident.do(change, id=resident.ids[1], defaultFor=["BILLING"])
        shown = {each["id"]: each["defaultFor"] for each in answer["updateAddress"]["customer"]["addresses"]}
        assert shown == {resident.ids[0]: [], resident.ids[1]: ["BILLING"]}


class TestFormatted:
    async def test_is_the_address_on_an_envelope(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 1)
        query = "query { addresses { formatted formattedLatin } me { addresses { formatted } } }"
        answer = await resident.do(query)
        (address,) = answer["addresses"]
        lines = ["Ada Lovelace", "Unter den Linden 77a", "10117 BERLIN"]
        assert address["formatted"].split("\n")[:3] == address["formattedLatin"].split("\n")[:3] == lines
        assert answer["me"]["addresses"] == [{"formatted": address["formatted"]}]


class TestAddressTags:
    async def test_find_the_address(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 2)
        await resident.do(ADD_ADDRESS_TAGS, addressId=resident.ids[1], tags=["holiday home"])
        assert await resident.look("Holiday Home") == [("1", False)]
        assert await resident.look("elsewhere") == []

    async def test_find_nothing_when_there_can_be_no_such_tag(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 1)
        assert await resident.look("") == []

    async def test_are_refused_when_they_are_none(self, gateway: Gateway) -> None:
        resident = await Resident.with_addresses(gateway, 1)
        answer = await resident.do(ADD_ADDRESS_TAGS, addressId=resident.ids[0], tags=["x" * 1000])
        assert [field for _, field in answer.user_errors("addAddressTags")] == ["tags"]


class TestContactPhone:
    @pytest.fixture
    async def resident(self, gateway: Gateway) -> Resident:
        return await Resident.with_addresses(gateway, 1)

    @pytest.mark.parametrize(
        ("phone", "country", "kept"),
        [
            ("123456789", "DE", "+49123456789"),
            ("\uff10\uff13\u30fc\uff11\uff12\uff13\uff14\uff0d\uff15\uff16\uff17\uff18", "JP", "+81312345678"),
            ("123456789", "US", "123456789"),
            ("\u200e+49 30 1234567\u200f", "US", "+49301234567"),
            ("", "DE", None),
            ("\u200b", "DE", None),
        ],
    )
    async def test_is_read_by_the_country_of_the_address(
        self, resident: Resident, phone: str, country: str, kept: str | None
    ) -> None:
        answer = await resident.do(CREATE_ADDRESS, **address_input(contactPhone=phone, country=country))
        assert answer["createAddress"]["address"]["contactPhone"] == kept
        change = {"id": resident.ids[0], "country": country}
        await resident.do(UPDATE_ADDRESS, **change)
        answer = await resident.do(UPDATE_ADDRESS, id=resident.ids[0], contactPhone=phone)
        assert answer["updateAddress"]["address"]["contactPhone"] == kept

    @pytest.mark.parametrize("phone", ["12", "0800 FLOWERS", "1" * 16, "030 1234567 ext. 5"])
    async def test_is_refused_where_it_cannot_be_one(self, resident: Resident, phone: str) -> None:
        answer = await resident.do(CREATE_ADDRESS, **address_input(contactPhone=phone))
        assert answer.user_errors("createAddress") == [("INVALID_PHONE", "contactPhone")]
