"""Addresses by the rules of their countries: what is stored with a remark, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.domain.address_rules import address_rules
from tests.domain.test_address_rules import countries
from tests.factories import PASSWORD
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.two_shops import HERE, Shop, two_shops

pytestmark = pytest.mark.anyio

STORED = "contactName street streetNumber zipCode city state country"
REMARKS = "remarks { code field message } userErrors { code field message }"
CREATE = (
    f"mutation ($input: AddressInput!) {{ createAddress(input: $input) {{ address {{ id {STORED} }} {REMARKS} }} }}"
)
UPDATE = f"""mutation ($input: UpdateAddressInput!) {{
  updateAddress(input: $input) {{ address {{ id {STORED} }} {REMARKS} }}
}}"""
SIGNUP = f"mutation ($input: SignupInput!) {{ signup(input: $input) {{ customerId {REMARKS} }} }}"
CREATE_CUSTOMER = f"""mutation ($input: CreateCustomerInput!) {{
  createCustomer(input: $input) {{ customer {{ addresses {{ city }} }} {REMARKS} }}
}}"""


@pytest.fixture
def check() -> str:
    """Return what the shop does with addresses; empty for the default."""
    return ""


@pytest.fixture
def settings_environment(tmp_path: Path, check: str) -> dict[str, str]:
    environment = two_shops(tmp_path)
    file = Path(environment["TENANTS_FILE"])
    shop = f"[tenants.{HERE}]\n"
    assert shop in file.read_text()
    text = file.read_text().replace(shop, f'{shop}address_check = "{check}"\n' if check else shop)
    limits = f"[tenants.{HERE}.limits]\n"
    file.write_text(text.replace(limits, f"{limits}addresses_per_customer = 300\n"))
    return environment


class Resident:
    """A customer who writes addresses."""

    def __init__(self, gateway: Gateway, token: str) -> None:
        self._gateway = gateway
        self.token = token

    @classmethod
    async def of(cls, gateway: Gateway) -> Resident:
        return cls(gateway, (await Shop(gateway).customer()).tokens.access)

    async def do(self, operation: str, **fields: Any) -> Answer:
        return await self._gateway.graphql(operation, {"input": fields}, self.token)

    async def create(self, **fields: Any) -> dict[str, Any]:
        address = {"contactName": "Ada Lovelace", "street": "Lindenweg 5", **fields}
        answer: dict[str, Any] = (await self.do(CREATE, **address))["createAddress"]
        if answer["address"] is not None:
            stored = {name: answer["address"][name] for name in address}
            assert stored == address
        return answer


def told(payload: dict[str, Any], kind: str = "remarks") -> list[tuple[str, str]]:
    return [(each["code"], ".".join(each["field"])) for each in payload[kind]]


MISFITS = [
    ({"country": "DE", "zipCode": "1011", "city": "Berlin"}, ("INVALID_ZIP_CODE", "zipCode")),
    ({"country": "US", "zipCode": "89501", "city": "Reno", "state": "Bavaria"}, ("INVALID_STATE", "state")),
    ({"country": "US", "zipCode": "89501", "city": "Reno"}, ("REQUIRED", "state")),
    ({"country": "DE", "city": "Berlin"}, ("REQUIRED", "zipCode")),
]
FITS = [
    {"country": "US", "zipCode": "89501-1234", "city": "Reno", "state": "nevada"},
    {"country": "JP", "zipCode": "100-0005", "state": "東京都"},
    {"country": "JP", "zipCode": "1000005", "state": "Tokyo", "city": "Chiyoda"},
    {"country": "SG", "zipCode": "546080"},
    {"country": "HK", "state": "Kowloon"},
    {"country": "MO"},
    {"country": "GI"},
    {"country": "AE", "state": "dubai"},
    {"country": "IE", "city": "Dublin"},
    {"country": "FR", "zipCode": "75271", "city": "Paris CEDEX 06"},
    {"country": "XK", "zipCode": "10000", "city": "Pristina"},
    {"country": "AC", "zipCode": "ASCN 1ZZ", "city": "Georgetown"},
    {"country": "TA", "zipCode": "TDCU 1ZZ", "city": "Edinburgh of the Seven Seas"},
]


class TestWarn:
    async def test_stores_what_does_not_fit_and_remarks_on_it(self, gateway: Gateway) -> None:
        resident = await Resident.of(gateway)
        for address, remark in MISFITS:
            payload = await resident.create(**address)
            assert (told(payload), told(payload, "userErrors")) == ([remark], [])

    async def test_remarks_on_nothing_that_fits(self, gateway: Gateway) -> None:
        resident = await Resident.of(gateway)
        for address in FITS:
            payload = await resident.create(**address)
            assert (told(payload), told(payload, "userErrors")) == ([], []), address

    async def test_takes_all_of_googles_data_as_it_was_typed(self, gateway: Gateway) -> None:
        """Every country with its own examples, and of some each state by all its names."""
        resident = await Resident.of(gateway)
        for country in countries():
            rules = address_rules(country)
            address = {"country": country, **({"city": "Somewhere"} if "city" in rules.required_fields else {})}
            if rules.zip_code_examples:
                address["zipCode"] = rules.zip_code_examples[0]
            states = [text for each in rules.states for text in (each.code, each.name, each.latin_name)]
            for state in states if country in {"AE", "HK", "KN"} else states[-1:]:
                address["state"] = state
            payload = await resident.create(**address)
            missing = [("REQUIRED", "state")] if "state" in rules.required_fields and not states else []
            assert (told(payload), told(payload, "userErrors")) == (missing, []), address

    async def test_remarks_on_the_address_of_a_signup(self, gateway: Gateway) -> None:
        token = await Shop(gateway).visitor()
        address = {"contactName": "Ada", "street": "Lindenweg 5", "city": "Reno", "country": "US", "zipCode": "1"}
        given = {"email": "ada@example.com", "password": PASSWORD, "customerAddress": address}
        payload = (await gateway.graphql(SIGNUP, {"input": given}, token))["signup"]
        expected = [("REQUIRED", "customerAddress.state"), ("INVALID_ZIP_CODE", "customerAddress.zipCode")]
        assert told(payload) == expected

    async def test_remarks_on_what_a_change_leaves_behind(self, gateway: Gateway) -> None:
        resident = await Resident.of(gateway)
        created = await resident.create(country="DE", city="Berlin", zipCode="10117", state="BE")
        payload = (await resident.do(UPDATE, id=created["address"]["id"], country="US"))["updateAddress"]
        assert told(payload) == [("INVALID_STATE", "state")]


class TestCity:
    async def test_is_required_where_the_country_has_one(self, gateway: Gateway) -> None:
        resident = await Resident.of(gateway)
        for city in ({}, {"city": None}, {"city": " "}):
            payload = await resident.create(country="DE", zipCode="10117", **city)
            assert told(payload, "userErrors") == [("REQUIRED", "city")]

    async def test_is_null_where_there_is_none(self, gateway: Gateway) -> None:
        resident = await Resident.of(gateway)
        payload = await resident.create(country="SG", zipCode="546080")
        assert payload["address"]["city"] is None

    async def test_is_required_when_the_country_changes_to_one_that_has(self, gateway: Gateway) -> None:
        resident = await Resident.of(gateway)
        address = (await resident.create(country="SG", zipCode="546080"))["address"]
        payload = (await resident.do(UPDATE, id=address["id"], country="DE"))["updateAddress"]
        assert told(payload, "userErrors") == [("REQUIRED", "city")]
        change = {"id": address["id"], "country": "DE", "city": "Berlin", "zipCode": "10117"}
        payload = (await resident.do(UPDATE, **change))["updateAddress"]
        assert (payload["address"]["city"], told(payload)) == ("Berlin", [])
        payload = (await resident.do(UPDATE, id=address["id"], city=None))["updateAddress"]
        assert told(payload, "userErrors") == [("REQUIRED", "city")]


class TestStrict:
    @pytest.fixture
    def check(self) -> str:
        return "strict"

    async def test_refuses_what_does_not_fit(self, gateway: Gateway) -> None:
        resident = await Resident.of(gateway)
        for address, fault in MISFITS:
            payload = await resident.create(**address)
            assert (told(payload, "userErrors"), payload["address"]) == ([fault], None)
        for address in FITS:
            payload = await resident.create(**address)
            assert told(payload, "userErrors") == [], address

    async def test_refuses_a_change_to_what_does_not_fit(self, gateway: Gateway) -> None:
        resident = await Resident.of(gateway)
        address = (await resident.create(country="DE", city="Berlin", zipCode="10117"))["address"]
        payload = (await resident.do(UPDATE, id=address["id"], zipCode="x"))["updateAddress"]
        assert told(payload, "userErrors") == [("INVALID_ZIP_CODE", "zipCode")]
        payload = (await resident.do(UPDATE, id=address["id"], country="US"))["updateAddress"]
        assert told(payload, "userErrors") == [("REQUIRED", "state")]

    async def test_refuses_one_of_staff(self, gateway: Gateway) -> None:
        token = await Shop(gateway).integration("customers.write")
        address = {"contactName": "Ada", "street": "Lindenweg 5", "city": "Berlin", "country": "DE", "zipCode": "1"}
        given = {"email": "ada@example.com", "addresses": [address]}
        payload = (await gateway.graphql(CREATE_CUSTOMER, {"input": given}, token))["createCustomer"]
        assert told(payload, "userErrors") == [("INVALID_ZIP_CODE", "addresses.0.zipCode")]

    async def test_says_one_thing_about_each_field(self, gateway: Gateway) -> None:
        resident = await Resident.of(gateway)
        payload = await resident.create(country="DE", city="Berlin", zipCode="1" * 21)
        assert told(payload, "userErrors") == [("TOO_LONG", "zipCode")]


class TestOff:
    @pytest.fixture
    def check(self) -> str:
        return "off"

    async def test_looks_at_nothing_but_the_city(self, gateway: Gateway) -> None:
        resident = await Resident.of(gateway)
        for address, _ in MISFITS:
            payload = await resident.create(**address)
            assert (told(payload), told(payload, "userErrors")) == ([], [])
        assert told(await resident.create(country="DE"), "userErrors") == [("REQUIRED", "city")]
