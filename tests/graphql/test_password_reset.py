"""A new password by a mailed link: `requestPasswordReset` and `resetPassword`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "copper-lantern-77"


async def ask(gateway: Gateway, email: str, **more: Any) -> Answer:
    """Ask for a reset in a new anonymous session."""
    token = (await gateway.anonymous()).access
    return await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": email, **more}}, token)


async def mailed_token(gateway: Gateway, email: str) -> str:
    """Ask for a reset and return the token that is mailed."""
    assert (await ask(gateway, email))["requestPasswordReset"]["accepted"] is True
    await gateway.deliver()
    token: str = reset_mails(gateway, email)[-1].token
    return token


def reset_mails(gateway: Gateway, email: str) -> list[Any]:
    return [mail for mail in gateway.mails(email) if "/reset-password?token=" in mail.text]


async def reset(gateway: Gateway, token: str, password: str = NEW_PASSWORD) -> Answer:
    """Reset in a new anonymous session."""
    session = await gateway.anonymous()
    given = {"token": token, "password": password}
    return await gateway.graphql(operations.RESET_PASSWORD, {"input": given}, session.access)


async def login_error(gateway: Gateway, email: str, password: str) -> str | None:
    """Try to log in and return what is wrong, or None."""
    token = (await gateway.anonymous()).access
    answer = await gateway.graphql(operations.LOGIN, {"input": {"email": email, "password": password}}, token)
    errors = answer["login"]["userErrors"]
    return errors[0]["code"] if errors else None


async def is_dead(gateway: Gateway, token: str) -> bool:
    return (await gateway.graphql("{ me { id } }", token=token)).codes == ["UNAUTHENTICATED"]


class TestRequestPasswordReset:
    async def test_mails_a_link_to_the_owner(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await ask(gateway, person.email.upper())
        await gateway.deliver()
        (mail,) = reset_mails(gateway, person.email)
        assert "http://localhost:8000/reset-password?token=cg_ot_" in mail.text

    async def test_leads_to_the_site_that_is_named(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await ask(gateway, person.email, site="de")
        await gateway.deliver()
        (mail,) = reset_mails(gateway, person.email)
        assert "http://localhost:8000/de/reset-password?token=" in mail.text

    async def test_refuses_a_site_that_the_shop_has_not(self, gateway: Gateway) -> None:
        answer = await ask(gateway, "ada@example.com", site="moon")
        assert answer.user_errors("requestPasswordReset") == [("INVALID", "site")]
        assert answer["requestPasswordReset"]["accepted"] is None

    async def test_refuses_what_is_no_address(self, gateway: Gateway) -> None:
        answer = await ask(gateway, "ada")
        assert answer.user_errors("requestPasswordReset") == [("INVALID_EMAIL", "email")]

    async def test_mails_nobody_for_an_unknown_address(self, gateway: Gateway) -> None:
        answer = await ask(gateway, "nobody@example.com")
        assert answer["requestPasswordReset"] == {"accepted": True, "userErrors": []}
        await gateway.deliver()
        assert gateway.mails() == []

    async def test_mails_nobody_of_another_shop(self, gateway: Gateway) -> None:
        person = await gateway.customer("open-storefront")
        await ask(gateway, person.email)
        await gateway.deliver()
        assert reset_mails(gateway, person.email) == []

    async def test_keeps_no_address_of_a_stranger(self, gateway: Gateway) -> None:
        await ask(gateway, "nobody@example.com")
        (waiting,) = await gateway.rows("SELECT payload FROM outbox_message WHERE kind = 'task'")
        assert "nobody" not in str(waiting.payload)
        await gateway.deliver()
        (done,) = await gateway.rows("SELECT payload FROM outbox_message WHERE kind = 'task'")
        assert str(done.payload) == "{}"

    async def test_leaves_the_link_before_good_until_one_of_them_is_used(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        older = await mailed_token(gateway, person.email)
        newer = await mailed_token(gateway, person.email)
        assert (await reset(gateway, older))["resetPassword"]["passwordReset"] is True
        assert (await reset(gateway, newer)).user_errors("resetPassword") == [("TOKEN_INVALID", "token")]

    async def test_goes_on_to_mail_when_a_worker_died_in_the_middle(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await ask(gateway, person.email)
        await gateway.deliver()
        await gateway.deliver()
        assert len(reset_mails(gateway, person.email)) == 1

    async def test_needs_a_token(self, gateway: Gateway) -> None:
        given = {"input": {"email": "ada@example.com"}}
        assert (await gateway.graphql(operations.REQUEST_PASSWORD_RESET, given)).codes == ["UNAUTHENTICATED"]


class TestResetPassword:
    @pytest.fixture
    async def person(self, gateway: Gateway) -> Person:
        return await gateway.customer()

    async def test_sets_the_password(self, gateway: Gateway, person: Person) -> None:
        answer = await reset(gateway, await mailed_token(gateway, person.email))
        assert answer["resetPassword"] == {"passwordReset": True, "userErrors": []}
        await gateway.login(person.email, NEW_PASSWORD)

    async def test_makes_the_old_password_worthless(self, gateway: Gateway, person: Person) -> None:
        await reset(gateway, await mailed_token(gateway, person.email))
        assert await login_error(gateway, person.email, PASSWORD) == "INVALID_CREDENTIALS"

    async def test_ends_every_session(self, gateway: Gateway, person: Person) -> None:
        other = await gateway.login(person.email)
        await reset(gateway, await mailed_token(gateway, person.email))
        assert await is_dead(gateway, person.tokens.access)
        assert await is_dead(gateway, other.access)
        refreshed = await gateway.graphql(operations.REFRESH, {"input": {"refreshToken": other.refresh}})
        assert refreshed.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]

    async def test_tells_the_customer_by_mail(self, gateway: Gateway, person: Person) -> None:
        token = await mailed_token(gateway, person.email)
        before = len(gateway.mails(person.email))
        await reset(gateway, token)
        await gateway.deliver()
        assert len(gateway.mails(person.email)) == before + 1

    async def test_works_once(self, gateway: Gateway, person: Person) -> None:
        token = await mailed_token(gateway, person.email)
        await reset(gateway, token)
        again = await reset(gateway, token, "another-lantern-78")
        assert again.user_errors("resetPassword") == [("TOKEN_INVALID", "token")]
        assert await login_error(gateway, person.email, NEW_PASSWORD) is None

    async def test_expires(self, gateway: Gateway, person: Person) -> None:
        token = await mailed_token(gateway, person.email)
        gateway.clock.advance(minutes=30)
        assert (await reset(gateway, token)).user_errors("resetPassword") == [("TOKEN_EXPIRED", "token")]

    async def test_refuses_a_bad_password_and_keeps_the_token(self, gateway: Gateway, person: Person) -> None:
        token = await mailed_token(gateway, person.email)
        for bad, code in (
            ("short", "PASSWORD_TOO_SHORT"),
            ("password123", "PASSWORD_TOO_COMMON"),
            (person.email.partition("@")[0], "PASSWORD_TOO_PERSONAL"),
            ("x" * 257, "PASSWORD_TOO_LONG"),
            ("", "REQUIRED"),
        ):
            assert (await reset(gateway, token, bad)).user_errors("resetPassword") == [(code, "password")]
        assert (await reset(gateway, token))["resetPassword"]["passwordReset"] is True

    async def test_refuses_a_token_made_for_something_else(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        assert (await reset(gateway, mail.token)).user_errors("resetPassword") == [("TOKEN_INVALID", "token")]

    async def test_refuses_nonsense(self, gateway: Gateway) -> None:
        assert (await reset(gateway, "nonsense")).user_errors("resetPassword") == [("TOKEN_INVALID", "token")]

    async def test_refuses_the_token_in_another_shop(self, gateway: Gateway, person: Person) -> None:
        token = await mailed_token(gateway, person.email)
        session = await gateway.anonymous("open-storefront")
        given = {"input": {"token": token, "password": NEW_PASSWORD}}
        answer = await gateway.graphql(operations.RESET_PASSWORD, given, session.access)
        assert answer.user_errors("resetPassword") == [("TOKEN_INVALID", "token")]
        await gateway.login(person.email)

    async def test_dies_when_the_password_is_changed(self, gateway: Gateway, person: Person) -> None:
        token = await mailed_token(gateway, person.email)
        given = {"input": {"currentPassword": PASSWORD, "newPassword": "another-lantern-78"}}
        await gateway.graphql(operations.CHANGE_PASSWORD, given, person.tokens.access)
        assert (await reset(gateway, token)).user_errors("resetPassword") == [("TOKEN_INVALID", "token")]

    async def test_confirms_the_address_of_who_never_did(self, gateway: Gateway) -> None:
        person = await gateway.signed_up("open-storefront")
        session = await gateway.anonymous("open-storefront")
        await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": person.email}}, session.access)
        await gateway.deliver()
        new = {"input": {"token": reset_mails(gateway, person.email)[-1].token, "password": NEW_PASSWORD}}
        await gateway.graphql(operations.RESET_PASSWORD, new, session.access)
        tokens = await gateway.login(person.email, NEW_PASSWORD, client_id="open-storefront")
        answer = await gateway.graphql("{ me { emailVerified } }", token=tokens.access)
        assert answer["me"]["emailVerified"] is True

    async def test_lets_nobody_in_who_waits_for_the_shop(self, gateway: Gateway) -> None:
        person = await gateway.signed_up("staffed-storefront")
        session = await gateway.anonymous("staffed-storefront")
        given = {"input": {"email": person.email}}
        await gateway.graphql(operations.REQUEST_PASSWORD_RESET, given, session.access)
        await gateway.deliver()
        new = {"input": {"token": reset_mails(gateway, person.email)[-1].token, "password": NEW_PASSWORD}}
        answer = await gateway.graphql(operations.RESET_PASSWORD, new, session.access)
        assert answer["resetPassword"]["passwordReset"] is True
        logged_in = await gateway.graphql(
            operations.LOGIN, {"input": {"email": person.email, "password": NEW_PASSWORD}}, session.access
        )
        assert logged_in.user_errors("login") == [("ACCOUNT_INACTIVE", "email")]
