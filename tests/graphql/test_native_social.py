"""Social login by the sheet of a platform: an id token and a nonce, in the session that asked for the nonce, once."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.harness.gateway import Gateway
from tests.harness.social import (
    APP_CLIENT_ID,
    CLIENT_ID,
    REDIRECT_URI,
    VERIFIER,
    MintingProvider,
    SocialPerson,
    arrive,
    codes,
    openid_entry,
    query_of,
    social_environment,
    write_tenants,
)

pytestmark = pytest.mark.anyio

# A provider without OpenID.
PLAIN = f"""provider = "plain"
issuer = "https://plain.example"
client_id = "{CLIENT_ID}"
client_secret_env = "PROVIDER_SECRET"
authorization_endpoint = "https://plain.example/authorize"
token_endpoint = "https://plain.example/token"
userinfo_endpoint = "https://plain.example/me"
"""


@pytest.fixture
def minted(minted: MintingProvider) -> MintingProvider:
    minted.claims = {"aud": APP_CLIENT_ID}
    return minted


@pytest.fixture
def settings_environment(tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
    apps = f'\nclient_ids = ["{APP_CLIENT_ID}"]'
    entries = [openid_entry(name, minted.issuer) + apps for name in ("minted", "other")]
    write_tenants(tmp_path / "tenants.toml", *entries, PLAIN)
    return social_environment(tmp_path / "tenants.toml")


async def log_in(person: SocialPerson, minted: MintingProvider, **changes: Any) -> dict[str, Any]:
    """Go all the way, and return the payload."""
    nonce = await person.native_nonce(minted)
    return await person.bring(minted.id_token(), nonce, **changes)


class TestBeginSocialLogin:
    async def test_gives_a_nonce_and_sends_nobody_away(self, gateway: Gateway, minted: MintingProvider) -> None:
        payload = await (await arrive(gateway)).begin(redirectUri=None, codeChallenge=None)
        assert len(payload.pop("nonce")) == 43
        assert payload == {"authorizationUrl": None, "state": None, "expiresIn": 600, "userErrors": []}
        assert minted.requests == []

    async def test_tells_the_nonce_of_a_redirect_too(self, gateway: Gateway) -> None:
        payload = await (await arrive(gateway)).begin()
        assert payload["nonce"] == query_of(payload["authorizationUrl"])["nonce"]

    @pytest.mark.parametrize(("given", "missing"), [("redirectUri", "codeChallenge"), ("codeChallenge", "redirectUri")])
    async def test_wants_both_for_a_redirect(self, gateway: Gateway, given: str, missing: str) -> None:
        payload = await (await arrive(gateway)).begin(**{missing: None})
        assert codes(payload) == [("REQUIRED", missing)], f"{given} is given."

    async def test_is_a_redirect_in_any_case_for_a_provider_without_id_tokens(self, gateway: Gateway) -> None:
        person = await arrive(gateway, provider="plain")
        payload = await person.begin(redirectUri=None, codeChallenge=None)
        assert codes(payload) == [("REQUIRED", "redirectUri"), ("REQUIRED", "codeChallenge")]
        assert (await person.begin())["nonce"] is None

    async def test_asks_no_provider_without_id_tokens_how_old_a_login_is(self, gateway: Gateway) -> None:
        person = await arrive(gateway, provider="plain")
        payload = await person.begin(parameters=[{"name": "max_age", "value": "3600"}])
        assert codes(payload) == [("INVALID", "parameters.0.name")]


class TestSocialLogin:
    @pytest.mark.parametrize("hashed", [False, True])
    async def test_logs_a_new_customer_in_and_knows_them_again(
        self, gateway: Gateway, minted: MintingProvider, hashed: bool
    ) -> None:
        for created in (True, False):
            person = await arrive(gateway)
            nonce = await person.native_nonce(minted)
            if hashed:
                minted.nonce = sha256(nonce.encode()).hexdigest()
            payload = await person.bring(minted.id_token(), nonce)
            assert (payload["userErrors"], payload["created"]) == ([], created)
            assert payload["customer"]["email"] == "ada@example.com"
            assert payload["tokens"]["accessToken"]

    async def test_knows_the_person_of_the_site(self, gateway: Gateway, minted: MintingProvider) -> None:
        native = await log_in(await arrive(gateway), minted)
        minted.claims = {"aud": CLIENT_ID}
        web = await (await arrive(gateway)).log_in(minted)
        assert (web["created"], web["customer"]["id"]) == (False, native["customer"]["id"])

    async def test_takes_the_nonce_of_a_redirect_as_well(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        state = await person.begun(minted)
        assert codes(await person.bring(minted.id_token(), minted.nonce)) == []
        # It was one login, and it is over.
        tokens = (await gateway.anonymous("demo-storefront")).access
        assert codes(await SocialPerson(gateway, tokens).finish(state)) == [("TOKEN_INVALID", "state")]

    async def test_answers_a_call_whose_answer_was_lost_the_same_again(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await arrive(gateway)
        nonce = await person.native_nonce(minted)
        token = minted.id_token()
        first, second = [await person.bring(token, nonce) for _ in range(2)]
        assert first["tokens"]["refreshToken"] == second["tokens"]["refreshToken"] is not None

    async def test_hands_out_no_tokens_of_the_provider(self, gateway: Gateway, minted: MintingProvider) -> None:
        payload = await log_in(await arrive(gateway, "auto"), minted)
        assert (payload["userErrors"], payload["socialTokens"]) == ([], None)

    async def test_links_to_the_customer_who_is_logged_in(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = SocialPerson(gateway, (await gateway.customer("demo-storefront")).tokens.access)
        nonce = await person.native_nonce(minted)
        payload = (await person.link_natively(minted.id_token(), nonce))["linkSocialAccount"]
        assert [each["provider"] for each in payload["customer"]["accounts"]] == ["password", "minted"]


class TestWhatIsRefused:
    async def test_a_nonce_that_was_used(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        nonce = await person.native_nonce(minted)
        good = minted.id_token()
        minted.claims |= {"aud": "com.example.other"}
        assert codes(await person.bring(minted.id_token(), nonce)) == [("PROVIDER_REFUSED", "provider")]
        assert codes(await person.bring(good, nonce)) == [("TOKEN_INVALID", "nonce")]

    async def test_a_nonce_that_sixteen_use_at_once_but_for_one(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        person = await arrive(gateway)
        nonce = await person.native_nonce(minted)
        # So that nobody is logged in by it, and the session stays a guest's.
        minted.claims |= {"aud": "com.example.other"}
        token, told = minted.id_token(), []

        async def bring() -> None:
            told.extend(codes(await person.bring(token, nonce)))

        async with anyio.create_task_group() as group:
            for _ in range(16):
                group.start_soon(bring)
        assert sorted(told) == [("PROVIDER_REFUSED", "provider"), *[("TOKEN_INVALID", "nonce")] * 15]

    async def test_a_nonce_that_has_expired(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        nonce = await person.native_nonce(minted)
        gateway.clock.advance(minutes=10)
        assert codes(await person.bring(minted.id_token(), nonce)) == [("TOKEN_EXPIRED", "nonce")]

    async def test_a_nonce_of_another_session_which_goes_on_working_there(
        self, gateway: Gateway, minted: MintingProvider
    ) -> None:
        victim, thief = await arrive(gateway), await arrive(gateway)
        nonce = await victim.native_nonce(minted)
        token = minted.id_token()
        assert codes(await thief.bring(token, nonce)) == [("TOKEN_INVALID", "nonce")]
        assert codes(await victim.bring(token, nonce)) == []

    async def test_a_nonce_of_another_provider(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        nonce = await person.native_nonce(minted)
        assert codes(await person.bring(minted.id_token(), nonce, provider="other")) == [("TOKEN_INVALID", "nonce")]

    @pytest.mark.parametrize("nonce", ["x", "A" * 43, "\u00e4" * 100])
    async def test_a_nonce_that_nobody_made(self, gateway: Gateway, minted: MintingProvider, nonce: str) -> None:
        person = await arrive(gateway)
        minted.nonce = nonce
        assert codes(await person.bring(minted.id_token(), nonce)) == [("TOKEN_INVALID", "nonce")]

    async def test_a_token_with_another_nonce(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        nonce = await person.native_nonce(minted)
        minted.nonce = "of-another-login"
        assert codes(await person.bring(minted.id_token(), nonce)) == [("PROVIDER_REFUSED", "provider")]

    @pytest.mark.parametrize(
        "claims", [{"aud": [APP_CLIENT_ID, "com.example.other"]}, {"aud": APP_CLIENT_ID, "azp": "com.example.other"}]
    )
    async def test_a_token_that_is_for_somebody_else_too(
        self, gateway: Gateway, minted: MintingProvider, claims: dict[str, Any]
    ) -> None:
        minted.claims = claims
        assert codes(await log_in(await arrive(gateway), minted)) == [("PROVIDER_REFUSED", "provider")]

    async def test_a_provider_without_id_tokens(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway, provider="plain")
        assert codes(await person.bring(minted.id_token(), "a-nonce")) == [("INVALID", "idToken")]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("code", "code-1"),
            ("redirectUri", REDIRECT_URI),
            ("codeVerifier", VERIFIER),
            ("state", "cg_ss_x"),
            ("iss", "https://provider.example"),
        ],
    )
    async def test_what_belongs_to_a_redirect_and_leaves_the_nonce_unused(
        self, gateway: Gateway, minted: MintingProvider, name: str, value: str
    ) -> None:
        person = await arrive(gateway)
        nonce = await person.native_nonce(minted)
        token = minted.id_token()
        assert codes(await person.bring(token, nonce, **{name: value})) == [("INVALID", name)]
        assert codes(await person.bring(token, nonce)) == []

    async def test_what_is_missing(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        assert codes(await person.bring(minted.id_token(), "")) == [("REQUIRED", "nonce")]
        assert codes(await person.bring("", "a-nonce")) == [("REQUIRED", "idToken")]
        assert codes(await person.bring("x" * 32_769, "a-nonce")) == [("TOO_LONG", "idToken")]

    async def test_a_redirect_without_its_parts(self, gateway: Gateway) -> None:
        person = await arrive(gateway)
        parts = ("code", "redirectUri", "state", "codeVerifier")
        assert codes(await person.bring(None, None)) == [("REQUIRED", name) for name in parts]

    async def test_a_nonce_with_a_code(self, gateway: Gateway, minted: MintingProvider) -> None:
        person = await arrive(gateway)
        state = await person.begun(minted)
        assert codes(await person.finish(state, nonce=minted.nonce)) == [("INVALID", "nonce")]
        minted.claims = {}
        assert codes(await person.finish(state)) == []


NAMES = {"firstName": "  Ada ", "lastName": "Lovelace"}


class TestNames:
    async def named(self, gateway: Gateway, payload: dict[str, Any]) -> tuple[str | None, str | None]:
        assert payload["userErrors"] == [], payload
        token = payload["tokens"]["accessToken"]
        me = (await gateway.graphql("{ me { firstName lastName } }", token=token))["me"]
        return me["firstName"], me["lastName"]

    async def test_count_when_a_customer_is_created(self, gateway: Gateway, minted: MintingProvider) -> None:
        payload = await log_in(await arrive(gateway), minted, **NAMES)
        assert await self.named(gateway, payload) == ("Ada", "Lovelace")

    async def test_count_after_a_redirect_too(self, gateway: Gateway, minted: MintingProvider) -> None:
        payload = await (await arrive(gateway)).log_in(minted, **NAMES)
        assert await self.named(gateway, payload) == ("Ada", "Lovelace")

    async def test_count_never_again(self, gateway: Gateway, minted: MintingProvider) -> None:
        await log_in(await arrive(gateway), minted, firstName="Ada")
        payload = await log_in(await arrive(gateway), minted, firstName="Eve", lastName="Else")
        assert await self.named(gateway, payload) == ("Ada", None)

    async def test_are_the_providers_where_it_tells_them(self, gateway: Gateway, minted: MintingProvider) -> None:
        minted.claims |= {"given_name": "Augusta"}
        payload = await log_in(await arrive(gateway), minted, **NAMES)
        assert await self.named(gateway, payload) == ("Augusta", "Lovelace")

    @pytest.mark.parametrize(("name", "code"), [("x" * 101, "TOO_LONG"), ("a\nb", "INVALID")])
    async def test_that_are_none_leave_the_nonce_unused(
        self, gateway: Gateway, minted: MintingProvider, name: str, code: str
    ) -> None:
        person = await arrive(gateway)
        nonce = await person.native_nonce(minted)
        token = minted.id_token()
        payload = await person.bring(token, nonce, firstName=name, lastName=name)
        assert codes(payload) == [(code, "firstName"), (code, "lastName")]
        assert codes(await person.bring(token, nonce)) == []
