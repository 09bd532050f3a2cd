"""Sign-up over the public API: login address apart from the contact address, and the link that confirms."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import PASSWORD, address_input
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

    async def test_suggests_the_address_that_was_probably_meant(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("open-storefront")
        query = "mutation ($input: SignupInput!) { signup(input: $input) { status emailSuggestion } }"
        for email, meant in (("Ada@gmial.com", "Ada@gmail.com"), ("ada@example.com", None)):
            given = {"email": email, "password": PASSWORD}
            answer = await gateway.graphql(query, {"input": given}, tokens.access)
            assert answer["signup"] == {"status": "ACTIVE", "emailSuggestion": meant}

    async def test_says_what_is_wrong_with_an_address(self, gateway: Gateway) -> None:
        apart = {"email": "ada..king@shop.example", "password": PASSWORD}
        payload = await gateway.signup((await gateway.anonymous()).access, email="ada@shop", signup=apart)
        assert [(error["field"], error["message"]) for error in payload["userErrors"]] == [
            (["signup", "email"], "There cannot be two dots in a row before the @-sign."),
            (["email"], "There is no dot after the @-sign. A domain looks like example.com."),
        ]

    async def test_wants_one_password(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous()
        apart = {"email": "login@example.com", "password": PASSWORD}
        payload = await gateway.signup(tokens.access, password="amber-lantern-77", signup=apart)
        assert user_errors(payload) == [("INVALID", "password")]

    async def test_takes_empty_credentials_as_none(self, gateway: Gateway) -> None:
        person = await gateway.signed_up("open-storefront", signup={"email": "", "password": ""})
        await gateway.login(person.email, token=person.tokens.access)

    @pytest.mark.parametrize(
        ("site", "address", "kept"),
        [
            (None, None, "123456789"),
            (None, address_input(), "+49123456789"),
            ("de", None, "+49123456789"),
            ("main", None, "123456789"),
            ("main", address_input(), "+49123456789"),
        ],
    )
    async def test_reads_a_phone_number_by_the_country_of_site_or_address(
        self, gateway: Gateway, site: str | None, address: dict[str, Any] | None, kept: str
    ) -> None:
        client = "demo-storefront" if site else "open-storefront"
        details = {"contactPhone": "123456789", "preferredSite": site}
        person = await gateway.signup_confirmed(client, customerDetails=details, customerAddress=address)
        tokens = await gateway.login(person.email, client_id=client)
        assert (await gateway.graphql("{ me { contactPhone } }", token=tokens.access))["me"] == {"contactPhone": kept}

    async def test_speaks_the_language_of_the_site_with_who_chose_none(self, gateway: Gateway) -> None:
        for language in ("", None):
            person = await gateway.customer("open-storefront", customerDetails={"preferredLanguage": language})
            answer = await gateway.graphql("{ me { preferredLanguage } }", token=person.tokens.access)
            assert answer["me"] == {"preferredLanguage": "en"}


class TestConfirmSignup:
    async def confirm(self, gateway: Gateway, text: str, token: str | None = None) -> Answer:
        return await gateway.graphql(CONFIRM_SIGNUP, {"input": {"token": text}}, token)

    async def test_answers_anybody_with_the_token_again_that_it_is_done(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        visitor = (await gateway.anonymous()).access
        for number, token in enumerate((person.tokens.access, person.tokens.access, None, visitor)):
            answer = await self.confirm(gateway, mail.token, token)
            payload = {"customerId": person.id, "alreadyConfirmed": number > 0, "userErrors": []}
            assert answer["confirmSignup"] == payload

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
