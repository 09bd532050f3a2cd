"""Customer groups: made, changed and deleted by staff, carried into `me` and the saas token."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.harness import operations
from tests.harness.gateway import Gateway
from tests.harness.operations import USER_ERRORS
from tests.harness.saas_tokens import read_saas_token
from tests.harness.staff import CREATE_GROUP, ENVIRONMENT, Staff

pytestmark = pytest.mark.anyio

UPDATE_GROUP = f"""mutation ($input: UpdateCustomerGroupInput!) {{
    updateCustomerGroup(input: $input) {{ customerGroup {{ id name code privateMarkets }} {USER_ERRORS} }}
}}"""
DELETE_GROUP = f"""mutation ($input: DeleteCustomerGroupInput!) {{
    deleteCustomerGroup(input: $input) {{ deletedId {USER_ERRORS} }}
}}"""
UNKNOWN = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def settings_environment() -> dict[str, str]:
    return ENVIRONMENT


@pytest.fixture
async def staff(gateway: Gateway) -> Staff:
    return await Staff.of(gateway)


async def codes(staff: Staff) -> list[str]:
    return [group["code"] for group in (await staff.graphql("{ customerGroups { code } }"))["customerGroups"]]


async def groups_in(gateway: Gateway, saas_token: str) -> Any:
    return (await read_saas_token(gateway, saas_token))["groups"]


class TestCustomerGroups:
    async def test_lists_the_groups_of_the_shop_by_their_code(self, gateway: Gateway, staff: Staff) -> None:
        for code in ("wholesale", "press"):
            await staff.create_group(code)
        await (await Staff.of(gateway, "open-backend")).create_group("theirs")
        assert await codes(staff) == ["press", "wholesale"]

    async def test_is_for_integrations_with_the_scope_only(self, gateway: Gateway) -> None:
        writer = await Staff.of(gateway, scope="customers.write")
        assert (await writer.graphql("{ customerGroups { id } }")).codes == ["FORBIDDEN"]


class TestCreateCustomerGroup:
    async def test_makes_a_group(self, staff: Staff) -> None:
        made = await staff.create_group("wholesale", name=" Wholesale ", privateMarkets=["outlet", "b2b", "outlet"])
        assert made == {
            "id": made["id"],
            "name": "Wholesale",
            "code": "wholesale",
            "privateMarkets": ["outlet", "b2b"],
        }

    async def test_tells_every_fault_at_once(self, staff: Staff) -> None:
        answer = await staff.try_to(CREATE_GROUP, name="", code="a b", privateMarkets=["ok", "", "x" * 101])
        assert answer.user_errors("createCustomerGroup") == [
            ("REQUIRED", "name"),
            ("INVALID", "code"),
            ("REQUIRED", "privateMarkets.1"),
            ("TOO_LONG", "privateMarkets.2"),
        ]
        assert await codes(staff) == []

    async def test_refuses_more_than_fifty_markets(self, staff: Staff) -> None:
        markets = [f"market-{number}" for number in range(51)]
        answer = await staff.try_to(CREATE_GROUP, name="Many", code="many", privateMarkets=markets)
        assert answer.user_errors("createCustomerGroup") == [("LIMIT_REACHED", "privateMarkets")]

    async def test_gives_a_code_to_one_of_sixteen(self, staff: Staff) -> None:
        answers = await asyncio.gather(*(staff.try_to(CREATE_GROUP, name="Same", code="same") for _ in range(16)))
        errors = [answer.user_errors("createCustomerGroup") for answer in answers]
        assert errors.count([]) == 1
        assert errors.count([("TAKEN", "code")]) == 15

    async def test_takes_a_code_that_only_another_shop_has(self, gateway: Gateway, staff: Staff) -> None:
        await (await Staff.of(gateway, "open-backend")).create_group("same")
        assert (await staff.create_group("same"))["code"] == "same"

    async def test_is_for_integrations_with_the_scope_only(self, gateway: Gateway) -> None:
        reader = await Staff.of(gateway, scope="customers.read")
        assert (await reader.try_to(CREATE_GROUP, name="A", code="a")).codes == ["FORBIDDEN"]


class TestUpdateCustomerGroup:
    async def test_changes_what_is_given_and_keeps_the_rest(self, staff: Staff) -> None:
        made = await staff.create_group("wholesale", privateMarkets=["outlet"])
        answer = await staff.try_to(UPDATE_GROUP, id=made["id"], name="Trade")
        assert answer["updateCustomerGroup"]["customerGroup"] == made | {"name": "Trade"}
        answer = await staff.try_to(UPDATE_GROUP, id=made["id"], code="trade", privateMarkets=None)
        expected = made | {"name": "Trade", "code": "trade", "privateMarkets": []}
        assert answer["updateCustomerGroup"]["customerGroup"] == expected

    async def test_refuses_a_taken_code(self, staff: Staff) -> None:
        await staff.create_group("taken")
        made = await staff.create_group("wholesale")
        answer = await staff.try_to(UPDATE_GROUP, id=made["id"], name="Other", code="taken")
        assert answer.user_errors("updateCustomerGroup") == [("TAKEN", "code")]
        assert await codes(staff) == ["taken", "wholesale"]

    async def test_refuses_to_clear_name_or_code(self, staff: Staff) -> None:
        made = await staff.create_group("wholesale")
        answer = await staff.try_to(UPDATE_GROUP, id=made["id"], name=None, code=None)
        assert answer.user_errors("updateCustomerGroup") == [("REQUIRED", "name"), ("REQUIRED", "code")]

    async def test_does_not_find_a_group_of_another_shop(self, gateway: Gateway, staff: Staff) -> None:
        other = await Staff.of(gateway, "open-backend")
        theirs = await other.create_group("theirs")
        for group_id in (theirs["id"], UNKNOWN):
            answer = await staff.try_to(UPDATE_GROUP, id=group_id, code="mine")
            assert answer.user_errors("updateCustomerGroup") == [("NOT_FOUND", "id")]
        assert await codes(other) == ["theirs"]

    async def test_is_for_integrations_with_the_scope_only(self, gateway: Gateway) -> None:
        reader = await Staff.of(gateway, scope="customers.read")
        assert (await reader.try_to(UPDATE_GROUP, id=UNKNOWN)).codes == ["FORBIDDEN"]


class TestDeleteCustomerGroup:
    async def test_leaves_the_customers_without_the_group(self, staff: Staff) -> None:
        gone, stays = await staff.create_group("gone"), await staff.create_group("stays")
        made = await staff.create(groupIds=[gone["id"], stays["id"]])
        answer = await staff.try_to(DELETE_GROUP, id=gone["id"])
        assert answer["deleteCustomerGroup"]["deletedId"] == gone["id"]
        found = await staff.find(id=made["id"])
        assert found is not None
        assert found["groups"] == [stays]
        assert await codes(staff) == ["stays"]

    async def test_does_not_find_a_group_twice_or_of_another_shop(self, gateway: Gateway, staff: Staff) -> None:
        other = await Staff.of(gateway, "open-backend")
        theirs, mine = await other.create_group("theirs"), await staff.create_group("mine")
        await staff.try_to(DELETE_GROUP, id=mine["id"])
        for group_id in (theirs["id"], mine["id"], UNKNOWN):
            answer = await staff.try_to(DELETE_GROUP, id=group_id)
            assert answer.user_errors("deleteCustomerGroup") == [("NOT_FOUND", "id")]
        assert await codes(other) == ["theirs"]

    async def test_meets_customers_who_are_just_put_into_the_group(self, staff: Staff) -> None:
        group = await staff.create_group("contested")
        made = [(await staff.create())["id"] for _ in range(8)]
        update = f"""mutation ($input: UpdateCustomerInput!) {{
            updateCustomer(input: $input) {{ customer {{ id }} {USER_ERRORS} }}
        }}"""
        joins = [staff.try_to(update, id=each, groupIds=[group["id"]]) for each in made]
        *answers, deleted = await asyncio.gather(*joins, staff.try_to(DELETE_GROUP, id=group["id"]))
        assert deleted.user_errors("deleteCustomerGroup") == []
        allowed: tuple[list[tuple[str, str]], ...] = ([], [("NOT_FOUND", "groupIds")])
        assert all(answer.user_errors("updateCustomer") in allowed for answer in answers)
        found = [await staff.find(id=each) for each in made]
        assert [each["groups"] for each in found if each is not None] == [[]] * 8

    async def test_is_for_integrations_with_the_scope_only(self, gateway: Gateway) -> None:
        reader = await Staff.of(gateway, scope="customers.read")
        assert (await reader.try_to(DELETE_GROUP, id=UNKNOWN)).codes == ["FORBIDDEN"]


class TestGroups:
    async def test_are_part_of_me_for_one_statement_more(self, gateway: Gateway, staff: Staff) -> None:
        group = await staff.create_group("wholesale", privateMarkets=["outlet"])
        person = await gateway.customer()
        await staff.update(person.id, groupIds=[group["id"]])
        query = "{ me { id groups { id name code privateMarkets } } }"
        with gateway.count_statements() as statements:
            answer = await gateway.graphql(query, token=person.tokens.access)
        assert answer["me"] == {"id": person.id, "groups": [group]}
        assert len(statements) == 2, statements

    async def test_have_their_codes_in_the_saas_token(self, gateway: Gateway, staff: Staff) -> None:
        person = await gateway.customer()
        assert await groups_in(gateway, person.tokens.saas) == []
        made = [(await staff.create_group(code))["id"] for code in ("wholesale", "press")]
        await staff.update(person.id, groupIds=made)
        refreshed = await gateway.refresh(person.tokens.refresh)
        assert await groups_in(gateway, refreshed.saas) == ["press", "wholesale"]
        assert await groups_in(gateway, (await gateway.login(person.email)).saas) == ["press", "wholesale"]

    async def test_are_read_after_the_change_in_one_document(self, gateway: Gateway, staff: Staff) -> None:
        group = await staff.create_group("wholesale")
        made = await staff.create()
        query = f"""mutation ($in: UpdateCustomerInput!, $out: UpdateCustomerInput!) {{
            first: updateCustomer(input: $in) {{ customer {{ groups {{ code }} }} {USER_ERRORS} }}
            then: updateCustomer(input: $out) {{ customer {{ groups {{ code }} }} {USER_ERRORS} }}
        }}"""
        given = {"in": {"id": made["id"], "groupIds": [group["id"]]}, "out": {"id": made["id"], "groupIds": []}}
        answer = await staff.graphql(query, given)
        assert answer["first"]["customer"]["groups"] == [{"code": "wholesale"}]
        assert answer["then"]["customer"]["groups"] == []

    async def test_cannot_be_chosen_by_the_customer(self, gateway: Gateway, staff: Staff) -> None:
        group = await staff.create_group("wholesale")
        tokens = await gateway.anonymous()
        given = {"email": "a@example.com", "password": "violet-harbour-42", "groupIds": [group["id"]]}
        answer = await gateway.graphql(operations.SIGNUP, {"input": given}, tokens.access)
        assert answer.codes == ["BAD_REQUEST"]
