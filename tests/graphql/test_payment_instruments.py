"""Payment instruments over GraphQL, on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.staff import ENVIRONMENT, Staff

pytestmark = pytest.mark.anyio

FIELDS = "id token brand last4 expiryMonth expiryYear holderName isDefault"
USER_ERRORS = "userErrors { code field message }"
ADD = f"""mutation ($input: AddPaymentInstrumentInput!) {{
    addPaymentInstrument(input: $input) {{ paymentInstrument {{ {FIELDS} }} {USER_ERRORS} }}
}}"""
UPDATE = f"""mutation ($input: UpdatePaymentInstrumentInput!) {{
    updatePaymentInstrument(input: $input) {{ paymentInstrument {{ {FIELDS} }} {USER_ERRORS} }}
}}"""
DELETE = f"""mutation ($input: DeletePaymentInstrumentInput!) {{
    deletePaymentInstrument(input: $input) {{ deletedId {USER_ERRORS} }}
}}"""
LIST = f"{{ me {{ paymentInstruments {{ {FIELDS} }} }} }}"

CARD = {
    "token": "pm_1MvQa22eZvKY",
    "brand": "visa",
    "last4": "4242",
    "expiryMonth": 12,
    "expiryYear": 2031,
    "holderName": "Ada Lovelace",
}


async def add(gateway: Gateway, person: Person, **changes: Any) -> dict[str, Any]:
    answer = await gateway.graphql(ADD, {"input": {**CARD, **changes}}, person.tokens.access)
    assert answer.user_errors("addPaymentInstrument") == []
    added: dict[str, Any] = answer["addPaymentInstrument"]["paymentInstrument"]
    return added


async def instruments(gateway: Gateway, person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await gateway.graphql(LIST, token=person.tokens.access))["me"]["paymentInstruments"]
    return found


async def refused(gateway: Gateway, person: Person, **changes: Any) -> list[tuple[str, str]]:
    answer = await gateway.graphql(ADD, {"input": {**CARD, **changes}}, person.tokens.access)
    assert answer["addPaymentInstrument"]["paymentInstrument"] is None
    assert await instruments(gateway, person) == []
    return answer.user_errors("addPaymentInstrument")


class TestAddPaymentInstrument:
    async def test_answers_with_what_was_given(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        added = await add(gateway, person)
        assert added == {**CARD, "id": added["id"], "isDefault": True}
        assert await instruments(gateway, person) == [added]

    async def test_needs_only_token_and_brand(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        variables = {"input": {"token": "BA-123", "brand": "paypal"}}
        answer = await gateway.graphql(ADD, variables, person.tokens.access)
        added = answer["addPaymentInstrument"]["paymentInstrument"]
        assert (added["brand"], added["last4"], added["expiryYear"], added["isDefault"]) == ("paypal", None, None, True)

    async def test_makes_a_later_one_the_default_only_when_asked(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        first = await add(gateway, person)
        second = await add(gateway, person, token="pm_second")
        assert [found["id"] for found in await instruments(gateway, person)] == [first["id"], second["id"]]
        third = await add(gateway, person, token="pm_third", isDefault=True)
        found = await instruments(gateway, person)
        assert [each["id"] for each in found] == [third["id"], first["id"], second["id"]]
        assert [each["isDefault"] for each in found] == [True, False, False]

    @pytest.mark.parametrize("field", ["token", "brand", "last4", "holderName"])
    @pytest.mark.parametrize("number", ["4111111111111111", "3782 822463 10005", "Ada 4111-1111-1111-1111 12/31"])
    async def test_refuses_a_card_number_anywhere(self, gateway: Gateway, field: str, number: str) -> None:
        person = await gateway.customer()
        answer = await gateway.graphql(ADD, {"input": {**CARD, field: number}}, person.tokens.access)
        assert answer.user_errors("addPaymentInstrument") == [("INVALID", field)]
        assert "card number" in answer["addPaymentInstrument"]["userErrors"][0]["message"]
        assert await gateway.rows("SELECT 1 FROM payment_instrument") == []

    async def test_tells_every_fault_at_once(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        wrong = {"token": " ", "brand": "x" * 51, "last4": "42", "expiryMonth": 13, "expiryYear": 31}
        assert sorted(await refused(gateway, person, **wrong)) == [
            ("INVALID", "expiryMonth"),
            ("INVALID", "expiryYear"),
            ("INVALID", "last4"),
            ("REQUIRED", "token"),
            ("TOO_LONG", "brand"),
        ]

    async def test_wants_month_and_year_together(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        assert await refused(gateway, person, expiryYear=None) == [("REQUIRED", "expiryYear")]
        assert await refused(gateway, person, expiryMonth=None) == [("REQUIRED", "expiryMonth")]

    async def test_ends_at_fifty(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        for number in range(50):
            await add(gateway, person, token=f"pm_{number}")
        answer = await gateway.graphql(ADD, {"input": CARD}, person.tokens.access)
        assert answer.user_errors("addPaymentInstrument") == [("LIMIT_REACHED", "")]

    async def test_is_not_for_an_anonymous_session(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        assert (await gateway.graphql(ADD, {"input": CARD}, tokens.access)).codes == ["FORBIDDEN"]

    async def test_is_not_for_nobody(self, gateway: Gateway) -> None:
        answer = await gateway.graphql(ADD, {"input": CARD})
        assert (answer.codes, answer.reason) == (["UNAUTHENTICATED"], "MISSING")

    @pytest.mark.parametrize("as_default", [True, False])
    async def test_leaves_one_default_when_sixteen_come_at_once(self, gateway: Gateway, *, as_default: bool) -> None:
        person = await gateway.customer()
        await asyncio.gather(*(add(gateway, person, token=f"pm_{n}", isDefault=as_default) for n in range(16)))
        found = await instruments(gateway, person)
        assert len(found) == 16
        assert [each["isDefault"] for each in found] == [True] + [False] * 15


class TestUpdatePaymentInstrument:
    async def _update(self, gateway: Gateway, person: Person, instrument_id: str, **patch: Any) -> Answer:
        return await gateway.graphql(UPDATE, {"input": {"id": instrument_id, **patch}}, person.tokens.access)

    async def test_changes_what_is_given_and_clears_what_is_null(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        added = await add(gateway, person)
        answer = await self._update(gateway, person, added["id"], expiryYear=2035, holderName=None)
        changed = answer["updatePaymentInstrument"]["paymentInstrument"]
        assert changed == {**added, "expiryYear": 2035, "holderName": None}
        assert await instruments(gateway, person) == [changed]

    async def test_moves_the_default(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        first, second = await add(gateway, person), await add(gateway, person, token="pm_second")
        await self._update(gateway, person, second["id"], isDefault=True)
        found = await instruments(gateway, person)
        assert [(each["id"], each["isDefault"]) for each in found] == [(second["id"], True), (first["id"], False)]

    async def test_does_not_leave_it_without_default(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        added = await add(gateway, person)
        answer = await self._update(gateway, person, added["id"], isDefault=False)
        assert answer.user_errors("updatePaymentInstrument") == [("INVALID", "isDefault")]
        assert await instruments(gateway, person) == [added]

    async def test_wants_month_and_year_to_go_together(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        added = await add(gateway, person)
        answer = await self._update(gateway, person, added["id"], expiryYear=None)
        assert answer.user_errors("updatePaymentInstrument") == [("REQUIRED", "expiryYear")]
        answer = await self._update(gateway, person, added["id"], expiryYear=None, expiryMonth=None)
        assert answer["updatePaymentInstrument"]["paymentInstrument"]["expiryMonth"] is None

    async def test_refuses_a_card_number_too(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        added = await add(gateway, person)
        answer = await self._update(gateway, person, added["id"], token="4111 1111 1111 1111")
        assert answer.user_errors("updatePaymentInstrument") == [("INVALID", "token")]
        assert await instruments(gateway, person) == [added]

    async def test_cannot_take_the_token_away(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        added = await add(gateway, person)
        answer = await self._update(gateway, person, added["id"], token=None)
        assert answer.user_errors("updatePaymentInstrument") == [("REQUIRED", "token")]

    @pytest.mark.parametrize("client_id", ["demo-storefront", "open-storefront"])
    async def test_finds_nothing_of_others(self, gateway: Gateway, client_id: str) -> None:
        person, stranger = await gateway.customer(), await gateway.customer(client_id)
        added = await add(gateway, person)
        answer = await self._update(gateway, stranger, added["id"], brand="stolen", isDefault=True)
        assert answer.user_errors("updatePaymentInstrument") == [("NOT_FOUND", "id")]
        assert await instruments(gateway, person) == [added]


class TestDeletePaymentInstrument:
    async def _delete(self, gateway: Gateway, person: Person, instrument_id: str) -> Answer:
        return await gateway.graphql(DELETE, {"input": {"id": instrument_id}}, person.tokens.access)

    async def test_makes_the_oldest_left_the_default(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        first, second, third = [await add(gateway, person, token=f"pm_{number}") for number in range(3)]
        answer = await self._delete(gateway, person, first["id"])
        assert answer["deletePaymentInstrument"] == {"deletedId": first["id"], "userErrors": []}
        assert await instruments(gateway, person) == [{**second, "isDefault": True}, third]

    async def test_leaves_the_default_alone_when_another_one_goes(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        first, second = await add(gateway, person), await add(gateway, person, token="pm_second")
        await self._delete(gateway, person, second["id"])
        assert await instruments(gateway, person) == [first]

    @pytest.mark.parametrize("client_id", ["demo-storefront", "open-storefront"])
    async def test_finds_nothing_of_others(self, gateway: Gateway, client_id: str) -> None:
        person, stranger = await gateway.customer(), await gateway.customer(client_id)
        added = await add(gateway, person)
        answer = await self._delete(gateway, stranger, added["id"])
        assert answer.user_errors("deletePaymentInstrument") == [("NOT_FOUND", "id")]
        assert await instruments(gateway, person) == [added]
        assert await instruments(gateway, stranger) == []


class TestOnBehalf:
    @pytest.fixture
    def settings_environment(self) -> dict[str, str]:
        return ENVIRONMENT

    async def test_staff_do_what_the_customer_can(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        staff = await Staff.of(gateway)
        begin = "mutation ($input: LoginOnBehalfInput!) { loginOnBehalf(input: $input) { tokens { accessToken } } }"
        begun = await staff.graphql(begin, {"input": {"customerId": person.id, "reason": "Phone order"}})
        token = begun["loginOnBehalf"]["tokens"]["accessToken"]
        added = (await gateway.graphql(ADD, {"input": CARD}, token))["addPaymentInstrument"]["paymentInstrument"]
        assert await instruments(gateway, person) == [added]
        await gateway.graphql(DELETE, {"input": {"id": added["id"]}}, token)
        assert await instruments(gateway, person) == []

    async def test_an_integration_itself_does_not(self, gateway: Gateway) -> None:
        staff = await Staff.of(gateway)
        assert (await staff.graphql(ADD, {"input": CARD})).codes == ["FORBIDDEN"]
