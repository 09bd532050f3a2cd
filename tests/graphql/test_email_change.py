"""Another login address: `changeEmail`, `confirmEmailChange` and `revertEmailChange`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.client import Answer, Person, Tokens
from tests.harness.gateway import Gateway
from tests.harness.mails import Mail

pytestmark = pytest.mark.anyio

NEW_EMAIL = "countess@example.org"
NEW_PASSWORD = "copper-lantern-77"


@pytest.fixture
async def person(gateway: Gateway) -> Person:
    return await gateway.customer()


async def ask(gateway: Gateway, token: str, new_email: str = NEW_EMAIL, **more: Any) -> Answer:
    """Ask for another address, with the password."""
    given = {"newEmail": new_email, "password": PASSWORD, **more}
    return await gateway.graphql(operations.CHANGE_EMAIL, {"input": given}, token)


async def confirm(gateway: Gateway, token: str, access: str | None = None) -> Answer:
    """Confirm, in a new anonymous session unless one is given."""
    access = access or (await gateway.anonymous()).access
    return await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": token}}, access)


async def revert(gateway: Gateway, token: str) -> Answer:
    return await gateway.graphql(operations.REVERT_EMAIL_CHANGE, {"input": {"token": token}})


async def recovered(gateway: Gateway, token: str) -> Tokens:
    """Revert, choose a new password by the token of the answer, and log in with it."""
    reverted = (await revert(gateway, token))["revertEmailChange"]
    session = await gateway.anonymous()
    given = {"input": {"token": reverted["resetToken"], "password": NEW_PASSWORD}}
    answer = await gateway.graphql(operations.RESET_PASSWORD, given, session.access)
    assert answer["resetPassword"]["passwordReset"] is True
    return await gateway.login(reverted["email"], NEW_PASSWORD, session.access)


def linked(gateway: Gateway, to: str, path: str) -> list[Mail]:
    """Return the mails to an address whose link leads to this page."""
    return [mail for mail in gateway.mails(to) if f"{path}?token=" in mail.text]


async def asked(gateway: Gateway, person: Person, new_email: str = NEW_EMAIL, **more: Any) -> tuple[str, str]:
    """Ask, and return the tokens that are mailed to the new and to the old address."""
    assert (await ask(gateway, person.tokens.access, new_email, **more))["changeEmail"]["accepted"] is True
    await gateway.deliver()
    return (
        linked(gateway, new_email, "/confirm-email")[-1].token,
        linked(gateway, person.email, "/revert-email")[-1].token,
    )


async def changed(gateway: Gateway, person: Person, **more: Any) -> str:
    """Change the address, and return the token by which it can be reverted."""
    new, old = await asked(gateway, person, **more)
    assert (await confirm(gateway, new))["confirmEmailChange"]["email"] == NEW_EMAIL
    return old


async def me(gateway: Gateway, tokens: Tokens) -> dict[str, Any]:
    answer = await gateway.graphql("{ me { email emailVerified contactEmail } }", token=tokens.access)
    profile: dict[str, Any] = answer["me"]
    return profile


async def login_error(gateway: Gateway, email: str, password: str = PASSWORD) -> str | None:
    """Try to log in and return what is wrong, or None."""
    token = (await gateway.anonymous()).access
    answer = await gateway.graphql(operations.LOGIN, {"input": {"email": email, "password": password}}, token)
    errors = answer["login"]["userErrors"]
    return errors[0]["code"] if errors else None


async def is_dead(gateway: Gateway, tokens: Tokens) -> bool:
    return (await gateway.graphql("{ me { id } }", token=tokens.access)).codes == ["UNAUTHENTICATED"]


class TestChangeEmail:
    async def test_changes_nothing_yet(self, gateway: Gateway, person: Person) -> None:
        await asked(gateway, person)
        assert (await me(gateway, person.tokens))["email"] == person.email
        assert await login_error(gateway, person.email) is None
        assert await login_error(gateway, NEW_EMAIL) == "INVALID_CREDENTIALS"

    async def test_mails_the_new_and_the_old_address(self, gateway: Gateway, person: Person) -> None:
        await asked(gateway, person)
        assert len(linked(gateway, NEW_EMAIL, "/confirm-email")) == 1
        assert len(linked(gateway, person.email, "/revert-email")) == 1

    async def test_answers_the_same_for_a_taken_address(self, gateway: Gateway, person: Person) -> None:
        owner = await gateway.customer()
        taken = await ask(gateway, person.tokens.access, owner.email)
        free = await ask(gateway, person.tokens.access)
        assert (taken.status, taken.data) == (free.status, free.data)

    async def test_mails_no_token_to_the_owner_of_a_taken_address(self, gateway: Gateway, person: Person) -> None:
        owner = await gateway.customer()
        before = len(gateway.mails(owner.email))
        await ask(gateway, person.tokens.access, owner.email)
        await gateway.deliver()
        (notice,) = gateway.mails(owner.email)[before:]
        assert "token=" not in notice.text
        assert person.email not in notice.text

    async def test_makes_the_link_before_worthless(self, gateway: Gateway, person: Person) -> None:
        older, _ = await asked(gateway, person)
        newer, _ = await asked(gateway, person, "duchess@example.org")
        assert (await confirm(gateway, older)).user_errors("confirmEmailChange") == [("TOKEN_INVALID", "token")]
        assert (await confirm(gateway, newer))["confirmEmailChange"]["email"] == "duchess@example.org"

    async def test_refuses_a_wrong_password(self, gateway: Gateway, person: Person) -> None:
        answer = await ask(gateway, person.tokens.access, password="wrong-harbour-42")
        assert answer.user_errors("changeEmail") == [("INVALID_CREDENTIALS", "password")]
        await gateway.deliver()
        assert gateway.mails(NEW_EMAIL) == []

    async def test_wants_no_password_just_after_a_login(self, gateway: Gateway, person: Person) -> None:
        answer = await ask(gateway, person.tokens.access, password=None)
        assert answer["changeEmail"]["accepted"] is True

    async def test_wants_the_password_later(self, gateway: Gateway, person: Person) -> None:
        gateway.clock.advance(minutes=10, seconds=1)
        answer = await ask(gateway, person.tokens.access, password=None)
        assert answer.codes == ["REAUTHENTICATION_REQUIRED"]

    async def test_refuses_the_address_so_far(self, gateway: Gateway, person: Person) -> None:
        answer = await ask(gateway, person.tokens.access, person.email.upper())
        assert answer.user_errors("changeEmail") == [("INVALID", "newEmail")]

    async def test_refuses_what_is_no_address(self, gateway: Gateway, person: Person) -> None:
        answer = await ask(gateway, person.tokens.access, "countess")
        assert answer.user_errors("changeEmail") == [("INVALID_EMAIL", "newEmail")]

    async def test_suggests_the_address_that_was_probably_meant(self, gateway: Gateway, person: Person) -> None:
        query = "mutation ($input: ChangeEmailInput!) { changeEmail(input: $input) { accepted emailSuggestion } }"
        given = {"input": {"newEmail": "ada@gmail.con", "password": PASSWORD}}
        answer = await gateway.graphql(query, given, person.tokens.access)
        assert answer["changeEmail"] == {"accepted": True, "emailSuggestion": "ada@gmail.com"}

    async def test_is_not_for_visitors(self, gateway: Gateway) -> None:
        assert (await ask(gateway, (await gateway.anonymous()).access)).codes == ["FORBIDDEN"]


class TestConfirmEmailChange:
    async def test_changes_the_address(self, gateway: Gateway, person: Person) -> None:
        await changed(gateway, person)
        assert await login_error(gateway, NEW_EMAIL) is None
        assert await login_error(gateway, person.email) == "INVALID_CREDENTIALS"

    async def test_keeps_the_session_that_asked_and_ends_the_others(self, gateway: Gateway, person: Person) -> None:
        other = await gateway.login(person.email)
        await changed(gateway, person)
        assert (await me(gateway, person.tokens))["email"] == NEW_EMAIL
        assert await is_dead(gateway, other)

    async def test_leaves_the_contact_address(self, gateway: Gateway, person: Person) -> None:
        await changed(gateway, person)
        assert (await me(gateway, person.tokens))["contactEmail"] == person.email

    async def test_takes_the_contact_address_along_when_asked_to(self, gateway: Gateway, person: Person) -> None:
        await changed(gateway, person, syncContactEmail=True)
        assert await me(gateway, person.tokens) == {
            "email": NEW_EMAIL,
            "emailVerified": True,
            "contactEmail": NEW_EMAIL,
        }

    async def test_tells_both_addresses(self, gateway: Gateway, person: Person) -> None:
        token, _ = await asked(gateway, person)
        before = [len(gateway.mails(to)) for to in (person.email, NEW_EMAIL)]
        await confirm(gateway, token)
        await gateway.deliver()
        assert [len(gateway.mails(to)) for to in (person.email, NEW_EMAIL)] == [count + 1 for count in before]

    async def test_answers_the_same_again_as_long_as_it_is_true(self, gateway: Gateway, person: Person) -> None:
        token, back = await asked(gateway, person)
        await confirm(gateway, token)
        gateway.clock.advance(days=2)
        assert (await confirm(gateway, token))["confirmEmailChange"] == {"email": NEW_EMAIL, "userErrors": []}
        assert len(await gateway.rows("SELECT id FROM audit_event WHERE action = 'email.changed'")) == 1
        await revert(gateway, back)
        assert (await confirm(gateway, token)).user_errors("confirmEmailChange") == [("TOKEN_INVALID", "token")]
        assert await login_error(gateway, NEW_EMAIL) is not None

    async def test_refuses_an_address_that_somebody_has_by_now(self, gateway: Gateway, person: Person) -> None:
        token, _ = await asked(gateway, person)
        await gateway.signup_confirmed(email=NEW_EMAIL)
        assert (await confirm(gateway, token)).user_errors("confirmEmailChange") == [("EMAIL_TAKEN", "token")]
        assert await login_error(gateway, person.email) is None

    async def test_expires(self, gateway: Gateway, person: Person) -> None:
        token, _ = await asked(gateway, person)
        gateway.clock.advance(minutes=60)
        assert (await confirm(gateway, token)).user_errors("confirmEmailChange") == [("TOKEN_EXPIRED", "token")]

    async def test_dies_when_the_password_is_changed(self, gateway: Gateway, person: Person) -> None:
        token, _ = await asked(gateway, person)
        given = {"input": {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}}
        await gateway.graphql(operations.CHANGE_PASSWORD, given, person.tokens.access)
        assert (await confirm(gateway, token)).user_errors("confirmEmailChange") == [("TOKEN_INVALID", "token")]

    async def test_never_comes_to_be_when_the_password_is_changed_first(self, gateway: Gateway, person: Person) -> None:
        await ask(gateway, person.tokens.access)
        given = {"input": {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}}
        await gateway.graphql(operations.CHANGE_PASSWORD, given, person.tokens.access)
        await gateway.deliver()
        assert gateway.mails(NEW_EMAIL) == []

    async def test_refuses_the_token_of_the_notice(self, gateway: Gateway, person: Person) -> None:
        _, old = await asked(gateway, person)
        assert (await confirm(gateway, old)).user_errors("confirmEmailChange") == [("TOKEN_INVALID", "token")]


class TestRevertEmailChange:
    async def test_gives_the_account_back_to_the_old_address(self, gateway: Gateway, person: Person) -> None:
        token = await changed(gateway, person)
        assert (await me(gateway, await recovered(gateway, token)))["email"] == person.email
        assert await login_error(gateway, NEW_EMAIL) == "INVALID_CREDENTIALS"

    async def test_ends_every_session(self, gateway: Gateway, person: Person) -> None:
        token = await changed(gateway, person)
        other = await gateway.login(NEW_EMAIL)
        await revert(gateway, token)
        assert await is_dead(gateway, person.tokens)
        assert await is_dead(gateway, other)

    async def test_stops_a_change_that_is_not_confirmed_yet(self, gateway: Gateway, person: Person) -> None:
        new, old = await asked(gateway, person)
        await revert(gateway, old)
        assert (await confirm(gateway, new)).user_errors("confirmEmailChange") == [("TOKEN_INVALID", "token")]

    async def test_drops_the_password_from_before_the_change_too(self, gateway: Gateway, person: Person) -> None:
        await revert(gateway, await changed(gateway, person))
        assert await login_error(gateway, person.email) == "INVALID_CREDENTIALS"

    async def test_drops_the_password_when_the_change_was_not_confirmed(self, gateway: Gateway, person: Person) -> None:
        _, old = await asked(gateway, person)
        await revert(gateway, old)
        assert await login_error(gateway, person.email) == "INVALID_CREDENTIALS"

    async def test_answers_the_token_that_is_mailed_to_choose_a_new_password(
        self, gateway: Gateway, person: Person
    ) -> None:
        answer = await revert(gateway, await changed(gateway, person))
        await gateway.deliver()
        (mail,) = linked(gateway, person.email, "/reset-password")
        assert answer["revertEmailChange"] == {"email": person.email, "resetToken": mail.token, "userErrors": []}

    async def test_mails_a_link_to_choose_a_new_password(self, gateway: Gateway, person: Person) -> None:
        await revert(gateway, await changed(gateway, person))
        await gateway.deliver()
        (mail,) = linked(gateway, person.email, "/reset-password")
        session = await gateway.anonymous()
        given = {"input": {"token": mail.token, "password": NEW_PASSWORD}}
        answer = await gateway.graphql(operations.RESET_PASSWORD, given, session.access)
        assert answer["resetPassword"]["passwordReset"] is True

    async def test_drops_a_password_that_was_set_after_the_change(self, gateway: Gateway, person: Person) -> None:
        token = await changed(gateway, person)
        given = {"input": {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}}
        await gateway.graphql(operations.CHANGE_PASSWORD, given, person.tokens.access)
        assert (await revert(gateway, token))["revertEmailChange"]["email"] == person.email
        assert await login_error(gateway, person.email, NEW_PASSWORD) == "INVALID_CREDENTIALS"

    async def test_takes_the_contact_address_back(self, gateway: Gateway, person: Person) -> None:
        tokens = await recovered(gateway, await changed(gateway, person, syncContactEmail=True))
        assert (await me(gateway, tokens))["contactEmail"] == person.email

    async def test_leaves_a_contact_address_that_did_not_follow(self, gateway: Gateway, person: Person) -> None:
        token = await changed(gateway, person)
        other = {"input": {"contactEmail": "office@example.org"}}
        update = f"mutation ($input: UpdateMeInput!) {{ updateMe(input: $input) {{ {operations.USER_ERRORS} }} }}"
        await gateway.graphql(update, other, person.tokens.access)
        assert (await me(gateway, await recovered(gateway, token)))["contactEmail"] == "office@example.org"

    async def test_outlives_a_second_change(self, gateway: Gateway, person: Person) -> None:
        first = await changed(gateway, person)
        await ask(gateway, person.tokens.access, "thief@example.org")
        await gateway.deliver()
        await confirm(gateway, linked(gateway, "thief@example.org", "/confirm-email")[-1].token)
        second = linked(gateway, NEW_EMAIL, "/revert-email")[-1].token
        assert (await revert(gateway, second))["revertEmailChange"]["email"] == NEW_EMAIL
        assert (await revert(gateway, first))["revertEmailChange"]["email"] == person.email

    async def test_makes_the_links_of_later_changes_worthless(self, gateway: Gateway, person: Person) -> None:
        first = await changed(gateway, person)
        await ask(gateway, person.tokens.access, "thief@example.org")
        await gateway.deliver()
        second = linked(gateway, NEW_EMAIL, "/revert-email")[-1].token
        await revert(gateway, first)
        assert (await revert(gateway, second)).user_errors("revertEmailChange") == [("TOKEN_INVALID", "token")]

    async def test_leaves_an_address_whose_next_owner_learns_by_mail_why_not_yet(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        token = await changed(gateway, person)
        await gateway.deliver()
        before = len(gateway.mails(person.email))
        newcomer = await gateway.signup((await gateway.anonymous()).access, email=person.email.upper())
        assert (newcomer["status"], newcomer["userErrors"]) == ("CONFIRMATION_SENT", [])
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)[before:]
        assert "still belongs to an account" in mail.subject
        assert NEW_EMAIL not in mail.text
        assert "token=" not in mail.text
        assert (await revert(gateway, token))["revertEmailChange"]["email"] == person.email

    async def test_mails_a_newcomer_no_more_often_than_all_others(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        await changed(gateway, person)
        gateway.clock.advance(hours=2)
        await gateway.deliver()
        before = len(gateway.mails(person.email))
        for _ in range(5):
            await gateway.signup((await gateway.anonymous()).access, email=person.email)
        await gateway.deliver()
        assert len(gateway.mails(person.email)) == before + 3

    async def test_leaves_an_address_that_is_no_other_customer_s_to_change_to(self, gateway: Gateway) -> None:
        person, other = await gateway.customer(), await gateway.customer()
        await changed(gateway, person)
        await gateway.deliver()
        before = len(gateway.mails(person.email))
        await ask(gateway, other.tokens.access, person.email)
        await gateway.deliver()
        assert ["still" in mail.subject for mail in gateway.mails(person.email)[before:]] == [True]

    async def test_may_be_asked_for_by_whoever_left_the_address(self, gateway: Gateway, person: Person) -> None:
        await changed(gateway, person)
        await gateway.deliver()
        before = len(gateway.mails(person.email))
        await ask(gateway, person.tokens.access, person.email)
        await gateway.deliver()
        assert ["confirm" in mail.subject for mail in gateway.mails(person.email)[before:]] == [True]

    async def test_finds_the_old_address_kept(self, gateway: Gateway) -> None:
        person = await gateway.customer("open-storefront")
        await gateway.write("UPDATE credential SET email_verified_at = changed_at")
        token = await changed_in_the_open_shop(gateway, person)
        squatter = await gateway.signup((await gateway.anonymous("open-storefront")).access, email=person.email)
        assert [error["code"] for error in squatter["userErrors"]] == ["EMAIL_TAKEN"]
        await gateway.deliver()
        assert "still belongs to an account" in gateway.mails(person.email)[-1].subject
        assert (await revert(gateway, token))["revertEmailChange"]["email"] == person.email

    async def test_finds_an_old_address_with_somebody_else_who_has_not_proved_it_either(self, gateway: Gateway) -> None:
        person = await gateway.customer("open-storefront")
        token = await changed_in_the_open_shop(gateway, person)
        newcomer = await gateway.customer("open-storefront", email=person.email)
        assert (await revert(gateway, token))["revertEmailChange"]["email"] == person.email
        (row,) = await gateway.rows("SELECT email FROM credential WHERE customer_id = :id", id=newcomer.id)
        assert row.email is None

    async def test_lets_the_old_address_go_at_last(self, gateway: Gateway) -> None:
        person = await gateway.customer("open-storefront")
        token = await changed_in_the_open_shop(gateway, person)
        gateway.clock.advance(hours=72)
        assert (await revert(gateway, token)).user_errors("revertEmailChange") == [("TOKEN_EXPIRED", "token")]
        newcomer = await gateway.signup((await gateway.anonymous("open-storefront")).access, email=person.email)
        assert newcomer["userErrors"] == []

    async def test_answers_the_same_again_and_resets_nothing_any_more(self, gateway: Gateway, person: Person) -> None:
        token = await changed(gateway, person)
        first = (await revert(gateway, token))["revertEmailChange"]
        again = (await revert(gateway, token))["revertEmailChange"]
        assert again == {"email": person.email, "resetToken": None, "userErrors": []}
        reset = {"input": {"token": first["resetToken"], "password": "copper-lantern-77"}}
        visitor = (await gateway.anonymous()).access
        assert (await gateway.graphql(operations.RESET_PASSWORD, reset, visitor)).user_errors("resetPassword") == []
        await revert(gateway, token)
        assert await login_error(gateway, person.email, "copper-lantern-77") is None


async def changed_in_the_open_shop(gateway: Gateway, person: Person) -> str:
    """Change the address there, and return the token by which it can be reverted."""
    new, old = await asked(gateway, person)
    session = await gateway.anonymous("open-storefront")
    assert (await confirm(gateway, new, session.access))["confirmEmailChange"]["email"] == NEW_EMAIL
    return old
