"""Refresh tokens of social providers: kept sealed, and revoked when the account goes, whatever the provider does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from app.adapters.keys.sealer import FernetSealer
from app.models.outbox import OutboxKind
from app.services.outgoing.outbox import outbox_state, retry
from app.services.worker.delivery import MOST_ATTEMPTS, deliver_due
from tests.fakes import MovableClock
from tests.harness.anonymizations import EXPORT, STOREFRONT, anonymize, privacy_shop
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.social import CLIENT_ID, MintingProvider, SocialPerson, codes, query_of, send

pytestmark = pytest.mark.anyio

KEY = ECKey.generate_key("P-256")
TOKEN = "r4d5.0.mxyz.Xw"
REDIRECT_URIS = '\nredirect_uris = ["http://localhost:5173/callback"]\n'
REVERT = "mutation ($input: RevertSignInMethodInput!) { revertSignInMethod(input: $input) { userErrors { code } } }"


def apple(issuer: str, client_id: str = CLIENT_ID) -> str:
    return f"""[[tenants.shop.social]]
provider = "apple"
issuer = "{issuer}"
client_id = "{client_id}"
signing = {{ team_id = "TEAM", key_id = "KEY", private_key_env = "APPLE_KEY" }}
trusted_email_domains = ["example.com"]
"""


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
    variables = privacy_shop(tmp_path / "shops", apple(minted.issuer))
    file = Path(variables["TENANTS_FILE"])
    storefront = 'id = "shop-storefront"\nkind = "storefront"\n'
    file.write_text(file.read_text().replace(storefront, storefront + REDIRECT_URIS, 1))
    minted.announced["revocation_endpoint"] = f"{minted.issuer}/revoke"
    minted.announced["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    minted.token = {"refresh_token": TOKEN}
    return {**variables, "APPLE_KEY": KEY.as_pem(private=True).decode()}


async def through(gateway: Gateway, minted: MintingProvider, person: SocialPerson) -> tuple[str, str]:
    """Go to Apple and back to the app, and return state and code."""
    url = (await person.begin())["authorizationUrl"]
    response = await gateway.http.post("/social/form_post", data=minted.authorize(url)[1])
    back = query_of(response.headers["Location"])
    return back["state"], back["code"]


async def log_in(gateway: Gateway, minted: MintingProvider) -> tuple[SocialPerson, dict[str, Any]]:
    person = SocialPerson(gateway, (await gateway.anonymous(STOREFRONT)).access, "apple")
    state, code = await through(gateway, minted, person)
    payload = await person.finish(state, code=code)
    if payload["tokens"] is not None:
        person.token = payload["tokens"]["accessToken"]
    return person, payload


async def sealed(gateway: Gateway) -> list[str | None]:
    return [row[0] for row in await gateway.rows("SELECT sealed_refresh_token FROM social_identity")]


def opened(gateway: Gateway, text: str | None) -> str:
    token: str = json.loads(gateway.tools.sealer.open(text or ""))["token"]
    return token


def rename_client(environment: dict[str, str], minted: MintingProvider) -> None:
    file = Path(environment["TENANTS_FILE"])
    file.write_text(file.read_text().replace(apple(minted.issuer), apple(minted.issuer, "another-client")))


class TestKept:
    async def test_is_sealed_and_told_to_nobody(self, gateway: Gateway, minted: MintingProvider) -> None:
        person, payload = await log_in(gateway, minted)
        assert TOKEN not in json.dumps(payload)
        (kept,) = await sealed(gateway)
        assert TOKEN not in (kept or "")
        assert opened(gateway, kept) == TOKEN
        export = json.dumps((await gateway.graphql(EXPORT, {"input": None}, person.token)).data)
        assert "socialIdentities" in export
        assert "efresh_token" not in export
        assert (kept or "") not in export

    async def test_is_the_latest_one(self, gateway: Gateway, minted: MintingProvider) -> None:
        await log_in(gateway, minted)
        minted.token = {"refresh_token": "newer"}
        await log_in(gateway, minted)
        minted.token = {}
        await log_in(gateway, minted)
        (kept,) = await sealed(gateway)
        assert opened(gateway, kept) == "newer"
        assert minted.revoked == []

    async def test_is_of_an_account_that_is_linked_as_well(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer = SocialPerson(gateway, (await gateway.customer(STOREFRONT)).tokens.access, "apple")
        state, code = await through(gateway, minted, customer)
        assert (await customer.link_with(state, code=code)).user_errors("linkSocialAccount") == []
        assert [opened(gateway, each) for each in await sealed(gateway)] == [TOKEN]

    async def test_waits_with_a_link_for_its_confirmation(self, gateway: Gateway, minted: MintingProvider) -> None:
        owner = await gateway.customer(STOREFRONT, email="ada@example.com")
        await gateway.write("UPDATE credential SET email_verified_at = changed_at")
        person, payload = await log_in(gateway, minted)
        assert codes(payload) == [("LINK_CONFIRMATION_REQUIRED", "")]
        assert await sealed(gateway) == []
        assert codes(await person.confirm(payload["linkTicket"], password=owner.password)) == []
        assert [opened(gateway, each) for each in await sealed(gateway)] == [TOKEN]
        assert [each[0] for each in await gateway.rows("SELECT sealed_refresh_token FROM link_ticket")] == [None]


class TestRevoked:
    async def test_at_erasure_with_our_secret(self, gateway: Gateway, minted: MintingProvider) -> None:
        _, payload = await log_in(gateway, minted)
        await anonymize(gateway, payload["customer"]["id"])
        assert minted.revoked == []
        await gateway.deliver()
        ((_, _, form),) = [each for each in minted.requests if each[0] == "/revoke"]
        assert (form["token"], form["token_type_hint"]) == ([TOKEN], ["refresh_token"])
        assert form["client_id"] == [CLIENT_ID]
        claims = jwt.decode(form["client_secret"][0], KEY, algorithms=["ES256"]).claims
        assert (claims["iss"], claims["sub"], claims["aud"]) == ("TEAM", CLIENT_ID, minted.issuer)
        (message,) = await gateway.rows("SELECT payload, customer_id FROM outbox_message WHERE kind = 'revoke'")
        assert (str(message[0]), message[1]) == ("{}", None)

    async def test_when_the_link_was_never_confirmed_too(self, gateway: Gateway, minted: MintingProvider) -> None:
        owner = await gateway.customer(STOREFRONT, email="ada@example.com")
        await gateway.write("UPDATE credential SET email_verified_at = changed_at")
        await log_in(gateway, minted)
        await anonymize(gateway, owner.id)
        await gateway.deliver()
        assert minted.revoked == [TOKEN]

    async def test_when_the_account_is_unlinked(self, gateway: Gateway, minted: MintingProvider) -> None:
        customer = SocialPerson(gateway, (await gateway.customer(STOREFRONT)).tokens.access, "apple")
        state, code = await through(gateway, minted, customer)
        linked = await customer.link_with(state, code=code)
        account = linked["linkSocialAccount"]["account"]["id"]
        assert (await customer.unlink(account)).user_errors("unlinkSocialAccount") == []
        await gateway.deliver()
        assert minted.revoked == [TOKEN]
        assert await sealed(gateway) == []

    async def test_when_the_customer_says_that_it_was_somebody_else(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        owner = await gateway.customer(STOREFRONT)
        customer = SocialPerson(gateway, owner.tokens.access, "apple")
        state, code = await through(gateway, minted, customer)
        await customer.link_with(state, code=code)
        await gateway.deliver()
        guest = (await gateway.anonymous(STOREFRONT)).access
        token = gateway.mails(owner.email)[-1].token
        answer = await gateway.graphql(REVERT, {"input": {"token": token}}, guest)
        assert answer["revertSignInMethod"]["userErrors"] == []
        await gateway.deliver()
        assert minted.revoked == [TOKEN]

    async def test_later_when_the_endpoint_is_dead_and_the_erasure_does_not_wait(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        _, payload = await log_in(gateway, minted)
        minted.answers["/revoke"] = lambda handler: send(handler, {}, 503)
        await anonymize(gateway, payload["customer"]["id"])
        while await deliver_due(gateway.tools, OutboxKind.REVOCATION):
            pass
        (message,) = await _revocations(gateway)
        assert (message.attempts, message.delivered_at) == (1, None)
        assert await sealed(gateway) == []
        del minted.answers["/revoke"]
        gateway.clock.advance(seconds=5)
        assert await deliver_due(gateway.tools, OutboxKind.REVOCATION) == 1
        assert minted.revoked == [TOKEN, TOKEN]
        (message,) = await _revocations(gateway)
        assert message.delivered_at is not None

    async def test_not_before_the_time_that_a_busy_provider_names(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        _, payload = await log_in(gateway, minted)
        minted.answers["/revoke"] = lambda handler: send(handler, {}, 429, **{"Retry-After": "60"})
        await anonymize(gateway, payload["customer"]["id"])
        await deliver_due(gateway.tools, OutboxKind.REVOCATION)
        del minted.answers["/revoke"]
        gateway.clock.advance(seconds=59)
        assert await deliver_due(gateway.tools, OutboxKind.REVOCATION) == 0
        gateway.clock.advance(seconds=1)
        assert await deliver_due(gateway.tools, OutboxKind.REVOCATION) == 1
        (message,) = await _revocations(gateway)
        assert message.delivered_at is not None

    async def test_again_by_an_operator_when_it_was_given_up(self, gateway: Gateway, minted: MintingProvider) -> None:
        _, payload = await log_in(gateway, minted)
        minted.answers["/revoke"] = lambda handler: send(handler, {}, 503)
        await anonymize(gateway, payload["customer"]["id"])
        for _ in range(MOST_ATTEMPTS):
            await deliver_due(gateway.tools, OutboxKind.REVOCATION)
            gateway.clock.advance(hours=1)
        (dead,) = [each for each in (await outbox_state(gateway.tools)).dead_messages if each.kind == "revoke"]
        assert "503" in (dead.last_error or "")
        del minted.answers["/revoke"]
        await retry(gateway.tools, dead.id)
        assert await deliver_due(gateway.tools, OutboxKind.REVOCATION) == 1
        (message,) = await _revocations(gateway)
        assert message.delivered_at is not None

    async def test_by_nobody_else_when_the_shop_has_another_client_there_now(
        self, gateway: Gateway, minted: MintingProvider, environment: dict[str, str], clock: MovableClock
    ) -> None:
        _, payload = await log_in(gateway, minted)
        await anonymize(gateway, payload["customer"]["id"])
        rename_client(environment, minted)
        async with run_gateway(environment, clock) as changed:
            await deliver_due(changed.tools, OutboxKind.REVOCATION)
            assert [each.kind for each in (await outbox_state(changed.tools)).dead_messages] == ["revoke"]
        assert minted.revoked == []

    async def test_after_the_keys_have_rotated(
        self, gateway: Gateway, minted: MintingProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, payload = await log_in(gateway, minted)
        older, newer = FernetSealer([b"o" * 32]), FernetSealer([b"n" * 32, b"o" * 32])
        (kept,) = await sealed(gateway)
        again = older.seal(gateway.tools.sealer.open(kept or ""))
        await gateway.write("UPDATE social_identity SET sealed_refresh_token = :sealed", sealed=again)
        monkeypatch.setattr(gateway.tools.sealer, "open", newer.open)
        await anonymize(gateway, payload["customer"]["id"])
        await gateway.deliver()
        assert minted.revoked == [TOKEN]


async def _revocations(gateway: Gateway) -> list[Any]:
    return await gateway.rows("SELECT attempts, delivered_at FROM outbox_message WHERE kind = 'revoke'")
