"""The ways of providers that keep to the standards, but not to the usual half of them."""

from __future__ import annotations

import gzip
import logging
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha512
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote_plus, urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.adapters.social.providers import SocialProviders
from app.domain.errors import Refused, UserErrorCode
from app.domain.social import AuthorizationGrant, SocialProof
from tests.adapters.social.conftest import NONCE, tenant_with
from tests.fakes import MovableClock
from tests.harness.social import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, VERIFIER, MintingProvider, send

pytestmark = pytest.mark.anyio

REFUSED, UNAVAILABLE = UserErrorCode.PROVIDER_REFUSED, UserErrorCode.PROVIDER_UNAVAILABLE
Answer = Callable[[BaseHTTPRequestHandler], None]


class Shop:
    """A tenant with one provider."""

    def __init__(self, social: SocialProviders, minted: MintingProvider, seconds: int = 5, **entry: Any) -> None:
        self._social = social
        wanted = {"provider": "minted", "name": "Minted", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        self._tenant = tenant_with({**wanted, "issuer": minted.issuer, **entry}, social_timeout_seconds=seconds)

    async def prove(self, iss: str | None = None) -> SocialProof:
        """Trade a code."""
        grant = AuthorizationGrant("code-1", REDIRECT_URI, VERIFIER, NONCE, iss)
        return await self._social.prove(self._tenant, self._tenant.social[0], grant)

    async def refusal(self, iss: str | None = None) -> Refused:
        """Return how a trade is refused."""
        with pytest.raises(Refused) as caught:
            await self.prove(iss)
        return caught.value


@pytest.fixture
def shop(providers: SocialProviders, minted: MintingProvider) -> Shop:
    return Shop(providers, minted)


def serve_keys(minted: MintingProvider, *keys: RSAKey | ECKey | OKPKey, path: str = "/jwks", **hidden: None) -> None:
    """Have the provider show these keys, without the members that are hidden."""
    entries = [
        {name: value for name, value in key.as_dict(private=False).items() if name not in hidden} for key in keys
    ]
    minted.answers[path] = lambda handler: send(handler, {"keys": entries})


class TestKeysThatChange:
    async def test_the_same_name_may_get_a_new_key(
        self, shop: Shop, minted: MintingProvider, clock: MovableClock
    ) -> None:
        await shop.prove()
        minted.key = RSAKey.generate_key(2048, {"kid": "key-1"})
        assert (await shop.refusal()).code is REFUSED
        clock.advance(seconds=60)
        assert (await shop.prove()).subject == "ada"
        assert minted.count("/jwks") == 2

    async def test_a_bad_signature_asks_once_a_minute(
        self, shop: Shop, minted: MintingProvider, clock: MovableClock
    ) -> None:
        await shop.prove()
        stranger = RSAKey.generate_key(2048)
        minted.sign = lambda header, claims: jwt.encode(header, claims, stranger, ["RS256"])
        clock.advance(seconds=60)
        for _ in range(3):
            assert (await shop.refusal()).code is REFUSED
        assert (minted.count("/jwks"), minted.count("/.well-known/openid-configuration")) == (2, 2)

    async def test_an_algorithm_may_be_announced_later(
        self, shop: Shop, minted: MintingProvider, clock: MovableClock
    ) -> None:
        minted.announced = {"id_token_signing_alg_values_supported": ["RS256"]}
        await shop.prove()
        minted.announced = {"id_token_signing_alg_values_supported": ["ES256"]}
        minted.header = {"alg": "ES256", "kid": "key-ec"}
        assert (await shop.refusal()).code is REFUSED
        clock.advance(seconds=60)
        assert (await shop.prove()).subject == "ada"

    async def test_their_place_may_move(self, shop: Shop, minted: MintingProvider, clock: MovableClock) -> None:
        await shop.prove()
        minted.announced = {"jwks_uri": f"{minted.issuer}/keys"}
        minted.answers["/jwks"] = lambda handler: send(handler, {}, 404)
        minted.key = RSAKey.generate_key(2048, {"kid": "key-2"})
        minted.header = {"kid": "key-2"}
        serve_keys(minted, minted.key, path="/keys")
        clock.advance(seconds=60)
        assert (await shop.prove()).subject == "ada"

    async def test_a_key_without_name_serves_a_token_that_names_one(self, shop: Shop, minted: MintingProvider) -> None:
        serve_keys(minted, minted.elliptic_key, minted.key, kid=None)
        assert (await shop.prove()).subject == "ada"

    async def test_a_token_without_name_is_tried_with_all(self, shop: Shop, minted: MintingProvider) -> None:
        serve_keys(minted, RSAKey.generate_key(2048, {"kid": "older"}), minted.key)
        minted.sign = lambda _, claims: jwt.encode({"alg": "RS256"}, claims, minted.key, ["RS256"])
        assert (await shop.prove()).subject == "ada"

    async def test_two_keys_of_one_name_are_both_tried(self, shop: Shop, minted: MintingProvider) -> None:
        serve_keys(minted, RSAKey.generate_key(2048, {"kid": "key-1"}), minted.key)
        assert (await shop.prove()).subject == "ada"

    async def test_how_long_they_are_taken_as_they_are_is_the_shops_word(
        self, shop: Shop, minted: MintingProvider, clock: MovableClock
    ) -> None:
        shop._tenant = shop._tenant.model_copy(update={"social_keys_seconds": 120})
        await shop.prove()
        clock.advance(seconds=119)
        await shop.prove()
        assert minted.count("/jwks") == 1
        clock.advance(seconds=1)
        await shop.prove()
        assert minted.count("/jwks") == 2


class TestKeysThatCannotBeFetched:
    DEAD: tuple[Answer, ...] = (
        lambda handler: send(handler, {}, 503),
        lambda handler: send(handler, b"garbage"),
        lambda handler: send(handler, {"error": "none"}),
    )

    @pytest.mark.parametrize("answer", DEAD, ids=["503", "garbage", "no-keys"])
    @pytest.mark.parametrize("path", ["/jwks", "/.well-known/openid-configuration"])
    async def test_serve_on_for_a_day_and_no_longer(
        self, shop: Shop, minted: MintingProvider, clock: MovableClock, path: str, answer: Answer
    ) -> None:
        await shop.prove()
        minted.answers[path] = answer
        clock.advance(hours=23, minutes=59)
        assert (await shop.prove()).subject == "ada"
        clock.advance(minutes=1)
        assert (await shop.refusal()).code is UNAVAILABLE

    async def test_are_asked_for_once_a_minute(self, shop: Shop, minted: MintingProvider, clock: MovableClock) -> None:
        await shop.prove()
        minted.answers["/jwks"] = self.DEAD[0]
        clock.advance(hours=1)
        for _ in range(3):
            await shop.prove()
        assert minted.count("/jwks") == 2
        clock.advance(seconds=60)
        await shop.prove()
        assert minted.count("/jwks") == 3

    @pytest.mark.parametrize("path", ["/jwks", "/.well-known/openid-configuration"])
    async def test_serve_on_while_the_endpoint_hangs(
        self, providers: SocialProviders, minted: MintingProvider, clock: MovableClock, path: str
    ) -> None:
        shop = Shop(providers, minted, seconds=8)
        await shop.prove()
        minted.answers[path] = minted.hang
        clock.advance(hours=1)
        assert (await shop.prove()).subject == "ada"

    async def test_are_taken_again_when_the_endpoint_is_back(
        self, shop: Shop, minted: MintingProvider, clock: MovableClock
    ) -> None:
        await shop.prove()
        minted.answers["/jwks"] = self.DEAD[0]
        clock.advance(hours=1)
        await shop.prove()
        del minted.answers["/jwks"]
        minted.key = RSAKey.generate_key(2048, {"kid": "key-1"})
        clock.advance(seconds=60)
        assert (await shop.prove()).subject == "ada"


class TestEdwardsCurves:
    @pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
    @pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
    async def test_sign_by_both_names_with_a_hash_of_the_access_token(
        self, shop: Shop, minted: MintingProvider, algorithm: str
    ) -> None:
        key = OKPKey.generate_key("Ed25519", {"kid": "key-ed"})
        serve_keys(minted, minted.key, key)
        minted.announced = {"id_token_signing_alg_values_supported": [algorithm]}
        minted.header = {"alg": algorithm, "kid": "key-ed"}
        minted.sign = lambda header, claims: jwt.encode(header, claims, key, [algorithm])
        half = urlsafe_b64encode(sha512(b"at-1").digest()[:32]).rstrip(b"=").decode()
        minted.claims = {"at_hash": half}
        assert (await shop.prove()).subject == "ada"
        minted.claims = {"at_hash": half[::-1]}
        assert (await shop.refusal()).code is REFUSED


def token_request(minted: MintingProvider) -> tuple[dict[str, str], dict[str, list[str]]]:
    ((_, headers, form),) = [request for request in minted.requests if request[0] == "/token"]
    return dict(headers), form


class TestAuthentication:
    async def test_basic_is_form_encoded_first(self, providers: SocialProviders, minted: MintingProvider) -> None:
        client_id, secret = "shop:web/ä", "a b:c+d%e&ü"
        minted.claims = {"aud": client_id}
        await Shop(providers, minted, client_id=client_id, client_secret=secret).prove()
        headers, form = token_request(minted)
        told = b64decode(headers["Authorization"].removeprefix("Basic ")).decode("ascii")
        assert told == "shop%3Aweb%2F%C3%A4:a+b%3Ac%2Bd%25e%26%C3%BC"
        assert tuple(map(unquote_plus, told.split(":"))) == (client_id, secret)
        assert "client_secret" not in form

    async def test_post_goes_before_what_the_provider_announces_where_the_shop_says_it(
        self, providers: SocialProviders, minted: MintingProvider
    ) -> None:
        await Shop(providers, minted, token_endpoint_auth_method="client_secret_post").prove()
        headers, form = token_request(minted)
        assert (form["client_id"], form["client_secret"]) == ([CLIENT_ID], [CLIENT_SECRET])
        assert "Authorization" not in headers

    async def test_none_sends_the_id_and_no_secret(self, providers: SocialProviders, minted: MintingProvider) -> None:
        await Shop(providers, minted, token_endpoint_auth_method="none", client_secret=None).prove()
        headers, form = token_request(minted)
        assert (form["client_id"], form["code_verifier"]) == ([CLIENT_ID], [VERIFIER])
        assert "client_secret" not in form
        assert "Authorization" not in headers

    @pytest.mark.parametrize(
        ("algorithm", "key"),
        [
            ("ES256", ECKey.generate_key("P-256")),
            ("ES384", ECKey.generate_key("P-384")),
            ("RS256", RSAKey.generate_key(2048)),
            ("PS256", RSAKey.generate_key(2048)),
            ("Ed25519", OKPKey.generate_key("Ed25519")),
        ],
        ids=["ES256", "ES384", "RS256", "PS256", "Ed25519"],
    )
    async def test_an_assertion_is_signed_for_the_token_endpoint_and_good_once(
        self,
        providers: SocialProviders,
        minted: MintingProvider,
        clock: MovableClock,
        algorithm: str,
        key: RSAKey | ECKey | OKPKey,
    ) -> None:
        signing = {"key_id": "k1", "algorithm": algorithm, "private_key": key.as_pem(private=True).decode()}
        shop = Shop(
            providers, minted, client_secret=None, signing=signing, token_endpoint_auth_method="private_key_jwt"
        )
        await shop.prove()
        _, form = token_request(minted)
        assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
        told = jwt.decode(form["client_assertion"][0], key, [algorithm])
        now = int(clock.now().timestamp())
        assert (told.header["alg"], told.header["kid"]) == (algorithm, "k1")
        assert (told.claims["iss"], told.claims["sub"]) == (CLIENT_ID, CLIENT_ID)
        assert (told.claims["aud"], told.claims["iat"], told.claims["exp"]) == (
            f"{minted.issuer}/token",
            now,
            now + 300,
        )
        minted.requests.clear()
        await shop.prove()
        again = jwt.decode(token_request(minted)[1]["client_assertion"][0], key, [algorithm])
        assert again.claims["jti"] != told.claims["jti"]


@pytest.fixture
def asking(providers: SocialProviders, minted: MintingProvider) -> Shop:
    """Return a shop that asks the userinfo endpoint, as the id token leaves open whether its address is verified."""
    minted.claims = {"email_verified": None}
    minted.userinfo = {"email": "ada@example.com", "email_verified": True}
    return Shop(providers, minted, trusted_email_domains=["example.com"])


class TestUserinfo:
    @pytest.mark.parametrize(
        "answer",
        [
            lambda handler: send(handler, {}, 401),
            lambda handler: send(handler, {}, 403),
            lambda handler: send(handler, {}, 500),
            lambda handler: send(handler, b"garbage"),
            lambda handler: send(handler, {"sub": "eve", "email": "eve@example.com", "email_verified": True}),
            lambda handler: send_as(handler, "application/jwt", b"a.b.c"),
            lambda handler: send_as(handler, "application/jwt", "ä".encode()),
        ],
        ids=["401", "403", "500", "garbage", "other-sub", "bad-jwt", "no-jwt"],
    )
    async def test_of_no_use_is_left_aside_where_the_id_token_suffices(
        self, asking: Shop, minted: MintingProvider, answer: Answer
    ) -> None:
        minted.answers["/userinfo"] = answer
        proof = await asking.prove()
        assert (proof.subject, proof.email, proof.email_verified) == ("ada", "ada@example.com", False)

    async def test_may_be_a_signed_token(self, asking: Shop, minted: MintingProvider) -> None:
        claims = {"sub": "ada", "aud": CLIENT_ID, "iss": minted.issuer, **minted.userinfo}
        serve_signed(minted, claims, minted.key)
        assert (await asking.prove()).email_verified is True

    @pytest.mark.parametrize("changes", [{"aud": "another"}, {"iss": "https://evil.example"}, {"sub": "eve"}], ids=str)
    async def test_signed_for_somebody_else_proves_nothing(
        self, asking: Shop, minted: MintingProvider, changes: dict[str, str]
    ) -> None:
        claims = {"sub": "ada", "aud": CLIENT_ID, "iss": minted.issuer, **minted.userinfo, **changes}
        serve_signed(minted, claims, minted.key)
        assert (await asking.prove()).email_verified is False

    async def test_signed_by_somebody_else_proves_nothing(self, asking: Shop, minted: MintingProvider) -> None:
        serve_signed(minted, {"sub": "ada", **minted.userinfo}, RSAKey.generate_key(2048))
        assert (await asking.prove()).email_verified is False

    async def test_may_be_a_form_whose_words_are_no_json_true(self, asking: Shop, minted: MintingProvider) -> None:
        minted.claims = {"email": None}
        body = urlencode({"sub": "ada", "email": "ada@example.com", "email_verified": "true"}).encode()
        minted.answers["/userinfo"] = lambda handler: send_as(handler, "application/x-www-form-urlencoded", body)
        proof = await asking.prove()
        assert (proof.email, proof.email_verified) == ("ada@example.com", False)

    async def test_may_be_compressed_though_we_ask_it_not_to(self, asking: Shop, minted: MintingProvider) -> None:
        body = gzip.compress(b'{"sub": "ada", "email": "ada@example.com", "email_verified": true}')
        minted.answers["/userinfo"] = lambda handler: send(handler, body, Content_Encoding="gzip")
        assert (await asking.prove()).email_verified is True

    @pytest.mark.parametrize(
        "body",
        [
            gzip.compress(b'{"sub": "ada", "email": "ada@example.com", "x": "' + b"x" * 1_000_000 + b'"}'),
            gzip.compress(b'{"sub": "ada"}')[:-4],
            gzip.compress(b'{"sub": "ada"}') + b"more",
        ],
        ids=["bomb", "cut", "more"],
    )
    async def test_that_unpacks_to_too_much_or_is_not_whole_is_of_no_use(
        self, asking: Shop, minted: MintingProvider, body: bytes
    ) -> None:
        minted.claims = {"email": None}
        minted.answers["/userinfo"] = lambda handler: send(handler, body, Content_Encoding="gzip")
        assert (await asking.refusal()).code is UNAVAILABLE

    async def test_verifies_the_address_that_comes_from_there(self, asking: Shop, minted: MintingProvider) -> None:
        minted.claims = {"email": None, "email_verified": None}
        assert (await asking.prove()).email_verified is True


def send_as(handler: BaseHTTPRequestHandler, media_type: str, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", media_type)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def serve_signed(minted: MintingProvider, claims: dict[str, Any], key: RSAKey) -> None:
    token = jwt.encode({"alg": "RS256", "kid": "key-1"}, claims, key, ["RS256"]).encode()
    minted.answers["/userinfo"] = lambda handler: send_as(handler, "application/jwt; charset=utf-8", token)


class TestRefusals:
    async def test_reach_the_client_in_the_providers_words(self, shop: Shop, minted: MintingProvider) -> None:
        answer = {"error": "access_denied", "error_description": "The person\nsaid no.\u202e" + "x" * 500}
        minted.answers["/token"] = lambda handler: send(handler, answer, 400)
        message = (await shop.refusal()).message
        told = "The person said no." + "x" * 500
        assert message.endswith(f" It says: access_denied: {told[:400]}")

    @pytest.mark.parametrize("description", [None, 5, {"no": "text"}, ""])
    async def test_without_description_reach_it_too(
        self, shop: Shop, minted: MintingProvider, description: object
    ) -> None:
        answer = {"error": "invalid_grant", "error_description": description}
        minted.answers["/token"] = lambda handler: send(handler, answer, 400)
        assert (await shop.refusal()).message.endswith(" It says: invalid_grant")

    async def test_of_a_wrong_issuer_are_logged_with_both(
        self, shop: Shop, minted: MintingProvider, caplog: pytest.LogCaptureFixture
    ) -> None:
        minted.claims = {"iss": "https://evil.example"}
        with caplog.at_level(logging.WARNING):
            refusal = await shop.refusal()
            await shop.refusal("https://evil-redirect.example")
        causes = [str(record.__dict__.get("cause")) for record in caplog.records]
        assert [minted.issuer in cause and "https://evil" in cause for cause in causes] == [True, True]
        assert "evil" not in refusal.message

    async def test_of_a_wrong_discovery_document_are_logged_with_both(
        self, shop: Shop, minted: MintingProvider, caplog: pytest.LogCaptureFixture
    ) -> None:
        minted.announced = {"issuer": "https://evil.example"}
        with caplog.at_level(logging.WARNING):
            await shop.refusal()
        (cause,) = [str(record.__dict__.get("cause")) for record in caplog.records]
        assert minted.issuer in cause
        assert "https://evil.example" in cause


class TestNames:
    @pytest.mark.parametrize(
        ("told", "taken"),
        [
            ("می\u200cنو", "می\u200cنو"),
            ("ක්\u200dෂ", "ක්\u200dෂ"),
            ("Jean\u00a0Luc", "Jean\u00a0Luc"),
            ("Ada\nKing", "Ada King"),
            ("Ada\u202eKing", "AdaKing"),
            ("Ada\x00", "Ada"),
            ("A" * 150, "A" * 100),
            ("e\u0301", "é"),
        ],
        ids=ascii,
    )
    async def test_are_kept_or_mapped_and_never_dropped(
        self, shop: Shop, minted: MintingProvider, told: str, taken: str
    ) -> None:
        minted.claims = {"given_name": told, "family_name": told}
        proof = await shop.prove()
        assert (proof.first_name, proof.last_name) == (taken, taken)

    @pytest.mark.parametrize("told", ["", " ", "\u200b", "\n", 5, ["Ada"]])
    async def test_that_show_nothing_are_none(self, shop: Shop, minted: MintingProvider, told: object) -> None:
        minted.claims = {"given_name": told}
        assert (await shop.prove()).first_name is None

    @pytest.mark.parametrize(
        ("whole", "first", "last"),
        [
            ("Ada King Lovelace", "Ada King", "Lovelace"),
            ("Ada", None, "Ada"),
            (" Ada  Lovelace ", "Ada", "Lovelace"),
            ("Ada van\u00a0Gogh", "Ada", "van\u00a0Gogh"),
        ],
    )
    async def test_of_one_piece_are_split_at_their_last_blank(
        self, shop: Shop, minted: MintingProvider, whole: str, first: str | None, last: str
    ) -> None:
        minted.claims = {"name": whole}
        proof = await shop.prove()
        assert (proof.first_name, proof.last_name) == (first, last)

    async def test_of_one_piece_give_way_to_the_parts(self, shop: Shop, minted: MintingProvider) -> None:
        minted.claims = {"name": "Countess of Lovelace", "given_name": "Ada"}
        proof = await shop.prove()
        assert (proof.first_name, proof.last_name) == ("Ada", None)


class TestClaimNames:
    async def test_may_be_paths(self, providers: SocialProviders, minted: MintingProvider) -> None:
        names = {
            "subject": "person.id",
            "email": "person.mail.address",
            "email_verified": "person.mail.ok",
            "first_name": "https://shop.example/first.name",
        }
        minted.claims = {
            "person": {"id": 7, "mail": {"address": "ada@example.net", "ok": True}},
            "https://shop.example/first.name": "Ada",
        }
        proof = await Shop(providers, minted, claim_names=names).prove()
        assert (proof.subject, proof.email, proof.email_verified) == ("7", "ada@example.net", True)
        assert proof.first_name == "Ada"

    async def test_that_lead_nowhere_find_nothing(self, providers: SocialProviders, minted: MintingProvider) -> None:
        minted.claims = {"person": ["Ada"], "email": None}
        proof = await Shop(providers, minted, claim_names={"first_name": "person.name", "email": "sub.mail"}).prove()
        assert (proof.first_name, proof.email) == (None, None)


class TestSubjects:
    @pytest.mark.parametrize(("told", "taken"), [(9007199254740993, "9007199254740993"), (0, "0"), ("007", "007")])
    async def test_of_an_id_token_may_be_whole_numbers(
        self, shop: Shop, minted: MintingProvider, told: object, taken: str
    ) -> None:
        minted.claims = {"sub": told}
        assert (await shop.prove()).subject == taken
