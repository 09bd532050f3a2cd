"""Whether an address is known cannot be told from any answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest

from tests.factories import PASSWORD, signup_input
from tests.harness import operations
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.sign_in import REQUEST_LOGIN_CODE

pytestmark = pytest.mark.anyio

UNKNOWN = "nobody@example.com"
Call = Callable[[Gateway, str, str], Awaitable[Answer]]


async def login(gateway: Gateway, token: str, email: str) -> Answer:
    given = {"email": email, "password": "wrong-harbour-42"}
    return await gateway.graphql(operations.LOGIN, {"input": given}, token)


async def signup(gateway: Gateway, token: str, email: str) -> Answer:
    given = signup_input(email=email, password="another-harbour-43")
    return await gateway.graphql(operations.SIGNUP, {"input": given}, token)


async def request_password_reset(gateway: Gateway, token: str, email: str) -> Answer:
    return await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": email}}, token)


async def resend_confirmation(gateway: Gateway, token: str, email: str) -> Answer:
    return await gateway.graphql(operations.RESEND_CONFIRMATION, {"input": {"email": email}}, token)


async def request_login_code(gateway: Gateway, token: str, email: str) -> Answer:
    return await gateway.graphql(REQUEST_LOGIN_CODE, {"input": {"email": email}}, token)


CALLS = [login, signup, request_password_reset, resend_confirmation, request_login_code]


class TestKnownAndUnknownAddress:
    @pytest.mark.parametrize("call", CALLS)
    async def test_are_answered_alike(self, gateway: Gateway, call: Call) -> None:
        known = (await gateway.customer()).email
        answers = [await call(gateway, (await gateway.anonymous()).access, email) for email in (known, UNKNOWN)]
        assert answers[0].status == answers[1].status
        assert without_ids(answers[0]) == without_ids(answers[1])
        assert sorted(answers[0].headers.keys()) == sorted(answers[1].headers.keys())

    @pytest.mark.parametrize("call", CALLS)
    async def test_cost_the_same_statements(self, gateway: Gateway, call: Call) -> None:
        known = (await gateway.customer()).email
        counts = []
        for email in (known, UNKNOWN):
            token = (await gateway.anonymous()).access
            with gateway.count_statements() as statements:
                await call(gateway, token, email)
            counts.append(len(statements))
        assert counts[0] == counts[1]

    @pytest.mark.parametrize("place", ["here", "elsewhere"])
    @pytest.mark.parametrize("shop", ["demo", "staffed"])
    async def test_are_answered_alike_by_a_sign_up_and_a_login(self, gateway: Gateway, shop: str, place: str) -> None:
        client = f"{shop}-storefront"
        known = (await gateway.signup_confirmed(client)).email
        await gateway.write("UPDATE credential SET email_verified_at = changed_at")
        seen = []
        for email in (known, UNKNOWN):
            session = await gateway.anonymous(client)
            await signup(gateway, session.access, email)
            await gateway.deliver()
            token = session.access if place == "here" else (await gateway.anonymous(client)).access
            for password in ("another-harbour-43", "wrong-harbour-42"):
                given = {"input": {"email": email, "password": password}}
                with gateway.count_statements() as statements:
                    answer = await gateway.graphql(operations.LOGIN, given, token)
                seen.append((email, answer.user_errors("login"), len(statements)))
        half = len(seen) // 2
        assert [each[1:] for each in seen[:half]] == [each[1:] for each in seen[half:]]

    async def test_are_answered_alike_as_the_new_address_of_a_customer(self, gateway: Gateway) -> None:
        known = (await gateway.customer()).email
        customer = await gateway.customer()
        answers = [
            await gateway.graphql(
                operations.CHANGE_EMAIL, {"input": {"newEmail": email, "password": PASSWORD}}, customer.tokens.access
            )
            for email in (known, UNKNOWN)
        ]
        assert answers[0].status == answers[1].status
        assert answers[0].data == answers[1].data == {"changeEmail": {"accepted": True, "userErrors": []}}


def without_ids(answer: Answer) -> str:
    """Return the body with a mark in the place of each id, which is random."""
    assert not answer.errors
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|cg_st_[\w-]{43}", "<id>", str(answer.data))


class TestResendConfirmation:
    async def test_mails_a_new_link_and_makes_the_old_one_worthless(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        await gateway.deliver()
        await resend_confirmation(gateway, person.tokens.access, person.email)
        await gateway.deliver()
        older, newer = [mail.token for mail in gateway.mails(person.email)]
        refused = await gateway.graphql(operations.CONFIRM_SIGNUP, {"input": {"token": older}}, person.tokens.access)
        assert refused.user_errors("confirmSignup") == [("TOKEN_INVALID", "token")]
        confirmed = await gateway.graphql(operations.CONFIRM_SIGNUP, {"input": {"token": newer}}, person.tokens.access)
        assert confirmed["confirmSignup"]["customerId"] == person.id

    async def test_mails_who_is_confirmed_that_nothing_is_left_to_do(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await resend_confirmation(gateway, (await gateway.anonymous()).access, person.email)
        await gateway.deliver()
        mail = gateway.mails(person.email)[-1]
        assert (mail.subject, mail.has_token) == ("Your e-mail address is confirmed already", False)

    async def test_mails_nobody_who_has_never_been_here(self, gateway: Gateway) -> None:
        await resend_confirmation(gateway, (await gateway.anonymous()).access, UNKNOWN)
        await gateway.deliver()
        assert gateway.mails() == []
