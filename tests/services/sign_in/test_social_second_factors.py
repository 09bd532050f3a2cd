"""The second factor after a social login, its confirmation and a reset, and remembered devices that stand for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.client import Person
from tests.harness.gateway import Gateway
from tests.harness.sign_in import LOGIN, code_mails, code_of, complete, limits, mailed_code, shop_environment
from tests.harness.social import (
    REDIRECT_URI,
    MintingProvider,
    SocialPerson,
    arrive,
    openid_entry,
    social_environment,
)
from tests.harness.tenants import storefront

pytestmark = pytest.mark.anyio

EMAIL = "ada@example.com"
ORIGIN = "http://localhost:5173"
_LINK_CODE = re.compile(r"(?<!\S)\d{8}(?!\S)")


@pytest.fixture
def keys() -> dict[str, Any]:
    """Return the keys of the shop, beyond those that every shop needs."""
    return {"remember_device_days": 30}


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider, keys: dict[str, Any]) -> dict[str, str]:
    web = storefront("shop", "web-storefront", redirect_uris=[REDIRECT_URI])
    web += storefront("shop", "cookie-storefront", redirect_uris=[REDIRECT_URI], origins=[ORIGIN], refresh_cookie=True)
    provider = f"[[tenants.shop.social]]\n{openid_entry('minted', minted.issuer)}\n"
    rules = {"signup": "confirm_email", "require_second_factor": "all", **keys}
    environment = shop_environment(tmp_path, web, provider, limits(mails_per_recipient_per_hour=20), **rules)
    return {**social_environment(tmp_path / "tenants.toml"), **environment}


@pytest.fixture
async def ada(gateway: Gateway) -> Person:
    """Make somebody with an account whose address is proved."""
    return await gateway.signup_confirmed("shop-storefront", email=EMAIL)


@pytest.fixture
async def person(gateway: Gateway) -> SocialPerson:
    """Begin a session at the storefront."""
    return await arrive(gateway, "web")


async def code_in_mail(gateway: Gateway) -> str:
    """Return the six digits that were mailed last."""
    await gateway.deliver()
    return code_of(code_mails(gateway, EMAIL)[-1])


async def walk(gateway: Gateway, person: SocialPerson, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Answer the next step by the mailed code, and return who is logged in."""
    assert payload["userErrors"] == []
    assert (payload["tokens"], payload["customer"], payload["socialTokens"]) == (None, None, None)
    assert payload["nextStep"]["methods"][0] == "EMAIL_CODE"
    code = await code_in_mail(gateway)
    answer = await complete(gateway, person.token, payload["nextStep"]["ticket"], emailCode=code, **more)
    done: dict[str, Any] = answer["completeLogin"]
    assert done["userErrors"] == []
    return done


async def proofs_of(gateway: Gateway, done: dict[str, Any]) -> dict[str, Any]:
    """Return the methods and the level of a login."""
    info = await gateway.graphql("{ tokenInfo { methods level } }", token=done["tokens"]["accessToken"])
    found: dict[str, Any] = info["tokenInfo"]
    return found


async def linked(gateway: Gateway, minted: MintingProvider, **more: Any) -> dict[str, Any]:
    """Have Ada's social account linked in a session of its own, and return the login that ended it."""
    person = await arrive(gateway, "web")
    ticket = (await person.log_in(minted))["linkTicket"]
    done = await walk(gateway, person, await person.confirm(ticket, password=PASSWORD), **more)
    gateway.clock.advance(seconds=1)  # so that what is mailed from now on is the later mail
    return done


