"""Calls with an `Idempotency-Key`: they have their effect once, and answer the same again."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.domain.scopes import Scope
from app.services.worker.purge import purge_sealed
from tests.factories import address_input
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.operations import ANONYMOUS_LOGIN, CHANGE_PASSWORD, USER_ERRORS
from tests.harness.slowness import Slowness, in_vain
from tests.harness.staff import CREATE_GROUP
from tests.harness.two_shops import HERE, UPDATE_CUSTOMER, Shop, two_shops

pytestmark = pytest.mark.anyio

CREATE = f"createAddress(input: $input) {{ address {{ id city }} {USER_ERRORS} }}"
CREATE_ADDRESS = f"mutation ($input: AddressInput!) {{ {CREATE} }}"
CREATE_TWO = f"mutation ($input: AddressInput!) {{ one: {CREATE} two: {CREATE} }}"
CREATE_AND_LOOK = f"""mutation ($input: AddressInput!) {{
    createAddress(input: $input) {{
        address {{ id }}
        customer {{
            addresses {{ city }} groups {{ name }} paymentInstruments {{ id }} productLists {{ id }} accounts {{ id }}
        }}
        {USER_ERRORS}
    }}
}}"""
CITIES = "{ addresses { city } }"
KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
AT_ONCE = 16


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return two_shops(tmp_path)


@pytest.fixture
async def token(gateway: Gateway) -> str:
    return (await Shop(gateway).customer()).tokens.access


async def create(gateway: Gateway, token: str, headers: dict[str, str] = KEY, **changes: Any) -> Answer:
    return await gateway.graphql(CREATE_ADDRESS, {"input": address_input(**changes)}, token, headers)


async def cities(gateway: Gateway, token: str) -> list[str]:
    return [each["city"] for each in (await gateway.graphql(CITIES, token=token))["addresses"]]


class TestRepeatedCall:
    async def test_answers_the_same_and_does_nothing(self, gateway: Gateway, token: str) -> None:
        first = await create(gateway, token)
        gateway.clock.advance(minutes=10)
        again = await create(gateway, token)
        assert again.data == first.data
        assert first["createAddress"]["address"]["city"] == "Berlin"
        assert await cities(gateway, token) == ["Berlin"]

    async def test_goes_on_over_a_refresh(self, gateway: Gateway) -> None:
        tokens = (await Shop(gateway).customer()).tokens
        first = await create(gateway, tokens.access)
        again = await create(gateway, (await gateway.refresh(tokens.refresh)).access)
        assert again.data == first.data

    async def test_answers_user_errors_again_even_when_the_input_would_be_right_by_now(
        self, gateway: Gateway, token: str
    ) -> None:
        first = await create(gateway, token, country="XX")
        again = await create(gateway, token, country="XX")
        assert first.user_errors("createAddress") == [("INVALID_COUNTRY", "country")]
        assert again.data == first.data
        assert len(await gateway.rows("SELECT 1 FROM idempotent_call WHERE sealed_answer IS NOT NULL")) == 1

    async def test_reads_all_that_the_payload_selects_before_it_commits(self, gateway: Gateway, token: str) -> None:
        given = {"input": address_input()}
        first = await gateway.graphql(CREATE_AND_LOOK, given, token, KEY)
        assert first["createAddress"]["customer"]["addresses"] == [{"city": "Berlin"}]
        assert (await gateway.graphql(CREATE_AND_LOOK, given, token, KEY)).data == first.data

    async def test_is_another_one_after_a_day(self, gateway: Gateway, token: str) -> None:
        person = await Shop(gateway).customer()
        first = await create(gateway, person.tokens.access)
        gateway.clock.advance(hours=24)
        again = await create(gateway, (await gateway.refresh(person.tokens.refresh)).access)
        assert again["createAddress"]["address"]["id"] != first["createAddress"]["address"]["id"]

    async def test_has_its_effect_once_of_sixteen_at_once(self, gateway: Gateway, token: str) -> None:
        answers = await asyncio.gather(*(create(gateway, token) for _ in range(AT_ONCE)))
        outcomes = Counter(
            answer.errors[0]["extensions"]["outcome"] if answer.errors else answer["createAddress"]["address"]["id"]
            for answer in answers
        )
        assert set(outcomes) - {"NOT_DONE"} == {(await create(gateway, token))["createAddress"]["address"]["id"]}
        assert {answer.codes[0] for answer in answers if answer.errors} <= {"SERVICE_BUSY"}
        assert all(answer.headers["Retry-After"] == "1" for answer in answers if answer.errors)
        assert await cities(gateway, token) == ["Berlin"]

    async def test_that_changes_the_password_gives_the_tokens_again_which_are_sealed(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        given = {"input": {"currentPassword": person.password, "newPassword": "another-harbour-43"}}
        first = (await gateway.graphql(CHANGE_PASSWORD, given, person.tokens.access, KEY))["changePassword"]
        again = await gateway.graphql(CHANGE_PASSWORD, given, first["tokens"]["accessToken"], KEY)
        assert again["changePassword"] == first
        ((kept, sent),) = await gateway.rows("SELECT sealed_answer, sealed_input FROM idempotent_call")
        assert "cg_" not in kept + sent


class TestKey:
    async def test_stands_for_one_input(self, gateway: Gateway, token: str) -> None:
        await create(gateway, token)
        assert (await create(gateway, token, city="Hamburg")).codes == ["IDEMPOTENCY_KEY_REUSED"]
        assert await cities(gateway, token) == ["Berlin"]

    async def test_stands_for_one_operation(self, gateway: Gateway, token: str) -> None:
        await create(gateway, token)
        answer = await gateway.graphql(CREATE_AND_LOOK, {"input": address_input()}, token, KEY)
        assert answer.codes == ["IDEMPOTENCY_KEY_REUSED"]

    async def test_is_a_sessions_own(self, gateway: Gateway, token: str) -> None:
        other = (await Shop(gateway).customer()).tokens.access
        first, second = await create(gateway, token), await create(gateway, other, city="Hamburg")
        assert (first.errors, second.errors) == ([], [])

    async def test_of_an_integration_counts_for_all_of_its_tokens(self, gateway: Gateway) -> None:
        shop = Shop(gateway)
        given = {"input": {"name": "Press", "code": "press"}}
        tokens = [await shop.integration(*Scope) for _ in range(2)]
        first, again = [await gateway.graphql(CREATE_GROUP, given, token, KEY) for token in tokens]
        assert first.user_errors("createCustomerGroup") == []
        assert again.data == first.data

    @pytest.mark.parametrize("key", ["", "two words", "a\tb", "ü", "x" * 256], ids=["0", "blank", "tab", "ü", "256"])
    async def test_is_visible_characters(self, gateway: Gateway, token: str, key: str) -> None:
        answer = await gateway.http.post(
            "/graphql",
            json={"query": CREATE_ADDRESS, "variables": {"input": address_input()}},
            headers=[(b"Authorization", f"Bearer {token}".encode()), (b"Idempotency-Key", key.encode("latin-1"))],
        )
        assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"

    @pytest.mark.parametrize("key", ["!", "~" * 255])
    async def test_may_be_any_of_them(self, gateway: Gateway, token: str, key: str) -> None:
        assert (await create(gateway, token, {"Idempotency-Key": key})).errors == []

    async def test_is_for_one_root_field(self, gateway: Gateway, token: str) -> None:
        answer = await gateway.graphql(CREATE_TWO, {"input": address_input()}, token, KEY)
        assert answer.codes == ["BAD_REQUEST"]
        assert await cities(gateway, token) == []

    async def test_is_ignored_without_a_session(self, gateway: Gateway) -> None:
        begin = {"input": {"clientId": f"{HERE}-storefront"}}
        one, two = [(await gateway.graphql(ANONYMOUS_LOGIN, begin, headers=KEY))["anonymousLogin"] for _ in range(2)]
        assert one["tokens"]["sessionId"] != two["tokens"]["sessionId"]

    async def test_is_ignored_with_a_query(self, gateway: Gateway, token: str) -> None:
        assert (await gateway.graphql(CITIES, token=token, headers=KEY))["addresses"] == []
        await create(gateway, token)
        assert (await gateway.graphql(CITIES, token=token, headers=KEY))["addresses"] == [{"city": "Berlin"}]


class TestFailedCall:
    async def test_is_made_anew_when_it_was_refused(self, gateway: Gateway, token: str) -> None:
        given = {"input": {"name": "Press", "code": "press"}}
        assert (await gateway.graphql(CREATE_GROUP, given, token, KEY)).codes == ["FORBIDDEN"]
        assert (await create(gateway, token)).errors == []

    async def test_is_made_anew_when_nothing_was_done(self, gateway: Gateway, token: str, slowness: Slowness) -> None:
        slowness.begin("write", after_commits=1)
        assert (await in_vain(gateway, CREATE_ADDRESS, token, KEY))["outcome"] == "NOT_DONE"
        slowness.end()
        assert (await create(gateway, token)).errors == []
        assert await cities(gateway, token) == ["Berlin"]

    async def test_is_not_made_anew_when_its_commit_was_sent(
        self, gateway: Gateway, token: str, slowness: Slowness
    ) -> None:
        slowness.begin("commit", nth=2, is_done=True)
        assert (await in_vain(gateway, CREATE_ADDRESS, token, KEY))["outcome"] == "UNKNOWN"
        slowness.end()
        assert (await create(gateway, token))["createAddress"]["address"]["city"] == "Berlin"
        assert await cities(gateway, token) == ["Berlin"]

    async def test_that_died_ends_by_itself(self, gateway: Gateway, token: str) -> None:
        await create(gateway, token)
        await gateway.write("DELETE FROM address")
        await gateway.write("UPDATE idempotent_call SET sealed_answer = NULL")
        busy = await create(gateway, token)
        assert (busy.codes, busy.errors[0]["extensions"]["outcome"]) == (["SERVICE_BUSY"], "NOT_DONE")
        gateway.clock.advance(seconds=20)
        answers = await asyncio.gather(*(create(gateway, token) for _ in range(4)))
        assert {answer.codes[0] for answer in answers if answer.errors} <= {"SERVICE_BUSY"}
        assert await cities(gateway, token) == ["Berlin"]

    async def test_that_somebody_else_has_taken_over_has_no_effect(
        self, gateway: Gateway, token: str, slowness: Slowness
    ) -> None:
        slowness.begin("begin", after_commits=1, is_up=False)
        late = asyncio.ensure_future(in_vain(gateway, CREATE_ADDRESS, token, KEY))
        while not await gateway.rows("SELECT 1 FROM idempotent_call"):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)
        await gateway.write("UPDATE idempotent_call SET attempt = 'another'")
        slowness.go_on()
        assert (await late)["outcome"] == "NOT_DONE"
        assert await cities(gateway, token) == []


class TestKeptAnswer:
    async def test_goes_with_the_customer(self, gateway: Gateway, token: str) -> None:
        shop = Shop(gateway)
        person = await shop.customer()
        await create(gateway, person.tokens.access)
        update = {"input": {"customerId": person.id, "onHold": False}}
        await gateway.graphql(UPDATE_CUSTOMER, update, await shop.integration(*Scope), KEY)
        kept = "SELECT customer_id FROM idempotent_call"
        assert {row.customer_id for row in await gateway.rows(kept)} == {person.id}

    async def test_is_gone_after_a_day(self, gateway: Gateway, token: str) -> None:
        await create(gateway, token)
        gateway.clock.advance(hours=24, seconds=1)
        await purge_sealed(gateway.tools)
        assert await gateway.rows("SELECT 1 FROM idempotent_call") == []
