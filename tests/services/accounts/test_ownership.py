"""Whose account it is: who proves that an address is theirs is alone in the account afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.client import Answer, Person, Tokens
from tests.harness.gateway import Gateway
from tests.harness.integrations import integration_token
from tests.harness.social import (
    MintingProvider,
    SocialPerson,
    arrive,
    codes,
    openid_entry,
    social_environment,
    write_tenants,
)
from tests.harness.staff import RESET_TOKEN, Staff

pytestmark = pytest.mark.anyio

ME = "{ me { id email emailVerified accounts { provider } } }"
OWNER = "owner@example.com"
STRANGER = "stranger@example.org"
NEW_PASSWORD = "copper-lantern-77"
AT_ONCE = 16
# The shops of the harness where accounts are used before their address is proved; in the second once staff let them.
USED_UNPROVEN = ("auto", "staffed")
ACTIVATE = "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { userErrors { code } } }"
REQUEST_ANONYMIZATION = "mutation { requestAnonymization { userErrors { code } } }"


@pytest.fixture
def minted(minted: MintingProvider) -> MintingProvider:
    # Nobody vouches for the stranger's social account.
    minted.claims = {"sub": "stranger", "email": STRANGER, "email_verified": False}
    return minted


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    write_tenants(file, openid_entry("minted", minted.issuer), openid_entry("other", minted.issuer))
    own_name, tries = 'name = "Auto shop"\n', "one_time_token_per_ip_per_minute = 1000\n"
    text = file.read_text().replace(own_name, f'{own_name}anonymization_by = ["customer"]\n')
    file.write_text(text.replace(tries, f"{tries}one_time_token_tries_per_flow = 1000\n"))
    return social_environment(file)


async def staff_of(gateway: Gateway, shop: str) -> Staff:
    return Staff(gateway, await integration_token(gateway, f"{shop}-backend", "backend-secret-for-tests"))


async def signed_up(gateway: Gateway, shop: str, email: str = OWNER) -> Person:
    """Sign up with an address that is not proved by that, and log in."""
    person = await gateway.signed_up(f"{shop}-storefront", email=email)
    if shop == "staffed":
        await (await staff_of(gateway, shop)).graphql(ACTIVATE, {"input": {"id": person.id, "active": True}})
    tokens = await gateway.login(email, token=person.tokens.access)
    return Person(person.id, email, PASSWORD, tokens)


async def link(gateway: Gateway, tokens: Tokens, minted: MintingProvider, provider: str = "minted") -> None:
    answer = await SocialPerson(gateway, tokens.access, provider).link(minted)
    assert answer.user_errors("linkSocialAccount") == []


async def social_login(gateway: Gateway, shop: str, minted: MintingProvider, provider: str = "minted") -> Any:
    """Return the id of whom the social account logs in."""
    payload = await (await arrive(gateway, shop, provider)).log_in(minted)
    assert payload["userErrors"] == []
    return payload["customer"]["id"]


async def mailed(gateway: Gateway, to: str, page: str) -> str:
    """Return the token of the newest mailed link to this page."""
    await gateway.deliver()
    token: str = [mail for mail in gateway.mails(to) if f"{page}?token=" in mail.text][-1].token
    return token


async def reset_token(gateway: Gateway, shop: str, email: str = OWNER) -> str:
    """Have a reset mailed, and return its token."""
    visitor = (await gateway.anonymous(f"{shop}-storefront")).access
    await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": email}}, visitor)
    return await mailed(gateway, email, "/reset-password")


async def reset(gateway: Gateway, shop: str, token: str, access: str | None = None) -> Answer:
    """Set a new password, in a new anonymous session unless one is given."""
    access = access or (await gateway.anonymous(f"{shop}-storefront")).access
    return await gateway.graphql(
        operations.RESET_PASSWORD, {"input": {"token": token, "password": NEW_PASSWORD}}, access
    )


async def recovered(gateway: Gateway, shop: str, email: str = OWNER) -> None:
    answer = await reset(gateway, shop, await reset_token(gateway, shop, email))
    assert answer.user_errors("resetPassword") == []


async def ask_for(gateway: Gateway, tokens: Tokens, new_email: str) -> None:
    answer = await gateway.graphql(operations.CHANGE_EMAIL, {"input": {"newEmail": new_email}}, tokens.access)
    assert answer["changeEmail"]["accepted"] is True


async def confirm(gateway: Gateway, shop: str, new_email: str, access: str | None = None) -> Answer:
    """Open the link that was mailed to the new address, in a new anonymous session unless one is given."""
    token = await mailed(gateway, new_email, "/confirm-email")
    access = access or (await gateway.anonymous(f"{shop}-storefront")).access
    return await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": token}}, access)


async def revert(gateway: Gateway, email: str = OWNER) -> Answer:
    token = await mailed(gateway, email, "/revert-email")
    return await gateway.graphql(operations.REVERT_EMAIL_CHANGE, {"input": {"token": token}})


async def is_dead(gateway: Gateway, tokens: Tokens) -> bool:
    return (await gateway.graphql(ME, token=tokens.access)).codes == ["UNAUTHENTICATED"]


async def login_errors(gateway: Gateway, shop: str, email: str, password: str) -> list[tuple[str, str]]:
    visitor = (await gateway.anonymous(f"{shop}-storefront")).access
    given = {"input": {"email": email, "password": password}}
    return (await gateway.graphql(operations.LOGIN, given, visitor)).user_errors("login")


async def accounts(gateway: Gateway, shop: str, password: str = NEW_PASSWORD, email: str = OWNER) -> list[str]:
    """Log in by the password, and return all ways to sign in."""
    tokens = await gateway.login(email, password, client_id=f"{shop}-storefront")
    me = (await gateway.graphql(ME, token=tokens.access))["me"]
    return [account["provider"] for account in me["accounts"]]


INVALID = [("INVALID_CREDENTIALS", "password")]


class TestFirstProofByResetPassword:
    @pytest.mark.parametrize("shop", USED_UNPROVEN)
    async def test_leaves_the_stranger_no_way_in(self, gateway: Gateway, minted: MintingProvider, shop: str) -> None:
        stranger = await signed_up(gateway, shop)
        await link(gateway, stranger.tokens, minted)
        social = SocialPerson(gateway, (await gateway.anonymous(f"{shop}-storefront")).access)
        by_social = (await social.log_in(minted))["tokens"]
        await ask_for(gateway, stranger.tokens, STRANGER)
        pending = await mailed(gateway, STRANGER, "/confirm-email")

        await recovered(gateway, shop)
        assert await is_dead(gateway, stranger.tokens)
        assert await is_dead(gateway, Tokens.of(by_social))
        assert await login_errors(gateway, shop, OWNER, PASSWORD) == INVALID
        assert await accounts(gateway, shop) == ["password"]
        visitor = (await gateway.anonymous(f"{shop}-storefront")).access
        moved = await gateway.graphql(operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": pending}}, visitor)
        assert moved.user_errors("confirmEmailChange") == [("TOKEN_INVALID", "token")]
        refreshed = await gateway.graphql(operations.REFRESH, {"input": {"refreshToken": stranger.tokens.refresh}})
        assert refreshed.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]
        if shop == "auto":
            assert await social_login(gateway, shop, minted) != stranger.id

    async def test_is_one_by_the_token_that_staff_have_made(self, gateway: Gateway, minted: MintingProvider) -> None:
        stranger = await signed_up(gateway, "auto")
        await link(gateway, stranger.tokens, minted)
        staff = await staff_of(gateway, "auto")
        made = (await staff.try_to(RESET_TOKEN, customerId=stranger.id))["createPasswordResetToken"]["token"]
        await reset(gateway, "auto", made)
        assert await social_login(gateway, "auto", minted) != stranger.id

    async def test_ends_a_social_account_on_its_way(self, gateway: Gateway, minted: MintingProvider) -> None:
        stranger = await signed_up(gateway, "auto")
        person = SocialPerson(gateway, stranger.tokens.access)
        state = await person.begun(minted)
        await recovered(gateway, "auto")
        assert await gateway.rows("SELECT state_hash FROM social_state") == []
        assert (await person.try_to_finish(state)).reason == "REVOKED"

    async def test_is_told_for_each_account_that_was_unlinked(self, gateway: Gateway, minted: MintingProvider) -> None:
        stranger = await signed_up(gateway, "hooked")
        await link(gateway, stranger.tokens, minted)
        await recovered(gateway, "hooked")
        rows = await gateway.rows("SELECT topic FROM outbox_message WHERE kind = 'event' ORDER BY id")
        assert [row.topic for row in rows].count("customer.social_unlinked") == 1
        audited = await gateway.rows("SELECT action FROM audit_event WHERE action = 'social.unlinked'")
        assert len(audited) == 1

    async def test_in_the_accounts_own_session_leaves_what_the_customer_has_linked(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await signed_up(gateway, "auto")
        await link(gateway, person.tokens, minted)
        await reset(gateway, "auto", await reset_token(gateway, "auto"), person.tokens.access)
        assert await social_login(gateway, "auto", minted) == person.id
        assert await accounts(gateway, "auto") == ["password", "minted"]

    async def test_in_anothers_session_is_not_in_the_accounts_own(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        stranger = await signed_up(gateway, "auto")
        await link(gateway, stranger.tokens, minted)
        other = await signed_up(gateway, "auto", "somebody@example.com")
        await reset(gateway, "auto", await reset_token(gateway, "auto"), other.tokens.access)
        assert await accounts(gateway, "auto") == ["password"]
        assert not await is_dead(gateway, other.tokens)

    async def test_leaves_none_of_sixteen_that_are_linked_at_the_same_moment(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        stranger = await signed_up(gateway, "auto")
        minted.claims_of_code = lambda code: {"sub": code}
        person = SocialPerson(gateway, stranger.tokens.access)
        token = await reset_token(gateway, "auto")

        async def link_one(number: int) -> None:
            answer = await person.link(minted, code=f"stranger-{number}")
            assert not answer.errors or answer.reason == "REVOKED"

        for number in range(4):
            await link_one(number)
        links = [link_one(number) for number in range(4, AT_ONCE)]
        *_, answer = await asyncio.gather(*links, reset(gateway, "auto", token))
        assert answer is not None
        assert answer.user_errors("resetPassword") == []
        assert await gateway.rows("SELECT id FROM social_identity") == []
        assert await accounts(gateway, "auto") == ["password"]


class TestResetPasswordOfAProvenAccount:
    async def test_leaves_the_social_accounts_that_its_owner_has_linked(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await gateway.customer("demo-storefront", email=OWNER)
        await link(gateway, person.tokens, minted)
        await recovered(gateway, "demo")
        assert await social_login(gateway, "demo", minted) == person.id
        assert await accounts(gateway, "demo") == ["password", "minted"]

    async def test_leaves_those_that_were_linked_after_the_first_reset(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await signed_up(gateway, "auto")
        await recovered(gateway, "auto")
        tokens = await gateway.login(OWNER, NEW_PASSWORD, client_id="auto-storefront")
        await link(gateway, tokens, minted)
        await recovered(gateway, "auto")
        assert await social_login(gateway, "auto", minted) == person.id

    async def test_leaves_those_of_who_came_by_a_social_account_first(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        minted.claims = {"sub": "owner", "email": OWNER}
        person = await social_login(gateway, "auto", minted)
        await recovered(gateway, "auto")
        assert await social_login(gateway, "auto", minted) == person
        assert await accounts(gateway, "auto") == ["password", "minted"]

    async def test_keeps_the_moment_of_the_proof(self, gateway: Gateway) -> None:
        person = await gateway.customer("demo-storefront", email=OWNER)
        column = "SELECT email_verified_at FROM credential WHERE customer_id = :id"
        before = await gateway.rows(column, id=person.id)
        gateway.clock.advance(days=1)
        await recovered(gateway, "demo")
        assert await gateway.rows(column, id=person.id) == before


class TestConfirmSignup:
    async def test_keeps_the_password_of_the_sign_up(self, gateway: Gateway) -> None:
        await gateway.signup_confirmed("demo-storefront", email=OWNER)
        assert await login_errors(gateway, "demo", OWNER, PASSWORD) == []


class TestConfirmEmailChange:
    async def test_by_somebody_else_as_the_first_proof_leaves_the_stranger_no_way_in(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        stranger = await signed_up(gateway, "auto", STRANGER)
        await link(gateway, stranger.tokens, minted)
        await ask_for(gateway, stranger.tokens, OWNER)
        assert (await confirm(gateway, "auto", OWNER))["confirmEmailChange"]["email"] == OWNER
        assert await is_dead(gateway, stranger.tokens)
        assert await login_errors(gateway, "auto", OWNER, PASSWORD) == INVALID
        assert await social_login(gateway, "auto", minted) != stranger.id
        await reset(gateway, "auto", await mailed(gateway, OWNER, "/reset-password"))
        assert await accounts(gateway, "auto") == ["password"]

    async def test_in_the_accounts_own_session_keeps_everything(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await signed_up(gateway, "auto")
        await link(gateway, person.tokens, minted)
        await ask_for(gateway, person.tokens, "new@example.com")
        await confirm(gateway, "auto", "new@example.com", person.tokens.access)
        me = (await gateway.graphql(ME, token=person.tokens.access))["me"]
        assert (me["email"], me["emailVerified"]) == ("new@example.com", True)
        assert [account["provider"] for account in me["accounts"]] == ["password", "minted"]
        assert await login_errors(gateway, "auto", "new@example.com", PASSWORD) == []

    async def test_of_a_proven_account_keeps_everything_wherever_the_link_is_opened(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await gateway.customer("demo-storefront", email=OWNER)
        await link(gateway, person.tokens, minted)
        await ask_for(gateway, person.tokens, "new@example.com")
        await confirm(gateway, "demo", "new@example.com")
        assert not await is_dead(gateway, person.tokens)
        assert await accounts(gateway, "demo", PASSWORD, "new@example.com") == ["password", "minted"]

    async def test_by_a_thief_does_not_cut_off_the_way_back(self, gateway: Gateway) -> None:
        person = await signed_up(gateway, "auto")
        await ask_for(gateway, person.tokens, STRANGER)
        await confirm(gateway, "auto", STRANGER)
        assert (await revert(gateway))["revertEmailChange"]["email"] == OWNER
        await recovered(gateway, "auto")
        assert await login_errors(gateway, "auto", OWNER, NEW_PASSWORD) == []


class TestRevertEmailChange:
    async def stolen(self, gateway: Gateway, shop: str = "demo") -> Person:
        """Return the customer of a proven account whose password a thief knows as well."""
        return await gateway.customer(f"{shop}-storefront", email=OWNER)

    async def take_over(self, gateway: Gateway, tokens: Tokens, shop: str = "demo") -> None:
        await ask_for(gateway, tokens, STRANGER)
        assert (await confirm(gateway, shop, STRANGER, tokens.access))["confirmEmailChange"]["email"] == STRANGER

    @pytest.mark.parametrize("moment", ["before", "while it waits", "after"])
    async def test_unlinks_what_was_linked_around_the_change(
        self, gateway: Gateway, minted: MintingProvider, moment: str
    ) -> None:
        person = await self.stolen(gateway)
        gateway.clock.advance(days=30)
        thief = await gateway.login(OWNER)
        if moment == "before":
            await link(gateway, thief, minted)
            gateway.clock.advance(hours=1)
            thief = await gateway.login(OWNER)
        await ask_for(gateway, thief, STRANGER)
        if moment == "while it waits":
            await link(gateway, thief, minted)
        await confirm(gateway, "demo", STRANGER, thief.access)
        if moment == "after":
            await link(gateway, thief, minted)
        gateway.clock.advance(hours=71, minutes=30)

        answer = await revert(gateway)
        assert answer["revertEmailChange"]["userErrors"] == []
        assert await is_dead(gateway, thief)
        assert await login_errors(gateway, "demo", OWNER, PASSWORD) == INVALID
        assert await social_login(gateway, "demo", minted) != person.id
        await reset(gateway, "demo", answer["revertEmailChange"]["resetToken"])
        assert await accounts(gateway, "demo") == ["password"]

    async def test_leaves_what_was_linked_long_before(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await self.stolen(gateway)
        await link(gateway, person.tokens, minted)
        gateway.clock.advance(hours=73)
        await self.take_over(gateway, await gateway.login(OWNER))
        await revert(gateway)
        assert await social_login(gateway, "demo", minted) == person.id

    async def test_unlinks_everything_where_the_address_was_never_proved_before(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        stranger = await signed_up(gateway, "auto")
        await link(gateway, stranger.tokens, minted)
        gateway.clock.advance(hours=100)
        await self.take_over(gateway, await gateway.login(OWNER, client_id="auto-storefront"), "auto")
        await revert(gateway)
        assert await social_login(gateway, "auto", minted) != stranger.id

    async def test_ends_a_link_that_waits_for_its_confirmation(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await self.stolen(gateway)
        await ask_for(gateway, person.tokens, STRANGER)
        minted.claims = {"sub": "owner", "email": OWNER}
        waiting = await arrive(gateway)
        ticket = (await waiting.log_in(minted))["linkTicket"]
        await revert(gateway)
        assert codes(await waiting.confirm(ticket, password=PASSWORD)) == [("TOKEN_INVALID", "ticket")]

    async def test_cancels_the_erasure_that_the_thief_asked_for(self, gateway: Gateway) -> None:
        person = await signed_up(gateway, "auto")
        await self.take_over(gateway, person.tokens, "auto")
        asked = await gateway.graphql(REQUEST_ANONYMIZATION, token=person.tokens.access)
        assert asked.user_errors("requestAnonymization") == []
        answer = await revert(gateway)
        assert answer["revertEmailChange"]["email"] == OWNER
        await reset(gateway, "auto", answer["revertEmailChange"]["resetToken"])
        assert await accounts(gateway, "auto") == ["password"]
        (row,) = await gateway.rows("SELECT status FROM anonymization")
        assert row.status == "CANCELED"

    async def test_does_not_cancel_an_erasure_that_has_begun(self, gateway: Gateway) -> None:
        person = await signed_up(gateway, "auto")
        await ask_for(gateway, person.tokens, STRANGER)
        await gateway.graphql(REQUEST_ANONYMIZATION, token=person.tokens.access)
        token = await mailed(gateway, OWNER, "/revert-email")
        await gateway.write("UPDATE anonymization SET status = 'IN_PROGRESS'")
        answer = await gateway.graphql(operations.REVERT_EMAIL_CHANGE, {"input": {"token": token}})
        assert answer.user_errors("revertEmailChange") == [("TOKEN_INVALID", "token")]
        (row,) = await gateway.rows("SELECT anonymization_status FROM customer WHERE id = :id", id=person.id)
        assert row.anonymization_status == "REQUESTED"

    async def test_of_sixteen_at_once_one_reverts_and_the_others_say_so(self, gateway: Gateway) -> None:
        person = await self.stolen(gateway)
        await self.take_over(gateway, person.tokens)
        token = await mailed(gateway, OWNER, "/revert-email")
        calls = [gateway.graphql(operations.REVERT_EMAIL_CHANGE, {"input": {"token": token}}) for _ in range(AT_ONCE)]
        answers = [answer["revertEmailChange"] for answer in await asyncio.gather(*calls)]
        assert [answer["email"] for answer in answers] == [OWNER] * AT_ONCE
        assert len([answer["resetToken"] for answer in answers if answer["resetToken"]]) == 1
        assert len(await gateway.rows("SELECT id FROM audit_event WHERE action = 'email.change_reverted'")) == 1