class TestSocialLogin:
    async def test_of_somebody_new_goes_on_by_the_mailed_code(
        self, gateway: Gateway, minted: MintingProvider, person: SocialPerson
    ) -> None:
        payload = await person.log_in(minted)
        assert payload["created"] is True
        done = await walk(gateway, person, payload)
        assert done["customer"]["email"] == EMAIL
        assert await proofs_of(gateway, done) == {"methods": ["SOCIAL", "EMAIL_CODE"], "level": "2"}

    async def test_of_somebody_known_goes_on_by_the_mailed_code(
        self, gateway: Gateway, minted: MintingProvider, ada: Person, person: SocialPerson
    ) -> None:
        await linked(gateway, minted)
        payload = await person.log_in(minted)
        assert payload["nextStep"]["methods"] == ["EMAIL_CODE", "PASSWORD"]
        assert (await walk(gateway, person, payload))["customer"]["id"] == ada.id

    async def test_goes_on_by_the_password(
        self, gateway: Gateway, minted: MintingProvider, ada: Person, person: SocialPerson
    ) -> None:
        await linked(gateway, minted)
        ticket = (await person.log_in(minted))["nextStep"]["ticket"]
        answer = await complete(gateway, person.token, ticket, password=PASSWORD)
        assert answer["completeLogin"]["customer"]["id"] == ada.id

    async def test_ends_when_the_account_is_unlinked_that_it_began_with(
        self, gateway: Gateway, minted: MintingProvider, ada: Person
    ) -> None:
        owner = await linked(gateway, minted)
        person = await arrive(gateway, "web")
        ticket = (await person.log_in(minted))["nextStep"]["ticket"]
        code = await code_in_mail(gateway)
        (account,) = await gateway.rows("SELECT id FROM social_identity")
        own = SocialPerson(gateway, owner["tokens"]["accessToken"])
        assert (await own.unlink(account.id, password=PASSWORD)).user_errors("unlinkSocialAccount") == []
        answer = await complete(gateway, person.token, ticket, emailCode=code)
        assert answer.user_errors("completeLogin") == [("TICKET_INVALID", "ticket")]

    async def test_ends_with_the_account_it_began_with(
        self, gateway: Gateway, minted: MintingProvider, ada: Person, person: SocialPerson
    ) -> None:
        await linked(gateway, minted)
        ticket = (await person.log_in(minted))["nextStep"]["ticket"]
        (account,) = await gateway.rows("SELECT id FROM social_identity")
        done = await complete(gateway, person.token, ticket, password=PASSWORD)
        token = done["completeLogin"]["tokens"]["accessToken"]
        assert (await person.storefront.graphql("{ me { id } }", token=token))["me"] == {"id": ada.id}
        gone = await SocialPerson(gateway, token).unlink(account.id)
        assert gone.user_errors("unlinkSocialAccount") == []
        assert (await gateway.graphql("{ me { id } }", token=token)).reason == "REVOKED"


class TestConfirmSocialLink:
    async def test_by_the_password_wants_a_second_factor(
        self, gateway: Gateway, minted: MintingProvider, ada: Person
    ) -> None:
        done = await linked(gateway, minted)
        assert done["customer"]["id"] == ada.id
        assert (await proofs_of(gateway, done))["level"] == "2"

    async def test_by_the_mailed_code_wants_one_too(
        self, gateway: Gateway, minted: MintingProvider, ada: Person, person: SocialPerson
    ) -> None:
        ticket = (await person.log_in(minted))["linkTicket"]
        await gateway.deliver()
        found = [code for mail in gateway.mails(EMAIL) if (code := _LINK_CODE.search(mail.text))]
        payload = await person.confirm(ticket, code=found[-1][0])
        assert (await walk(gateway, person, payload))["customer"]["id"] == ada.id


class TestResetPassword:
    async def test_logs_nobody_in_and_the_login_after_it_wants_a_second_factor(
        self, gateway: Gateway, ada: Person, person: SocialPerson
    ) -> None:
        await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": ada.email}}, person.token)
        await gateway.deliver()
        token = next(mail.token for mail in reversed(gateway.mails(EMAIL)) if "reset-password" in mail.text)
        given = {"token": token, "password": "another-harbour-43"}
        answer = await gateway.graphql(operations.RESET_PASSWORD, {"input": given}, person.token)
        assert answer["resetPassword"]["userErrors"] == []
        assert (await gateway.graphql("{ tokenInfo { kind } }", token=person.token))["tokenInfo"] == {
            "kind": "ANONYMOUS"
        }
        entered = {"email": EMAIL, "password": "another-harbour-43"}
        step = (await gateway.graphql(LOGIN, {"input": entered}, person.token))["login"]["nextStep"]
        answer = await complete(gateway, person.token, step["ticket"], emailCode=await code_in_mail(gateway))
        assert answer["completeLogin"]["customer"]["id"] == ada.id


