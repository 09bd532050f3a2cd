"""The providers of social login, against one that mints what no real one would."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from typing import Any

import anyio
import pytest
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from app.adapters.social import providers as adapter
from app.adapters.social.providers import SocialProviders
from app.domain.errors import Refused, UserErrorCode
from app.domain.social import AuthorizationGrant, AuthorizationRequest, NativeGrant, SocialProof
from tests.adapters.social.conftest import NONCE, tenant_with
from tests.fakes import MovableClock
from tests.harness.postgresql import free_port
from tests.harness.social import (
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT_URI,
    VERIFIER,
    MintingProvider,
    challenge_of,
    query_of,
    send,
)
from tests.harness.wall_clock import slowness

pytestmark = pytest.mark.anyio

# Seconds that a provider may take where no test waits for their end.
PATIENCE = 60
# What the provider calls the shop's app.
APP_ID = "com.example.shop"
REFUSED, UNAVAILABLE = UserErrorCode.PROVIDER_REFUSED, UserErrorCode.PROVIDER_UNAVAILABLE


class Shop:
    """A tenant with one provider, and what is asked of it."""

    def __init__(self, social: SocialProviders, *, seconds: int = 5, **entry: Any) -> None:
        self.social = social
        wanted = {"provider": "minted", "name": "Minted", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        self.tenant = tenant_with({**wanted, **entry}, social_timeout_seconds=seconds)
        (self.provider,) = self.tenant.social

    async def url(self) -> str:
        """Return the address that a person is sent to."""
        request = AuthorizationRequest(REDIRECT_URI, "state", NONCE, challenge_of(VERIFIER))
        return await self.social.authorization_url(self.tenant, self.provider, request)

    async def prove(self, iss: str | None = None) -> SocialProof:
        """Trade a code."""
        grant = AuthorizationGrant("code-1", REDIRECT_URI, VERIFIER, NONCE, iss)
        return await self.social.prove(self.tenant, self.provider, grant)

    async def prove_natively(self, minted: MintingProvider) -> SocialProof:
        """Have an id token checked that the app has got."""
        return await self.social.prove_natively(self.tenant, self.provider, NativeGrant(minted.id_token(), NONCE))

    async def refusal(self, iss: str | None = None) -> UserErrorCode:
        """Return with what a trade is refused."""
        with pytest.raises(Refused) as caught:
            await self.prove(iss)
        return caught.value.code


@asynccontextmanager
async def hanging(shop: Shop, callers: int) -> AsyncIterator[list[UserErrorCode]]:
    """Have so many wait for a provider that hangs, and give what those that do not wait any more were told."""
    ended: list[UserErrorCode] = []

    async def wait() -> None:
        ended.append(await shop.refusal())

    async with anyio.create_task_group() as group:
        for _ in range(callers):
            group.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        yield ended
        group.cancel_scope.cancel()


@pytest.fixture
def shop(providers: SocialProviders, minted: MintingProvider) -> Shop:
    return Shop(providers, issuer=minted.issuer)


class TestProve:
    async def test_tells_who_the_person_is(self, shop: Shop, minted: MintingProvider) -> None:
        minted.claims = {"given_name": "Ada", "family_name": "Lovelace"}
        proof = await shop.prove()
        assert (proof.issuer, proof.subject, proof.email) == (minted.issuer, "ada", "ada@example.com")
        assert (proof.email_verified, proof.first_name, proof.last_name) == (True, "Ada", "Lovelace")
        assert (proof.tokens and (proof.tokens.access_token, proof.tokens.expires_in)) == ("at-1", 300)

    @pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
    async def test_takes_the_usual_signatures(self, shop: Shop, minted: MintingProvider, algorithm: str) -> None:
        minted.header = {"alg": algorithm, "kid": "key-ec" if algorithm == "ES256" else "key-1"}
        assert (await shop.prove()).subject == "ada"

    async def test_takes_a_right_hash_of_the_access_token(self, shop: Shop, minted: MintingProvider) -> None:
        minted.token = {"access_token": "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"}
        minted.claims = {"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}
        assert (await shop.prove()).subject == "ada"

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": APP_ID},
            {"aud": [APP_ID, CLIENT_ID]},
            {"aud": [CLIENT_ID, APP_ID], "azp": CLIENT_ID},
            {"aud": CLIENT_ID, "azp": APP_ID},
            {"aud": [CLIENT_ID], "azp": CLIENT_ID},
        ],
    )
    async def test_takes_audiences_that_are_all_ours(
        self, providers: SocialProviders, minted: MintingProvider, claims: dict[str, Any]
    ) -> None:
        minted.claims = claims
        assert (await Shop(providers, issuer=minted.issuer, client_ids=[APP_ID]).prove()).subject == "ada"

    async def test_takes_a_token_without_key_id_where_one_key_fits(self, shop: Shop, minted: MintingProvider) -> None:
        minted.sign = lambda _, claims: jwt.encode({"alg": "RS256"}, claims, minted.key, ["RS256"])
        assert (await shop.prove()).subject == "ada"

    @pytest.mark.parametrize("value", ["true", 1, "1", [True], None])
    async def test_believes_in_a_verified_address_only_when_it_is_json_true(
        self, shop: Shop, minted: MintingProvider, value: object
    ) -> None:
        minted.claims = {"email_verified": value}
        assert (await shop.prove()).email_verified is False

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "https://evil.example"},
            {"iss": None},
            {"iss": ["https://evil.example"]},
            {"aud": "another-client"},
            {"aud": ["another-client"]},
            {"aud": None},
            {"aud": []},
            {"azp": "another-client"},
            {"aud": [CLIENT_ID, "another-client"]},
            {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
            {"aud": [CLIENT_ID, "another-client"], "azp": CLIENT_ID},
            {"aud": ["another-client", CLIENT_ID], "azp": CLIENT_ID},
            {"aud": [CLIENT_ID, 5]},
            {"aud": [[CLIENT_ID]]},
            {"aud": {CLIENT_ID: True}},
            {"aud": 5},
            {"aud": CLIENT_ID, "azp": ""},
            {"aud": CLIENT_ID, "azp": [CLIENT_ID]},
            {"nonce": [NONCE]},
            # Only an app may have hashed it.
            {"nonce": sha256(NONCE.encode()).hexdigest()},
            {"nonce": "of-another-login"},
            {"nonce": None},
            {"nonce": ""},
            {"exp": 1_000_000_000},
            {"exp": None},
            {"exp": "tomorrow"},
            {"iat": 99_999_999_999},
            {"iat": None},
            {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
            {"at_hash": ""},
            {"at_hash": 5},
            {"sub": None},
            {"sub": ""},
            {"sub": True},
            {"sub": 5.5},
            {"sub": 5.0},
            {"sub": {"id": "ada"}},
            {"sub": "x" * 256},
            {"sub": "nul\x00"},
        ],
        ids=str,
    )
    async def test_refuses_an_id_token_that_says_something_else(
        self, shop: Shop, minted: MintingProvider, claims: dict[str, Any]
    ) -> None:
        minted.claims = claims
        assert await shop.refusal() == REFUSED

    async def test_refuses_an_id_token_that_expired_more_than_a_minute_ago(
        self, shop: Shop, minted: MintingProvider, clock: MovableClock
    ) -> None:
        now = int(clock.now().timestamp())
        minted.claims = {"exp": now - 61}
        assert await shop.refusal() == REFUSED
        minted.claims = {"exp": now - 30}
        assert (await shop.prove()).subject == "ada"

    async def test_refuses_an_id_token_without_signature(self, shop: Shop, minted: MintingProvider) -> None:
        minted.announced = {"id_token_signing_alg_values_supported": ["RS256", "none"]}
        minted.sign = lambda _, claims: _unsigned({"alg": "none"}, claims)
        assert await shop.refusal() == REFUSED

    async def test_refuses_an_id_token_signed_with_the_public_key_as_a_shared_secret(
        self, shop: Shop, minted: MintingProvider
    ) -> None:
        minted.announced = {"id_token_signing_alg_values_supported": ["RS256", "HS256"]}
        minted.sign = lambda _, claims: _signed_with_secret(claims, minted.key.as_der(private=False))
        assert await shop.refusal() == REFUSED

    async def test_refuses_an_id_token_signed_with_our_client_secret(self, shop: Shop, minted: MintingProvider) -> None:
        minted.announced = {"id_token_signing_alg_values_supported": ["HS256"]}
        minted.sign = lambda _, claims: _signed_with_secret(claims, CLIENT_SECRET.encode())
        assert await shop.refusal() == REFUSED

    async def test_refuses_an_algorithm_that_the_provider_does_not_announce(
        self, shop: Shop, minted: MintingProvider
    ) -> None:
        minted.announced = {"id_token_signing_alg_values_supported": ["ES256"]}
        assert await shop.refusal() == REFUSED

    async def test_refuses_the_signature_of_a_stranger_under_a_known_key_id(
        self, shop: Shop, minted: MintingProvider
    ) -> None:
        stranger = RSAKey.generate_key(2048)
        minted.sign = lambda header, claims: jwt.encode(header, claims, stranger, ["RS256"])
        assert await shop.refusal() == REFUSED

    async def test_refuses_a_key_of_another_kind_than_the_algorithm(self, shop: Shop, minted: MintingProvider) -> None:
        minted.sign = lambda _, claims: jwt.encode({"alg": "RS256", "kid": "key-ec"}, claims, minted.key, ["RS256"])
        assert await shop.refusal() == REFUSED

    @pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "ä.ö.ü", "e30.e30.e30", "W10.W10.W10", "x" * 40_000])
    async def test_refuses_what_is_no_token(self, shop: Shop, minted: MintingProvider, token: str) -> None:
        minted.token = {"id_token": token}
        assert await shop.refusal() == REFUSED

    async def test_refuses_an_answer_without_id_token(self, shop: Shop, minted: MintingProvider) -> None:
        minted.token = {"id_token": None}
        assert await shop.refusal() == REFUSED

    async def test_refuses_a_critical_header_that_it_does_not_understand(
        self, shop: Shop, minted: MintingProvider
    ) -> None:
        minted.sign = lambda header, claims: _critical(header, claims, minted.key)
        assert await shop.refusal() == REFUSED

    async def test_takes_harmless_headers(self, shop: Shop, minted: MintingProvider) -> None:
        registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
        minted.sign = lambda header, claims: jwt.encode({**header, "org": "x"}, claims, minted.key, registry=registry)
        assert (await shop.prove()).subject == "ada"

    @pytest.mark.parametrize("error", ["invalid_grant", "access_denied"])
    async def test_refuses_a_code_that_the_provider_refuses(
        self, shop: Shop, minted: MintingProvider, error: str
    ) -> None:
        minted.answers["/token"] = lambda handler: send(handler, {"error": error}, 400)
        assert await shop.refusal() == REFUSED

    @pytest.mark.parametrize("error", ["invalid_client", "server_error", "temporarily_unavailable"])
    async def test_calls_a_provider_unavailable_that_cannot_do_it(
        self, shop: Shop, minted: MintingProvider, error: str
    ) -> None:
        minted.answers["/token"] = lambda handler: send(handler, {"error": error}, 400)
        assert await shop.refusal() == UNAVAILABLE


def _unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(claims).encode())}."


def _signed_with_secret(claims: dict[str, Any], secret: bytes) -> str:
    signed = _unsigned({"alg": "HS256", "kid": "key-1"}, claims).rstrip(".")
    return f"{signed}.{_encode(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _encode(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _critical(header: dict[str, Any], claims: dict[str, Any], key: RSAKey) -> str:
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    registry.check_header = lambda header: None  # type: ignore[method-assign]
    return jwt.encode({**header, "crit": ["b65"], "b65": 1}, claims, key, registry=registry)


class TestProveNatively:
    @pytest.fixture
    def shop(self, providers: SocialProviders, minted: MintingProvider) -> Shop:
        minted.claims = {"aud": APP_ID}
        return Shop(providers, issuer=minted.issuer, client_ids=[APP_ID])

    async def test_tells_who_the_person_is_and_asks_for_nothing_but_keys(
        self, shop: Shop, minted: MintingProvider
    ) -> None:
        minted.claims |= {"given_name": "Ada"}
        proof = await shop.prove_natively(minted)
        assert (proof.subject, proof.email, proof.email_verified) == ("ada", "ada@example.com", True)
        assert (proof.first_name, proof.tokens) == ("Ada", None)
        assert {path for path, _, _ in minted.requests} == {"/.well-known/openid-configuration", "/jwks"}

    async def test_takes_the_nonce_hashed(self, shop: Shop, minted: MintingProvider) -> None:
        minted.nonce = sha256(NONCE.encode()).hexdigest()
        assert (await shop.prove_natively(minted)).subject == "ada"

    async def test_takes_a_token_of_the_sheet_of_android(self, shop: Shop, minted: MintingProvider) -> None:
        # It is made for the shop's server, at the request of the app, and names a hash of what the app has got.
        minted.claims = {"aud": CLIENT_ID, "azp": APP_ID, "at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}
        assert (await shop.prove_natively(minted)).subject == "ada"

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "com.example.other"},
            {"aud": [APP_ID, "com.example.other"]},
            {"azp": "com.example.other"},
            {"nonce": None},
            {"nonce": "of-another-login"},
            {"nonce": sha256(b"of-another-login").hexdigest()},
            {"iss": "https://evil.example"},
            {"exp": 1_000_000_000},
            {"sub": None},
        ],
    )
    async def test_refuses_any_other_token(self, shop: Shop, minted: MintingProvider, claims: dict[str, Any]) -> None:
        minted.claims |= claims
        with pytest.raises(Refused) as caught:
            await shop.prove_natively(minted)
        assert caught.value.code is REFUSED

    @pytest.mark.parametrize("token", ["", "x", "a.b.c", "ä", "x" * 40_000])
    async def test_refuses_what_is_no_token(self, shop: Shop, token: str) -> None:
        with pytest.raises(Refused) as caught:
            await shop.social.prove_natively(shop.tenant, shop.provider, NativeGrant(token, NONCE))
        assert caught.value.code is REFUSED


class TestIssuerOfTheRedirect:
    async def test_is_taken_when_it_is_the_providers(self, shop: Shop, minted: MintingProvider) -> None:
        assert (await shop.prove(minted.issuer)).subject == "ada"

    @pytest.mark.parametrize("iss", ["https://evil.example", ""])
    async def test_is_refused_when_it_is_anothers_before_the_code_goes_out(
        self, shop: Shop, minted: MintingProvider, iss: str
    ) -> None:
        assert await shop.refusal(iss) == REFUSED
        assert minted.codes == []

    async def test_may_not_be_missing_where_the_provider_always_sends_it(
        self, shop: Shop, minted: MintingProvider
    ) -> None:
        minted.announced = {"authorization_response_iss_parameter_supported": True}
        assert await shop.refusal() == REFUSED
        assert (await shop.prove(minted.issuer)).subject == "ada"


class TestUserinfo:
    async def test_is_not_asked_when_the_id_token_has_the_address(self, shop: Shop, minted: MintingProvider) -> None:
        await shop.prove()
        assert minted.count("/userinfo") == 0

    async def test_tells_the_address_that_the_id_token_lacks(self, shop: Shop, minted: MintingProvider) -> None:
        minted.claims = {"email": None, "email_verified": None}
        minted.userinfo = {"email": "ada@example.com", "email_verified": True}
        proof = await shop.prove()
        assert (proof.email, proof.email_verified) == ("ada@example.com", True)

    async def test_is_asked_when_the_id_token_does_not_say_whether_its_address_is_verified(
        self, shop: Shop, minted: MintingProvider
    ) -> None:
        minted.claims = {"email_verified": None}
        minted.userinfo = {"email": "ada@example.com", "email_verified": True}
        trusting = Shop(shop.social, issuer=minted.issuer, provider="trusted", trusted_email_domains=["example.com"])
        assert (await trusting.prove()).email_verified is True
        assert minted.count("/userinfo") == 1
        # Where the provider is believed about no address, the answer would change nothing.
        assert (await shop.prove()).email_verified is False
        assert minted.count("/userinfo") == 1

    @pytest.mark.parametrize("subject", ["eve", None, 5])
    async def test_is_refused_when_it_speaks_of_another_person(
        self, shop: Shop, minted: MintingProvider, subject: object
    ) -> None:
        minted.claims = {"email": None}
        minted.userinfo = {"email": "eve@example.com", "sub": subject}
        assert await shop.refusal() == REFUSED

    async def test_is_done_without_where_there_is_none(self, shop: Shop, minted: MintingProvider) -> None:
        minted.announced = {"userinfo_endpoint": None}
        minted.claims = {"email": None, "email_verified": None}
        assert (await shop.prove()).email is None


class TestKeys:
    async def test_are_fetched_once(self, shop: Shop, minted: MintingProvider) -> None:
        await shop.prove()
        await shop.prove()
        assert (minted.count("/jwks"), minted.count("/.well-known/openid-configuration")) == (1, 1)

    async def test_are_fetched_anew_after_an_hour(
        self, shop: Shop, minted: MintingProvider, clock: MovableClock
    ) -> None:
        await shop.prove()
        clock.advance(hours=1)
        await shop.prove()
        assert (minted.count("/jwks"), minted.count("/.well-known/openid-configuration")) == (2, 2)

    async def test_are_looked_for_again_at_most_once_a_minute_for_an_unknown_one(
        self, shop: Shop, minted: MintingProvider, clock: MovableClock
    ) -> None:
        await shop.prove()
        minted.header = {"kid": "key-of-nobody"}
        for _ in range(3):
            assert await shop.refusal() == REFUSED
        assert minted.count("/jwks") == 1
        clock.advance(seconds=60)
        for _ in range(3):
            assert await shop.refusal() == REFUSED
        assert minted.count("/jwks") == 2

    async def test_may_be_new_ones(self, shop: Shop, minted: MintingProvider, clock: MovableClock) -> None:
        await shop.prove()
        clock.advance(seconds=60)
        minted.key = RSAKey.generate_key(2048, {"kid": "key-2"})
        minted.header = {"kid": "key-2"}
        assert (await shop.prove()).subject == "ada"

    async def test_that_cannot_be_used_are_left_out(self, shop: Shop, minted: MintingProvider) -> None:
        usable = minted.key.as_dict(private=False)
        odd = [{"kty": "AKP", "kid": "key-1"}, {"kty": "RSA", "kid": "key-1"}, 5, {**usable, "use": "enc"}]
        minted.answers["/jwks"] = lambda handler: send(handler, {"keys": [*odd, usable]})
        assert (await shop.prove()).subject == "ada"

    @pytest.mark.filterwarnings("ignore:Key size should be >= 2048 bits")
    async def test_that_are_too_short_are_no_keys(self, shop: Shop, minted: MintingProvider) -> None:
        minted.key = RSAKey.generate_key(1024, {"kid": "key-1"})
        assert await shop.refusal() == REFUSED


class TestWhatAProviderCanSuffer:
    @pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks", "/userinfo"])
    @pytest.mark.parametrize(
        "answer",
        [
            lambda handler: send(handler, {"error": "out of order"}, 500),
            lambda handler: send(handler, b"<html>", 503),
            lambda handler: send(handler, b"garbage"),
            lambda handler: send(handler, b"[]"),
            lambda handler: send(handler, b"[" * 30_000),
            lambda handler: send(handler, b'{"keys": "' + b"x" * 70_000 + b'"}'),
            lambda handler: send(handler, {}, 302, Location="http://127.0.0.1:1/elsewhere"),
            lambda handler: send(handler, b"\x1f\x8b", Content_Encoding="gzip"),
            lambda handler: handler.wfile.write(b"not http at all\r\n\r\n"),
        ],
        ids=["500", "503", "garbage", "list", "deep", "huge", "redirect", "gzip", "no-http"],
    )
    async def test_makes_it_unavailable(
        self, shop: Shop, minted: MintingProvider, path: str, answer: Callable[[BaseHTTPRequestHandler], None]
    ) -> None:
        minted.claims = {"email": None}
        minted.answers[path] = answer
        assert await shop.refusal() == UNAVAILABLE

    async def test_a_body_without_end_is_read_no_further_than_it_may_be(
        self, shop: Shop, minted: MintingProvider
    ) -> None:
        written: list[int] = []

        def pour(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.end_headers()
            try:
                while len(written) < 10_000:
                    handler.wfile.write(b"x" * 65_536)
                    written.append(65_536)
            except OSError:
                return

        minted.answers["/jwks"] = pour
        assert await shop.refusal() == UNAVAILABLE
        assert len(written) < 10_000

    async def test_being_down_makes_it_unavailable(self, providers: SocialProviders) -> None:
        shop = Shop(providers, issuer=f"http://127.0.0.1:{free_port()}")
        assert await shop.refusal() == UNAVAILABLE

    @pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
    @pytest.mark.wall_clock
    async def test_hanging_makes_it_unavailable_in_time(
        self, providers: SocialProviders, minted: MintingProvider, path: str
    ) -> None:
        shop = Shop(providers, seconds=1, issuer=minted.issuer)
        minted.answers[path] = minted.hang
        took: list[float] = []

        async def wait_for_it() -> None:
            began = time.monotonic()
            assert await shop.refusal() == UNAVAILABLE
            took.append(time.monotonic() - began)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(wait_for_it)
        assert len(took) == 20
        assert max(took) < 2 * slowness()

    @pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
    async def test_hanging_slows_no_other(
        self, providers: SocialProviders, minted: MintingProvider, clock: MovableClock, path: str
    ) -> None:
        shop = Shop(providers, seconds=PATIENCE, issuer=minted.issuer)
        minted.answers[path] = minted.hang
        with MintingProvider(clock) as healthy:
            healthy.nonce = NONCE
            other = Shop(shop.social, provider="healthy", issuer=healthy.issuer)
            async with hanging(shop, 20) as ended:
                assert (await other.prove()).subject == "ada"
                assert ended == []

    async def test_more_callers_than_can_wait_are_told_at_once(
        self, providers: SocialProviders, minted: MintingProvider
    ) -> None:
        shop = Shop(providers, seconds=PATIENCE, issuer=minted.issuer)
        minted.answers["/token"] = minted.hang
        async with hanging(shop, adapter.MOST_IN_FLIGHT + adapter.MOST_WAITING) as ended:
            assert await shop.refusal() == UNAVAILABLE
            assert ended == []

    async def test_a_discovery_document_of_another_issuer_makes_it_unavailable(
        self, shop: Shop, minted: MintingProvider
    ) -> None:
        minted.announced = {"issuer": "https://evil.example"}
        assert await shop.refusal() == UNAVAILABLE

    @pytest.mark.parametrize(
        "announced",
        [
            {"token_endpoint": "http://shop.example/token"},
            {"jwks_uri": "ftp://127.0.0.1/jwks"},
            {"authorization_endpoint": "javascript:alert(1)"},
            {"authorization_endpoint": "http://shop.example/authorize"},
            {"token_endpoint": "https://10.0.0.1/token"},
            {"token_endpoint": None},
            {"jwks_uri": 5},
            {"token_endpoint_auth_methods_supported": ["tls_client_auth"]},
        ],
        ids=str,
    )
    async def test_a_discovery_document_that_leads_astray_makes_it_unavailable(
        self, shop: Shop, minted: MintingProvider, announced: dict[str, Any]
    ) -> None:
        minted.announced = announced
        assert await shop.refusal() == UNAVAILABLE

    async def test_plain_http_is_for_development_only(self, clock: MovableClock, minted: MintingProvider) -> None:
        social = SocialProviders(clock, loopback=False)
        assert await Shop(social, issuer=minted.issuer).refusal() == UNAVAILABLE
        assert minted.requests == []
        await social.close()


class TestAuthorizationUrl:
    async def test_asks_for_a_form_where_the_provider_wants_to_post(
        self, providers: SocialProviders, minted: MintingProvider
    ) -> None:
        shop = Shop(providers, issuer=minted.issuer, response_mode="form_post", scopes=["openid", "name"])
        sent = query_of(await shop.url())
        assert (sent["response_mode"], sent["scope"], sent["nonce"]) == ("form_post", "openid name", NONCE)

    async def test_keeps_the_query_of_the_endpoint(self, shop: Shop, minted: MintingProvider) -> None:
        minted.announced = {"authorization_endpoint": f"{minted.issuer}/authorize?tenant=blue"}
        sent = query_of(await shop.url())
        assert (sent["tenant"], sent["state"]) == ("blue", "state")


class TestOauthWithoutOpenid:
    @pytest.fixture
    def shop(self, providers: SocialProviders, minted: MintingProvider) -> Shop:
        minted.token = {"id_token": None}
        minted.userinfo = {"id": "1234", "email": "ada@example.com", "first_name": "Ada", "email_verified": True}
        return Shop(
            providers,
            issuer="https://www.facebook.example",
            scopes=["email"],
            authorization_endpoint=f"{minted.issuer}/authorize",
            token_endpoint=f"{minted.issuer}/token",
            userinfo_endpoint=f"{minted.issuer}/userinfo?fields=id,email",
            claim_names={"subject": "id", "first_name": "first_name"},
        )

    async def test_asks_the_user_call_who_it_is(self, shop: Shop, minted: MintingProvider) -> None:
        proof = await shop.prove()
        assert (proof.issuer, proof.subject, proof.first_name) == ("https://www.facebook.example", "1234", "Ada")
        assert proof.email == "ada@example.com"
        ((_, headers, _),) = [request for request in minted.requests if request[0] == "/userinfo"]
        assert headers["Authorization"] == "Bearer at-1"
        assert minted.count("/.well-known/openid-configuration") == 0

    async def test_sends_the_secret_in_the_form(self, shop: Shop, minted: MintingProvider) -> None:
        await shop.prove()
        ((_, _, form),) = [request for request in minted.requests if request[0] == "/token"]
        assert (form["client_id"], form["client_secret"]) == ([CLIENT_ID], [CLIENT_SECRET])
        assert form["code_verifier"] == [VERIFIER]

    async def test_sends_no_nonce(self, shop: Shop) -> None:
        assert "nonce" not in query_of(await shop.url())

    @pytest.mark.parametrize("subject", [None, "", True, 5.5, 1e3, {"id": 5}, [5], "x" * 256])
    async def test_refuses_an_answer_without_the_subject(
        self, shop: Shop, minted: MintingProvider, subject: object
    ) -> None:
        minted.userinfo = {"id": subject}
        assert await shop.refusal() == REFUSED

    async def test_understands_how_facebook_refuses_a_code(self, shop: Shop, minted: MintingProvider) -> None:
        error = {"error": {"message": "This authorization code has been used.", "type": "OAuthException", "code": 100}}
        minted.answers["/token"] = lambda handler: send(handler, error, 400)
        assert await shop.refusal() == REFUSED


class TestSignedSecret:
    async def test_is_a_short_lived_jwt_as_apple_wants_it(
        self, providers: SocialProviders, minted: MintingProvider, clock: MovableClock
    ) -> None:
        key = minted.elliptic_key
        minted.announced = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        signing = {"team_id": "TEAM", "key_id": "KEY", "private_key": key.as_pem(private=True).decode()}
        await Shop(providers, issuer=minted.issuer, client_secret=None, signing=signing).prove()
        ((_, _, form),) = [request for request in minted.requests if request[0] == "/token"]
        token = jwt.decode(form["client_secret"][0], key, ["ES256"])
        now = int(clock.now().timestamp())
        assert token.header == {"typ": "JWT", "alg": "ES256", "kid": "KEY"}
        assert token.claims == {"iss": "TEAM", "iat": now, "exp": now + 300, "aud": minted.issuer, "sub": CLIENT_ID}


async def test_no_proxy_of_the_environment_is_asked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    assert (await shop.prove()).subject == "ada"
