"""Codes to a phone, by the shop's own service: a number is proved first, and then signs in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.operations import USER_ERRORS
from tests.harness.receiver import Receiver, run_receiver
from tests.harness.sign_in import REQUEST_LOGIN_CODE, complete, shop_environment, wrong
from tests.harness.tenants import table

pytestmark = pytest.mark.anyio

CLIENT = "shop-storefront"
PHONE = "+493012345678"
SECRET = "whsec_" + "A" * 32
REAUTHENTICATE = f"""mutation ($input: ReauthenticateInput!) {{
    reauthenticate(input: $input) {{ authenticatedAt {USER_ERRORS} }}
}}"""
REVERT = f"""mutation ($input: RevertSignInMethodInput!) {{
    revertSignInMethod(input: $input) {{ method restored {USER_ERRORS} }}
}}"""


@pytest.fixture
async def service() -> AsyncIterator[Receiver]:
    """Run the shop's own service, which would call its SMS provider."""
    async with run_receiver() as receiver:
        yield receiver


@pytest.fixture
def settings_environment(tmp_path: Path, service: Receiver) -> dict[str, str]:
    codes = table("[tenants.shop.phone_codes]", url=service.url, secret_env="PHONE_SECRET")
    return {**shop_environment(tmp_path, codes, access_token_seconds=7_200), "PHONE_SECRET": SECRET}


@pytest.fixture
async def ada(gateway: Gateway) -> Person:
    """Log somebody in whose profile has a phone."""
    return await gateway.customer(CLIENT, customerDetails={"contactPhone": PHONE})


async def ask(gateway: Gateway, token: str, phone: str = PHONE) -> Answer:
    return await gateway.graphql(REQUEST_LOGIN_CODE, {"input": {"phone": phone}}, token)


async def texted(gateway: Gateway, service: Receiver, token: str) -> tuple[str, str]:
    """Ask for a code and return the ticket and the code, as they come to the owner of the phone."""
    answer = await ask(gateway, token)
    await gateway.deliver()
    data = service.deliveries[-1].verify(SECRET)["data"]
    return answer["requestLoginCode"]["ticket"], data["code"]


async def prove(gateway: Gateway, service: Receiver, person: Person) -> Answer:
    """Prove the phone of the profile."""
    ticket, code = await texted(gateway, service, person.tokens.access)
    given = {"ticket": ticket, "phoneCode": code}
    return await gateway.graphql(REAUTHENTICATE, {"input": given}, person.tokens.access)


async def is_verified(gateway: Gateway, person: Person) -> bool:
    answer = await gateway.graphql("{ me { phoneVerified } }", token=person.tokens.access)
    verified: bool = answer["me"]["phoneVerified"]
    return verified


