"""Tokens hint at their tenant, so that looking one up names it; those of earlier releases hint at none, and go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from joserfc.jwk import ECKey

from app.domain.tokens import OpaqueToken, TokenPrefix, hint_of, read_hint
from app.repositories.lookups import Lookup
from tests.factories import PASSWORD
from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.social import CLIENT_ID, REDIRECT_URI, MintingProvider, arrive, query_of
from tests.harness.tenants import shop, storefront, table

pytestmark = pytest.mark.anyio

HERE, THERE = "here", "there"
ME = "{ me { email } }"


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
    file = tmp_path / "tenants.toml"
    file.write_text(
        "\n".join(
            shop(name, signup="confirm_email") + storefront(name, f"{name}-storefront", redirect_uris=[REDIRECT_URI])
            for name in (HERE, THERE)
        )
        + table(
            f"[[tenants.{HERE}.social]]",
            provider="apple",
            issuer=minted.issuer,
            client_id=CLIENT_ID,
        )
        + 'signing = { team_id = "TEAM", key_id = "KEY", private_key_env = "APPLE_KEY" }'
    )
    key = ECKey.generate_key("P-256").as_pem(private=True).decode()
    return {"TENANTS_FILE": str(file), "APPLE_KEY": key}


@contextmanager
def last_release() -> Iterator[None]:
    """Issue tokens as release 1.0 did: random from their beginning."""

    def without_hint(prefix: TokenPrefix, _tenant_id: str, secret: bytes) -> OpaqueToken:
        return OpaqueToken.of(prefix, secret)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OpaqueToken, "of_tenant", without_hint)
        yield


def hinting_at(tenant_id: str, token: str) -> str:
    return token.replace(read_hint(token), hint_of(tenant_id))


class TestTokenOfRelease10:
    async def test_is_taken_until_it_expires(self, gateway: Gateway) -> None:
        with last_release():
            person = await gateway.customer(f"{HERE}-storefront")
        assert read_hint(person.tokens.access) != hint_of(HERE)
        assert (await gateway.graphql(ME, token=person.tokens.access))["me"]["email"] == person.email
        gateway.clock.advance(days=1)
        assert (await gateway.graphql(ME, token=person.tokens.access)).reason == "EXPIRED"

    async def test_is_traded_for_tokens_that_hint_at_their_tenant(self, gateway: Gateway) -> None:
        with last_release():
            person = await gateway.customer(f"{HERE}-storefront")
        tokens = await gateway.refresh(person.tokens.refresh)
        assert [read_hint(each) for each in (tokens.access, tokens.refresh)] == [hint_of(HERE)] * 2
        again = await gateway.refresh(tokens.refresh)
        assert (await gateway.graphql(ME, token=again.access))["me"]["email"] == person.email

    async def test_works_in_a_mailed_link(self, gateway: Gateway) -> None:
        with last_release():
            person = await gateway.signed_up(f"{HERE}-storefront")
            await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        assert read_hint(mail.token) != hint_of(HERE)
        answer = await gateway.graphql(
            operations.CONFIRM_SIGNUP, {"input": {"token": mail.token, "password": PASSWORD}}
        )
        assert answer["confirmSignup"]["userErrors"] == []

    async def test_gets_the_answer_once_more_that_was_lost(self, gateway: Gateway) -> None:
        with last_release():
            person = await gateway.signup_confirmed(f"{HERE}-storefront")
        first, again = [await gateway.login(person.email, token=person.tokens.access) for _ in range(2)]
        assert (first.access, first.refresh) == (again.access, again.refresh)

    async def test_brings_a_browser_back_whose_provider_posts(self, gateway: Gateway, minted: MintingProvider) -> None:
        with last_release():
            payload = await (await arrive(gateway, HERE, provider="apple")).begin()
        _, form = minted.authorize(payload["authorizationUrl"])
        assert read_hint(form["state"]) != hint_of(HERE)
        response = await gateway.http.post("/social/form_post", data=form)
        assert query_of(response.headers["Location"])["state"] == form["state"]


async def _refuse(*_: object) -> NoReturn:
    raise AssertionError("All tenants were asked.")


class TestHint:
    async def test_is_in_all_that_is_looked_up_before_its_tenant_is_known(
        self, gateway: Gateway, minted: MintingProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = await gateway.signed_up(f"{HERE}-storefront")
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        payload = await (await arrive(gateway, HERE, provider="apple")).begin()
        _, form = minted.authorize(payload["authorizationUrl"])
        issued = (person.tokens.access, person.tokens.refresh, mail.token, form["state"])
        assert [read_hint(each) for each in issued] == [hint_of(HERE)] * 4
        monkeypatch.setattr(Lookup, "_list_in_all", _refuse)
        await gateway.graphql(ME, token=person.tokens.access)
        await gateway.refresh(person.tokens.refresh)
        await gateway.graphql(operations.CONFIRM_SIGNUP, {"input": {"token": mail.token, "password": PASSWORD}})
        await gateway.http.post("/social/form_post", data=form)
        for _ in range(2):
            await gateway.login(person.email, PASSWORD, person.tokens.access)

    async def test_of_another_tenant_is_of_no_use(self, gateway: Gateway) -> None:
        person, other = [await gateway.customer(f"{name}-storefront") for name in (HERE, THERE)]
        forged = hinting_at(THERE, person.tokens.access)
        with gateway.count_statements() as statements:
            answer = await gateway.graphql(ME, token=forged)
        assert answer.reason == "INVALID"
        assert len(statements) == 1, "It is looked for in the one shop only."
        refused = await gateway.graphql(
            operations.REFRESH, {"input": {"refreshToken": hinting_at(HERE, other.tokens.refresh)}}
        )
        assert refused.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]

    async def test_of_no_tenant_makes_no_token(self, gateway: Gateway) -> None:
        person = await gateway.customer(f"{HERE}-storefront")
        assert (await gateway.graphql(ME, token=hinting_at("nowhere", person.tokens.access))).reason == "INVALID"

    async def test_that_two_tenants_share_leads_to_both(
        self, environment: dict[str, str], clock: MovableClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.domain.tokens._hint_bytes", lambda _: b"shared")
        async with run_gateway(environment, clock) as gateway:
            for person in [await gateway.customer(f"{name}-storefront") for name in (HERE, THERE)]:
                assert (await gateway.graphql(ME, token=person.tokens.access))["me"]["email"] == person.email
                tokens = await gateway.refresh(person.tokens.refresh)
                assert (await gateway.graphql(ME, token=tokens.access))["me"]["email"] == person.email
