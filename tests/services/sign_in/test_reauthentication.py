"""Proofs within a session: what they add to it, which of them will do, and what sensitive operations want."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.operations import USER_ERRORS
from tests.harness.saas_tokens import read_saas_token
from tests.harness.sign_in import (
    REQUEST_LOGIN_CODE,
    code_mails,
    code_of,
    complete,
    mailed_code,
    request_code,
    shop_environment,
    wrong,
)

pytestmark = pytest.mark.anyio

CLIENT = "shop-storefront"
REAUTHENTICATE = f"""mutation ($input: ReauthenticateInput!) {{
    reauthenticate(input: $input) {{ authenticatedAt {USER_ERRORS} }}
}}"""
TOKEN_INFO = "{ tokenInfo { authenticatedAt methods level } }"
EXPORT = f"mutation {{ exportMyData {{ data {USER_ERRORS} }} }}"


@pytest.fixture
def keys() -> dict[str, Any]:
    """Return the keys of the shop, beyond those that every shop needs."""
    return {}


@pytest.fixture
def settings_environment(tmp_path: Path, keys: dict[str, Any]) -> dict[str, str]:
    return shop_environment(tmp_path, **{"signup": "confirm_email", "access_token_seconds": 7_200, **keys})


@pytest.fixture
async def ada(gateway: Gateway) -> Person:
    """Log somebody in."""
    return await gateway.customer(CLIENT)


async def prove(gateway: Gateway, token: str, **given: Any) -> Answer:
    return await gateway.graphql(REAUTHENTICATE, {"input": given}, token)


async def own_code(gateway: Gateway, ada: Person) -> tuple[str, str]:
    """Ask for a code in the customer's own session."""
    answer = await gateway.graphql(REQUEST_LOGIN_CODE, {"input": {}}, ada.tokens.access)
    await gateway.deliver()
    return answer["requestLoginCode"]["ticket"], code_of(code_mails(gateway, ada.email)[-1])


async def info_of(gateway: Gateway, token: str) -> dict[str, Any]:
    info: dict[str, Any] = (await gateway.graphql(TOKEN_INFO, token=token))["tokenInfo"]
    return info


class TestReauthenticate:
    async def test_makes_the_login_fresh_again(self, gateway: Gateway, ada: Person) -> None:
        gateway.clock.advance(seconds=3_600)
        assert (await gateway.graphql(EXPORT, token=ada.tokens.access)).codes == ["REAUTHENTICATION_REQUIRED"]
        answer = await prove(gateway, ada.tokens.access, password=ada.password)
        at = answer["reauthenticate"]["authenticatedAt"]
        assert (await info_of(gateway, ada.tokens.access))["authenticatedAt"] == at
        assert (await gateway.graphql(EXPORT, token=ada.tokens.access))["exportMyData"]["data"]
        gateway.clock.advance(seconds=601)
        assert (await gateway.graphql(EXPORT, token=ada.tokens.access)).codes == ["REAUTHENTICATION_REQUIRED"]

    async def test_takes_a_mailed_code_and_raises_the_level(self, gateway: Gateway, ada: Person) -> None:
        assert (await info_of(gateway, ada.tokens.access))["level"] == "1"
        ticket, code = await own_code(gateway, ada)
        assert (await prove(gateway, ada.tokens.access, ticket=ticket, emailCode=code))["reauthenticate"]
        info = await info_of(gateway, ada.tokens.access)
        assert (info["methods"], info["level"]) == (["PASSWORD", "EMAIL_CODE"], "2")

    async def test_mails_the_code_however_many_mails_strangers_have_caused(self, gateway: Gateway, ada: Person) -> None:
        for _ in range(6):
            await request_code(gateway, (await gateway.anonymous(CLIENT)).access, ada.email)
        await gateway.deliver()
        ticket, code = await own_code(gateway, ada)
        answer = await prove(gateway, ada.tokens.access, ticket=ticket, emailCode=code)
        assert answer["reauthenticate"]["authenticatedAt"]

    async def test_mails_no_more_codes_than_the_mailbox_may_get(self, gateway: Gateway, ada: Person) -> None:
        for _ in range(4):
            await own_code(gateway, ada)
        assert len(code_mails(gateway, ada.email)) == 3

    async def test_refuses_a_wrong_password(self, gateway: Gateway, ada: Person) -> None:
        answer = await prove(gateway, ada.tokens.access, password="wrong-harbour-43")
        assert answer.user_errors("reauthenticate") == [("INVALID_CREDENTIALS", "password")]

    async def test_refuses_a_wrong_code(self, gateway: Gateway, ada: Person) -> None:
        ticket, code = await own_code(gateway, ada)
        answer = await prove(gateway, ada.tokens.access, ticket=ticket, emailCode=wrong(code))
        assert answer.user_errors("reauthenticate") == [("CODE_INVALID", "emailCode")]

    async def test_refuses_the_ticket_of_a_login(self, gateway: Gateway, ada: Person) -> None:
        visitor = (await gateway.anonymous(CLIENT)).access
        ticket, code = await mailed_code(gateway, visitor, ada.email)
        answer = await prove(gateway, ada.tokens.access, ticket=ticket, emailCode=code)
        assert answer.user_errors("reauthenticate") == [("TICKET_INVALID", "ticket")]

    async def test_makes_no_ticket_for_a_login(self, gateway: Gateway, ada: Person) -> None:
        ticket, code = await own_code(gateway, ada)
        answer = await complete(gateway, (await gateway.anonymous(CLIENT)).access, ticket, emailCode=code)
        assert answer.user_errors("completeLogin") == [("TICKET_INVALID", "ticket")]

    @pytest.mark.parametrize(
        ("given", "error"),
        [
            ({}, ("REQUIRED", "")),
            ({"password": "a-harbour-42", "emailCode": "123456"}, ("INVALID", "emailCode")),
            ({"emailCode": "123456"}, ("REQUIRED", "ticket")),
        ],
    )
    async def test_wants_one_answer_and_its_ticket(
        self, gateway: Gateway, ada: Person, given: dict[str, str], error: tuple[str, str]
    ) -> None:
        answer = await prove(gateway, ada.tokens.access, **given)
        assert answer.user_errors("reauthenticate") == [error]

    async def test_is_not_for_guests(self, gateway: Gateway) -> None:
        token = (await gateway.anonymous(CLIENT)).access
        assert (await prove(gateway, token, password="a-harbour-42")).codes == ["FORBIDDEN"]

    async def test_of_sixteen_at_once_takes_a_code_once(self, gateway: Gateway, ada: Person) -> None:
        ticket, code = await own_code(gateway, ada)
        await gateway.write("UPDATE sign_in_ticket SET tries = -20")
        calls = [prove(gateway, ada.tokens.access, ticket=ticket, emailCode=code) for _ in range(16)]
        answers = await asyncio.gather(*calls)
        assert sum(answer["reauthenticate"]["authenticatedAt"] is not None for answer in answers) == 1

    async def test_mails_no_code_to_another_address(self, gateway: Gateway, ada: Person) -> None:
        given = {"input": {"email": "other@example.com"}}
        answer = await gateway.graphql(REQUEST_LOGIN_CODE, given, ada.tokens.access)
        assert answer.user_errors("requestLoginCode") == [("INVALID", "email")]


