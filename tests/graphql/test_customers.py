"""One's own profile over the public API: versions, companies, and what the shop does not know."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.operations import USER_ERRORS

pytestmark = pytest.mark.anyio

ME = "firstName metadata { version } b2b { companyRegistrationId legalEntities { id name confirmed } }"
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

    @pytest.mark.parametrize(
        ("entities", "error"),
        [
            ([{"name": "A", "id": "e"}, {"name": "B", "id": "e"}], ("INVALID", "b2b.legalEntities")),
            ([{"name": f"E{number}"} for number in range(21)], ("LIMIT_REACHED", "b2b.legalEntities")),
            ([{"name": " "}], ("REQUIRED", "b2b.legalEntities.0.name")),
        ],
        ids=["one twice", "too many", "without a name"],
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

    async def test_checks_free_data_against_the_shops_schema(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        answer = await update(gateway, person, mixins={"loyalty": {"level": 7}})
        ((code, field),) = answer.user_errors("updateMe")
        assert (code, field.split(".")[:2]) == ("INVALID", ["mixins", "loyalty"])
