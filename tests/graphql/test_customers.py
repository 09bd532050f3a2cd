"""One's own profile over the public API: versions, companies, and what the shop does not know."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.operations import USER_ERRORS

pytestmark = pytest.mark.anyio

ME = """
    firstName contactEmail contactPhone preferredLanguage preferredCurrency preferredSite businessModel
    metadata { version }
    b2b { companyRegistrationId legalEntities { id name contactAssignmentId confirmed } }
"""
UPDATE_ME = f"mutation ($input: UpdateMeInput!) {{ updateMe(input: $input) {{ customer {{ {ME} }} {USER_ERRORS} }} }}"


@pytest.fixture
async def person(gateway: Gateway) -> Person:
    return await gateway.customer("open-storefront")


async def update(gateway: Gateway, person: Person, **fields: Any) -> Answer:
    return await gateway.graphql(UPDATE_ME, {"input": fields}, person.tokens.access)


class TestUpdateMe:
    async def test_changes_nothing_for_who_has_seen_an_older_version(self, gateway: Gateway, person: Person) -> None:
        first = await update(gateway, person, firstName="Ada", metadata={"version": 1})
        assert first["updateMe"]["customer"]["metadata"]["version"] == 2
        second = await update(gateway, person, firstName="Augusta", metadata={"version": 1})
        assert second.user_errors("updateMe") == [("VERSION_CONFLICT", "metadata.version")]
        seen = await gateway.graphql(f"{{ me {{ {ME} }} }}", token=person.tokens.access)
        assert (seen["me"]["firstName"], seen["me"]["metadata"]) == ("Ada", {"version": 2})

    async def test_claims_companies_and_lets_go_of_them(self, gateway: Gateway, person: Person) -> None:
        claimed = {"companyRegistrationId": "HRB 1", "legalEntities": [{"name": "Engines Ltd"}]}
        b2b = (await update(gateway, person, b2b=claimed))["updateMe"]["customer"]["b2b"]
        assert b2b["companyRegistrationId"] == "HRB 1"
        assert [(each["name"], each["confirmed"]) for each in b2b["legalEntities"]] == [("Engines Ltd", False)]
        after = (await update(gateway, person, b2b=None))["updateMe"]["customer"]["b2b"]
        assert after is None or (after["companyRegistrationId"], after["legalEntities"]) == (None, [])

    async def test_keeps_the_place_in_a_company_that_the_customer_names(self, gateway: Gateway, person: Person) -> None:
        claimed = {"id": "le-1", "name": "Engines Ltd", "contactAssignmentId": " 91033918 "}
        b2b = (await update(gateway, person, b2b={"legalEntities": [claimed]}))["updateMe"]["customer"]["b2b"]
        assert b2b["legalEntities"] == [{**claimed, "contactAssignmentId": "91033918", "confirmed": False}]
        exported = await gateway.graphql(
            "mutation { exportMyData { data userErrors { code } } }", token=person.tokens.access
        )
        (entity,) = exported["exportMyData"]["data"]["legalEntities"]
        assert (entity["legalEntityId"], entity["contactAssignmentId"]) == ("le-1", "91033918")

    @pytest.mark.parametrize("nothing", [{}, {"contactAssignmentId": None}, {"contactAssignmentId": "", "id": ""}])
    async def test_makes_a_place_in_a_company_where_none_is_named(
        self, gateway: Gateway, person: Person, nothing: dict[str, str | None]
    ) -> None:
        answer = await update(gateway, person, b2b={"legalEntities": [{"name": "Engines Ltd", **nothing}]})
        (entity,) = answer["updateMe"]["customer"]["b2b"]["legalEntities"]
        assert len(entity["contactAssignmentId"]) == len(entity["id"]) == 36

    @pytest.mark.parametrize(
        "b2b",
        [{"companyRegistrationId": "HRB 1"}, {"legalEntities": [{"name": "Engines Ltd"}]}],
        ids=["registration", "legal entity"],
    )
    async def test_makes_a_business_customer_of_who_names_a_company_until_something_else_is_said(
        self, gateway: Gateway, person: Person, b2b: dict[str, Any]
    ) -> None:
        async def model_after(**fields: Any) -> str:
            answer = await update(gateway, person, **fields)
            model: str = answer["updateMe"]["customer"]["businessModel"]
            return model

        assert await model_after(b2b=b2b, businessModel="B2C") == "B2C"
        assert await model_after(firstName="Ada") == "B2C"
        assert await model_after(b2b=b2b) == "B2B"
        assert await model_after(b2b=b2b, businessModel=None) == "B2B"
        assert await model_after(b2b=None) == "B2B"
        assert await model_after(businessModel="B2C") == "B2C"

    @pytest.mark.parametrize("b2b", [None, {}, {"companyRegistrationId": "", "legalEntities": []}])
    async def test_makes_no_business_customer_of_who_names_no_company(
        self, gateway: Gateway, person: Person, b2b: Any
    ) -> None:
        answer = await update(gateway, person, b2b=b2b)
        assert answer["updateMe"]["customer"]["businessModel"] == "B2C"

    async def test_takes_an_empty_text_as_null(self, gateway: Gateway, person: Person) -> None:
        names = ("contactEmail", "contactPhone", "preferredLanguage", "preferredCurrency", "preferredSite")
        given = ("ada@example.com", "+49 30 1234567", "de", "EUR", "main")
        await update(gateway, person, **dict(zip(names, given, strict=True)))
        for empty in ("", " ", "\u200b"):
            customer = (await update(gateway, person, **dict.fromkeys(names, empty)))["updateMe"]["customer"]
            assert {name: customer[name] for name in names} == dict.fromkeys(names)

    async def test_finds_the_site_whatever_its_case(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        answer = await update(gateway, person, preferredSite="DE", contactPhone="030 1234567")
        customer = answer["updateMe"]["customer"]
        assert (customer["preferredSite"], customer["contactPhone"]) == ("de", "+49301234567")

    @pytest.mark.parametrize("phone", ["12", "call me", "1" * 16])
    async def test_refuses_what_cannot_be_a_phone_number(self, gateway: Gateway, person: Person, phone: str) -> None:
        answer = await update(gateway, person, contactPhone=phone)
        assert answer.user_errors("updateMe") == [("INVALID_PHONE", "contactPhone")]

    @pytest.mark.parametrize(
        ("entities", "error"),
        [
            ([{"name": "A", "id": "e"}, {"name": "B", "id": "e"}], ("INVALID", "b2b.legalEntities")),
            ([{"name": f"E{number}"} for number in range(21)], ("LIMIT_REACHED", "b2b.legalEntities")),
            ([{"name": " "}], ("REQUIRED", "b2b.legalEntities.0.name")),
            (
                [{"name": "A", "contactAssignmentId": "9" * 101}],
                ("TOO_LONG", "b2b.legalEntities.0.contactAssignmentId"),
            ),
        ],
        ids=["one twice", "too many", "without a name", "a place too long"],
    )
    async def test_refuses_companies(
        self, gateway: Gateway, person: Person, entities: list[dict[str, str]], error: tuple[str, str]
    ) -> None:
        answer = await update(gateway, person, b2b={"legalEntities": entities})
        assert answer.user_errors("updateMe") == [error]

    async def test_names_every_fault_at_once(self, gateway: Gateway, person: Person) -> None:
        answer = await update(gateway, person, preferredSite="nowhere", preferredCurrency="XXQ", contactEmail="no")
        assert sorted(answer.user_errors("updateMe")) == [
            ("INVALID", "preferredSite"),
            ("INVALID_CURRENCY", "preferredCurrency"),
            ("INVALID_EMAIL", "contactEmail"),
        ]

    async def test_takes_the_locale_of_a_device(self, gateway: Gateway, person: Person) -> None:
        answer = await update(gateway, person, preferredLanguage="zh-Hans-CN-u-ca-chinese-x-private")
        assert answer["updateMe"]["customer"]["preferredLanguage"] == "zh-Hans-CN"

    async def test_checks_free_data_against_the_shops_schema(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        answer = await update(gateway, person, mixins={"loyalty": {"level": 7}})
        ((code, field),) = answer.user_errors("updateMe")
        assert (code, field.split(".")[:2]) == ("INVALID", ["mixins", "loyalty"])