class TestRememberedDevice:
    async def test_stands_for_it_at_a_social_login(
        self, gateway: Gateway, minted: MintingProvider, ada: Person, person: SocialPerson
    ) -> None:
        device = (await linked(gateway, minted, rememberDevice=True))["tokens"]["deviceToken"]
        payload = await person.log_in(minted, deviceToken=device)
        assert (payload["customer"]["id"], payload["nextStep"]) == (ada.id, None)
        assert payload["tokens"]["deviceToken"] == device
        assert await proofs_of(gateway, payload) == {"methods": ["SOCIAL"], "level": "1"}

    async def test_stands_for_it_when_a_link_is_confirmed(
        self, gateway: Gateway, minted: MintingProvider, ada: Person, person: SocialPerson
    ) -> None:
        device = (await linked(gateway, minted, rememberDevice=True))["tokens"]["deviceToken"]
        minted.claims = {"sub": "ada-again"}
        ticket = (await person.log_in(minted))["linkTicket"]
        payload = await person.confirm(ticket, password=PASSWORD, deviceToken=device)
        assert payload["customer"]["id"] == ada.id

    async def test_stands_for_it_after_a_mailed_code(
        self, gateway: Gateway, minted: MintingProvider, ada: Person
    ) -> None:
        device = (await linked(gateway, minted, rememberDevice=True))["tokens"]["deviceToken"]
        token = (await gateway.anonymous("shop-storefront")).access
        ticket, code = await mailed_code(gateway, token, ada.email)
        done = (await complete(gateway, token, ticket, emailCode=code, deviceToken=device))["completeLogin"]
        assert (done["customer"]["id"], done["tokens"]["deviceToken"]) == (ada.id, device)

    async def test_stands_for_it_by_the_cookie_of_its_client(
        self, gateway: Gateway, minted: MintingProvider, ada: Person
    ) -> None:
        device = (await linked(gateway, minted, rememberDevice=True))["tokens"]["deviceToken"]
        sent = {"Origin": ORIGIN, "Gateway-Client": "cookie-storefront"}
        begin = "mutation ($input: AnonymousLoginInput!) { anonymousLogin(input: $input) { tokens { accessToken } } }"
        begun = await gateway.graphql(begin, {"input": {"clientId": "cookie-storefront"}}, headers=sent)
        (name,) = [morsel.partition("=")[0] for morsel in begun.headers.get_list("set-cookie")]
        sent["Cookie"] = f"{name.replace('refresh', 'device')}={device}"
        gateway.http.cookies.clear()
        token = begun["anonymousLogin"]["tokens"]["accessToken"]
        person = SocialPerson(gateway, token)
        login = """mutation ($input: SocialLoginInput!) {
            socialLogin(input: $input) { customer { id } tokens { deviceToken } }
        }"""
        given = {"input": person.answer(await person.begun(minted))}
        payload = (await gateway.graphql(login, given, token, sent))["socialLogin"]
        assert payload == {"customer": {"id": ada.id}, "tokens": {"deviceToken": None}}

    async def test_stands_for_nothing_where_it_is_another_customers(
        self, gateway: Gateway, minted: MintingProvider, ada: Person, person: SocialPerson
    ) -> None:
        device = (await linked(gateway, minted, rememberDevice=True))["tokens"]["deviceToken"]
        minted.claims = {"sub": "grace", "email": "grace@example.com"}
        assert (await person.log_in(minted, deviceToken=device))["nextStep"]["methods"] == ["EMAIL_CODE"]

    async def test_is_not_what_the_customer_did_not_want_remembered(
        self, gateway: Gateway, minted: MintingProvider, ada: Person, person: SocialPerson
    ) -> None:
        device = (await linked(gateway, minted))["tokens"]["deviceToken"]
        assert (await person.log_in(minted, deviceToken=device))["nextStep"]

    @pytest.mark.parametrize("keys", [{"remember_device_days": 30, "require_second_factor": "optional"}])
    async def test_is_none_where_no_second_factor_was_given(self, gateway: Gateway, ada: Person) -> None:
        token = (await gateway.anonymous("shop-storefront")).access
        ticket, code = await mailed_code(gateway, token, ada.email)
        done = await complete(gateway, token, ticket, emailCode=code, rememberDevice=True)
        assert done["completeLogin"]["tokens"]["deviceToken"]
        assert await gateway.rows("SELECT * FROM device WHERE trusted_until IS NOT NULL") == []
