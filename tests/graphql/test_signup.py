"""Sign-up over the public API: login address apart from the contact address, and the link that confirms."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import PASSWORD
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.operations import CONFIRM_SIGNUP, LOGIN

pytestmark = pytest.mark.anyio


def user_errors(payload: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["field"] or ())) for error in payload["userErrors"]]


class TestSignup:
    async def test_may_have_a_login_address_apart_from_the_contact_address(self, gateway: Gateway) -> None:
        apart = {"email": "login@example.com", "password": PASSWORD}
        person = await gateway.signed_up("open-storefront", email="contact@example.com", signup=apart)
        tokens = await gateway.login("login@example.com", token=person.tokens.access)
        seen = await gateway.graphql("{ me { email contactEmail } }", token=tokens.access)
        assert seen["me"] == {"email": "login@example.com", "contactEmail": "contact@example.com"}

    async def test_wants_one_password(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        apart = {"email": "login@example.com", "password": PASSWORD}
        payload = await gateway.signup(tokens.access, password="amber-lantern-77", signup=apart)
        assert user_errors(payload) == [("INVALID", "password")]


class TestConfirmSignup:
    async def confirm(self, gateway: Gateway, text: str, token: str | None = None) -> Answer:
        return await gateway.graphql(CONFIRM_SIGNUP, {"input": {"token": text}}, token)

    async def test_answers_the_same_session_again_and_nobody_else(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        for _ in range(2):
            answer = await self.confirm(gateway, mail.token, person.tokens.access)
            assert answer["confirmSignup"]["customerId"] == person.id
        for token in (None, (await gateway.anonymous()).access):
            answer = await self.confirm(gateway, mail.token, token)
            assert answer.user_errors("confirmSignup") == [("TOKEN_INVALID", "token")]

    async def test_comes_before_the_login(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        credentials = {"input": {"email": person.email, "password": person.password}}
        answer = await gateway.graphql(LOGIN, credentials, person.tokens.access)
        assert answer.user_errors("login") == [("EMAIL_NOT_CONFIRMED", "email")]

    async def test_says_when_the_link_has_expired(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        gateway.clock.advance(hours=24, seconds=1)
        answer = await self.confirm(gateway, mail.token)
        assert answer.user_errors("confirmSignup") == [("TOKEN_EXPIRED", "token")]