class TestProof:
    async def test_comes_from_the_shops_own_service(self, gateway: Gateway, service: Receiver, ada: Person) -> None:
        assert not await is_verified(gateway, ada)
        assert (await prove(gateway, service, ada))["reauthenticate"]["userErrors"] == []
        (delivery,) = service.deliveries
        event: dict[str, Any] = delivery.verify(SECRET)
        assert event["type"] == "phone_code.requested"
        assert event["data"].keys() == {"phone", "code", "expiresIn"}
        assert (event["data"]["phone"], event["data"]["expiresIn"]) == (PHONE, 600)
        assert await is_verified(gateway, ada)

    async def test_proves_nothing_else(self, gateway: Gateway, service: Receiver, ada: Person) -> None:
        await prove(gateway, service, ada)
        info = await gateway.graphql("{ tokenInfo { methods level } }", token=ada.tokens.access)
        assert info["tokenInfo"] == {"methods": ["PASSWORD"], "level": "1"}

    async def test_wants_a_fresh_login(self, gateway: Gateway, ada: Person) -> None:
        gateway.clock.advance(seconds=601)
        answer = await ask(gateway, ada.tokens.access)
        assert answer.codes == ["REAUTHENTICATION_REQUIRED"]

    async def test_is_of_the_number_in_the_profile(self, gateway: Gateway, ada: Person) -> None:
        answer = await ask(gateway, ada.tokens.access, "+493087654321")
        assert answer.user_errors("requestLoginCode") == [("INVALID", "phone")]

    async def test_ends_with_another_number(self, gateway: Gateway, service: Receiver, ada: Person) -> None:
        await prove(gateway, service, ada)
        change = f"mutation ($input: UpdateMeInput!) {{ updateMe(input: $input) {{ {USER_ERRORS} }} }}"
        await gateway.graphql(change, {"input": {"contactPhone": "+493087654321"}}, ada.tokens.access)
        assert not await is_verified(gateway, ada)

    async def test_moves_the_number_to_who_has_proved_it_last(
        self, gateway: Gateway, service: Receiver, ada: Person
    ) -> None:
        await prove(gateway, service, ada)
        later = await gateway.customer(CLIENT, customerDetails={"contactPhone": PHONE})
        await prove(gateway, service, later)
        assert [await is_verified(gateway, each) for each in (ada, later)] == [False, True]

    async def test_is_told_by_mail(self, gateway: Gateway, service: Receiver, ada: Person) -> None:
        await prove(gateway, service, ada)
        await gateway.deliver()
        assert gateway.mails(ada.email)[-1].subject == "Phone number added"

    async def test_is_taken_back_by_the_link_of_that_mail_with_the_sessions_that_it_opened(
        self, gateway: Gateway, service: Receiver, ada: Person
    ) -> None:
        await prove(gateway, service, ada)
        await gateway.deliver()
        token = gateway.mails(ada.email)[-1].token
        visitor = (await gateway.anonymous(CLIENT)).access
        ticket, code = await texted(gateway, service, visitor)
        opened = (await complete(gateway, visitor, ticket, phoneCode=code))["completeLogin"]["tokens"]["accessToken"]
        for _ in range(2):
            other = (await gateway.anonymous(CLIENT)).access
            payload = (await gateway.graphql(REVERT, {"input": {"token": token}}, other))["revertSignInMethod"]
            assert payload == {"method": "PHONE_CODE", "restored": False, "userErrors": []}
        assert (await gateway.graphql("{ me { id } }", token=opened)).reason == "REVOKED"
        (row,) = await gateway.rows("SELECT verified_phone, phone_verified_at FROM credential")
        assert (row.verified_phone, row.phone_verified_at) == (None, None)

    async def test_taken_back_leaves_a_number_that_was_proved_since(
        self, gateway: Gateway, service: Receiver, ada: Person
    ) -> None:
        await prove(gateway, service, ada)
        await gateway.deliver()
        token = gateway.mails(ada.email)[-1].token
        await gateway.write("UPDATE credential SET verified_phone = '+493087654321'")
        other = (await gateway.anonymous(CLIENT)).access
        answer = await gateway.graphql(REVERT, {"input": {"token": token}}, other)
        assert answer["revertSignInMethod"]["userErrors"] == []
        (row,) = await gateway.rows("SELECT verified_phone FROM credential")
        assert row.verified_phone == "+493087654321"


class TestLogin:
    async def test_takes_the_code_of_a_proved_phone(self, gateway: Gateway, service: Receiver, ada: Person) -> None:
        await prove(gateway, service, ada)
        visitor = (await gateway.anonymous(CLIENT)).access
        ticket, code = await texted(gateway, service, visitor)
        refused = await complete(gateway, visitor, ticket, phoneCode=wrong(code))
        assert refused.user_errors("completeLogin") == [("CODE_INVALID", "phoneCode")]
        payload = (await complete(gateway, visitor, ticket, phoneCode=code))["completeLogin"]
        assert payload["customer"]["id"] == ada.id
        claims = await gateway.graphql("{ tokenInfo { methods } }", token=payload["tokens"]["accessToken"])
        assert claims["tokenInfo"]["methods"] == ["PHONE_CODE"]

    async def test_sends_nothing_to_a_phone_that_nobody_has_proved(
        self, gateway: Gateway, service: Receiver, ada: Person
    ) -> None:
        visitor = (await gateway.anonymous(CLIENT)).access
        answer = await ask(gateway, visitor)
        await gateway.deliver()
        assert answer["requestLoginCode"]["ticket"]
        assert service.deliveries == []

    async def test_costs_as_many_statements_for_any_number(
        self, gateway: Gateway, service: Receiver, ada: Person
    ) -> None:
        await prove(gateway, service, ada)
        seen = []
        for phone in (PHONE, "+493087654321"):
            visitor = (await gateway.anonymous(CLIENT)).access
            with gateway.count_statements() as statements:
                answer = await ask(gateway, visitor, phone)
            seen.append((len(statements), answer["requestLoginCode"]["expiresIn"]))
        assert seen[0] == seen[1]

    async def test_wants_a_number_with_its_country(self, gateway: Gateway) -> None:
        answer = await ask(gateway, (await gateway.anonymous(CLIENT)).access, "123")
        assert answer.user_errors("requestLoginCode") == [("INVALID_PHONE", "phone")]


class TestOff:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        return shop_environment(tmp_path)

    async def test_is_what_a_shop_without_such_a_service_answers(self, gateway: Gateway) -> None:
        answer = await ask(gateway, (await gateway.anonymous(CLIENT)).access)
        assert answer.user_errors("requestLoginCode") == [("METHOD_OFF", "phone")]