class TestReauthenticationRequired:
    async def test_says_which_methods_would_do(self, gateway: Gateway, ada: Person) -> None:
        gateway.clock.advance(seconds=601)
        answer = await gateway.graphql(EXPORT, token=ada.tokens.access)
        assert answer.errors[0]["extensions"]["methods"] == ["PASSWORD", "EMAIL_CODE"]

    @pytest.mark.parametrize("keys", [{"login_code": False}])
    async def test_names_only_what_the_shop_has(self, gateway: Gateway, ada: Person) -> None:
        gateway.clock.advance(seconds=601)
        answer = await gateway.graphql(EXPORT, token=ada.tokens.access)
        assert answer.errors[0]["extensions"]["methods"] == ["PASSWORD"]

    async def test_wants_the_second_factor_of_who_has_one(self, gateway: Gateway, ada: Person) -> None:
        await enrol_totp(gateway, ada.id)
        for given in ({"password": ada.password}, {"emailCode": "123456", "ticket": "x"}):
            answer = await prove(gateway, ada.tokens.access, **given)
            assert answer.codes == ["REAUTHENTICATION_REQUIRED"]
            assert answer.errors[0]["extensions"]["methods"] == ["TOTP"]
        answer = await gateway.graphql(
            f"mutation ($input: ExportMyDataInput) {{ exportMyData(input: $input) {{ {USER_ERRORS} }} }}",
            {"input": {"password": ada.password}},
            ada.tokens.access,
        )
        assert answer.codes == ["REAUTHENTICATION_REQUIRED"]


async def enrol_totp(gateway: Gateway, customer_id: str) -> None:
    """Give a customer a TOTP, as if it had been confirmed."""
    await gateway.write(
        "INSERT INTO totp_secret (tenant_id, id, customer_id, secret, created_at)"
        " SELECT tenant_id, id, id, 'sealed', created_at FROM customer WHERE id = :id",
        id=customer_id,
    )


class TestSaasToken:
    async def test_says_when_and_how_the_customer_has_logged_in(self, gateway: Gateway, ada: Person) -> None:
        claims = await read_saas_token(gateway, ada.tokens.all["saasToken"], "shop")
        assert (claims["auth_time"], claims["amr"], claims["acr"]) == (claims["iat"], ["pwd"], "1")

    async def test_says_so_of_two_factors(self, gateway: Gateway, ada: Person) -> None:
        ticket, code = await own_code(gateway, ada)
        await prove(gateway, ada.tokens.access, ticket=ticket, emailCode=code)
        answer = await gateway.graphql("{ saasToken { token } }", token=ada.tokens.access)
        claims = await read_saas_token(gateway, answer["saasToken"]["token"], "shop")
        assert (claims["amr"], claims["acr"]) == (["pwd", "otp", "mfa"], "2")
