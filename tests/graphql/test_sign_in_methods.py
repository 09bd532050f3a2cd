"""The ways in that a customer has, and the mailed link that takes a change of them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.operations import TOKENS, USER_ERRORS
from tests.harness.social import MintingProvider, SocialPerson, arrive, openid_entry, social_environment, write_tenants

pytestmark = pytest.mark.anyio

ADDRESS = "eve@example.com"
METHODS = """{ me { signInMethods {
    passwordSince passkeys { id name createdAt lastUsedAt backedUp } totp recoveryCodesLeft social { provider } phone
} secondFactor { totp recoveryCodesLeft } } }"""
REVERT = f"""mutation ($input: RevertSignInMethodInput!) {{
    revertSignInMethod(input: $input) {{ method restored customer {{ id }} {USER_ERRORS} }}
}}"""
ME = "{ me { id } }"
SET_PASSWORD = f"""mutation ($input: ChangePasswordInput!) {{
    changePassword(input: $input) {{ {TOKENS} {USER_ERRORS} }}
}}"""


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
    tenants = tmp_path / "tenants.toml"
    write_tenants(tenants, openid_entry("minted", minted.issuer))
    return social_environment(tenants)


async def revert(gateway: Gateway, token: str, access: str | None = None) -> Answer:
    """Open the page of a mailed link."""
    access = access or (await gateway.anonymous()).access
    return await gateway.graphql(REVERT, {"input": {"token": token}}, access)


async def newest_token(gateway: Gateway, subject: str) -> str:
    """Return the token of the newest mail, which has these words in its subject."""
    await gateway.deliver()
    mail = gateway.mails(ADDRESS)[-1]
    assert subject in mail.subject, mail.subject
    return mail.token


async def providers(gateway: Gateway, token: str) -> list[str]:
    """Return the social accounts of the caller."""
    methods = (await gateway.graphql(METHODS, token=token))["me"]["signInMethods"]
    return [each["provider"] for each in methods["social"]]


class TestSignInMethods:
    async def test_are_those_that_the_customer_has(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await gateway.customer(email=ADDRESS)
        await SocialPerson(gateway, person.tokens.access).link(minted)
        me = (await gateway.graphql(METHODS, token=person.tokens.access))["me"]
        assert me["signInMethods"].pop("passwordSince") == gateway.clock.now().isoformat()
        assert me["signInMethods"] == {
            "passkeys": [],
            "totp": False,
            "recoveryCodesLeft": 0,
            "social": [{"provider": "minted"}],
            "phone": None,
        }
        assert me["secondFactor"] == {"totp": False, "recoveryCodesLeft": 0}

    async def test_have_no_password_where_there_is_none(self, gateway: Gateway, minted: MintingProvider) -> None:
        payload = await (await arrive(gateway)).log_in(minted)
        answer = await gateway.graphql(METHODS, token=payload["tokens"]["accessToken"])
        assert answer["me"]["signInMethods"]["passwordSince"] is None

    async def test_show_the_phone_while_it_is_that_of_the_profile(self, gateway: Gateway) -> None:
        person = await gateway.customer(email=ADDRESS)
        for number, shown in (("+493012345678", "+493012345678"), ("+493012345679", None)):
            await gateway.write("UPDATE customer SET contact_phone = :number", number=number)
            await gateway.write("UPDATE credential SET verified_phone = '+493012345678'")
            answer = await gateway.graphql(METHODS, token=person.tokens.access)
            assert answer["me"]["signInMethods"]["phone"] == shown


class TestRevertSignInMethod:
    async def _linked(self, gateway: Gateway, minted: MintingProvider) -> tuple[SocialPerson, str]:
        customer = SocialPerson(gateway, (await gateway.customer(email=ADDRESS)).tokens.access)
        account_id: str = (await customer.link(minted))["linkSocialAccount"]["account"]["id"]
        return customer, account_id

    async def test_removes_what_was_added_with_the_sessions_that_it_opened(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        customer, _ = await self._linked(gateway, minted)
        opened = (await (await arrive(gateway)).log_in(minted))["tokens"]["accessToken"]
        token = await newest_token(gateway, "You can now log in with")
        payload = (await revert(gateway, token))["revertSignInMethod"]
        assert payload == {"method": "SOCIAL", "restored": False, "customer": None, "userErrors": []}
        assert (await gateway.graphql(ME, token=opened)).reason == "REVOKED"
        assert await providers(gateway, customer.token) == []

    async def test_brings_back_what_was_removed(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer, account_id = await self._linked(gateway, minted)
        await customer.unlink(account_id)
        token = await newest_token(gateway, "You can no longer log in with")
        payload = (await revert(gateway, token, customer.token))["revertSignInMethod"]
        assert (payload["method"], payload["restored"], payload["userErrors"]) == ("SOCIAL", True, [])
        assert payload["customer"] is not None
        assert await providers(gateway, customer.token) == ["minted"]
        assert (await (await arrive(gateway)).log_in(minted))["created"] is False

    async def test_takes_a_first_password_away_and_ends_who_used_it(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        minted.claims = {"email": ADDRESS, "email_verified": True}
        social = (await (await arrive(gateway)).log_in(minted))["tokens"]["accessToken"]
        changed = await gateway.graphql(SET_PASSWORD, {"input": {"newPassword": PASSWORD}}, social)
        own = changed["changePassword"]["tokens"]["accessToken"]
        login = await gateway.login(ADDRESS)
        token = await newest_token(gateway, "log in with a password")
        payload = (await revert(gateway, token))["revertSignInMethod"]
        assert (payload["method"], payload["restored"]) == ("PASSWORD", False)
        assert (await gateway.graphql(ME, token=login.access)).reason == "REVOKED"
        assert (await gateway.graphql(METHODS, token=own))["me"]["signInMethods"]["passwordSince"] is None

    async def test_answers_so_again_as_long_as_it_is_true(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer, _ = await self._linked(gateway, minted)
        token = await newest_token(gateway, "You can now log in with")
        first = (await revert(gateway, token))["revertSignInMethod"]
        assert (await revert(gateway, token))["revertSignInMethod"] == first
        await customer.link(minted)
        assert (await revert(gateway, token))["revertSignInMethod"] == first
        assert await providers(gateway, customer.token) == ["minted"]

    async def test_of_sixteen_at_once_changes_it_once(self, gateway: Gateway, minted: MintingProvider) -> None:
        await self._linked(gateway, minted)
        token = await newest_token(gateway, "You can now log in with")
        access = [(await gateway.anonymous()).access for _ in range(16)]
        answers: list[Any] = []

        async def open_link(own: str) -> None:
            answer = await revert(gateway, token, own)
            answers.append(answer.codes or answer.user_errors("revertSignInMethod"))

        async with anyio.create_task_group() as group:
            for each in access:
                group.start_soon(open_link, each)
        # Five calls with one link are let through; each has the same answer.
        assert sorted(answers) == [[]] * 5 + [["RATE_LIMITED"]] * 11
        done = await gateway.rows("SELECT id FROM audit_event WHERE action = 'sign_in_method.reverted'")
        assert len(done) == 1

    @pytest.mark.parametrize(("hours", "codes"), [(71, []), (73, [("TOKEN_EXPIRED", "token")])])
    async def test_works_for_72_hours(
        self, gateway: Gateway, minted: MintingProvider, hours: int, codes: list[tuple[str, str]]
    ) -> None:
        await self._linked(gateway, minted)
        token = await newest_token(gateway, "You can now log in with")
        gateway.clock.advance(hours=hours)
        assert (await revert(gateway, token)).user_errors("revertSignInMethod") == codes

    @pytest.mark.parametrize("token", ["", "cg_ot_unknown", "cg_ot_" + "A" * 43])
    async def test_refuses_what_is_no_token(self, gateway: Gateway, token: str) -> None:
        assert (await revert(gateway, token)).user_errors("revertSignInMethod") == [("TOKEN_INVALID", "token")]

    async def test_brings_nothing_back_for_who_had_the_account_with_another_address(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        customer, account_id = await self._linked(gateway, minted)
        await customer.unlink(account_id)
        token = await newest_token(gateway, "You can no longer log in with")
        await gateway.write("UPDATE credential SET email = 'own@example.com', email_key = 'own@example.com'")
        assert (await revert(gateway, token)).user_errors("revertSignInMethod") == [("TOKEN_INVALID", "token")]
        assert await providers(gateway, customer.token) == []

    async def test_does_not_take_from_another_customer_what_was_linked_meanwhile(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        customer, account_id = await self._linked(gateway, minted)
        await customer.unlink(account_id)
        token = await newest_token(gateway, "You can no longer log in with")
        await (await arrive(gateway)).log_in(minted)
        answer = await revert(gateway, token)
        assert answer.user_errors("revertSignInMethod") == [("SOCIAL_ACCOUNT_TAKEN", "token")]

    async def test_outlives_a_new_password(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer, _ = await self._linked(gateway, minted)
        token = await newest_token(gateway, "You can now log in with")
        given = {"currentPassword": PASSWORD, "newPassword": "another-harbour-43"}
        await gateway.graphql(operations.CHANGE_PASSWORD, {"input": given}, customer.token)
        assert (await revert(gateway, token)).user_errors("revertSignInMethod") == []
