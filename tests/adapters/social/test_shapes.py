"""The well-known providers, each with the answers of its documentation: who the person is, and what is refused."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.adapters.social.presets import PRESETS, fill_preset
from app.adapters.social.providers import SocialProviders
from app.domain.errors import Refused, UserErrorCode
from app.domain.social import AuthorizationGrant, AuthorizationRequest, NativeGrant, SocialProof
from tests.adapters.social.conftest import NONCE, tenant_with
from tests.fakes import MovableClock
from tests.harness.provider_shapes import BIG, DIRECTORY, SHAPES, Shape, microsoft
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

pytestmark = pytest.mark.anyio

REFUSED, UNAVAILABLE = UserErrorCode.PROVIDER_REFUSED, UserErrorCode.PROVIDER_UNAVAILABLE
OPENID = [name for name, shape in SHAPES.items() if shape.is_openid]
ANSWERED = [name for name, shape in SHAPES.items() if not shape.is_openid]


class Visit:
    """Somebody at one of the providers."""

    def __init__(self, social: SocialProviders, minted: MintingProvider, shape: Shape, **changes: Any) -> None:
        self.shape = shape
        self.minted = minted
        self._social = social
        shape.serve(minted)
        if shape.path:
            minted.claims["iss"] = microsoft(DIRECTORY, minted.issuer)
        if shape.secret_signs:
            minted.sign = lambda _, claims: signed_with_secret(claims)
        entry = {**shape.entry(minted.issuer), **changes}
        fill_preset(entry)
        self._tenant = tenant_with(entry)
        (self.provider,) = self._tenant.social

    async def url(self, **changes: Any) -> dict[str, str]:
        """Return what the person is sent there with."""
        request = AuthorizationRequest(REDIRECT_URI, "state", NONCE, challenge_of(VERIFIER), **changes)
        return query_of(await self._social.authorization_url(self._tenant, self.provider, request))

    async def prove(self, iss: str | None = None, **changes: Any) -> SocialProof:
        """Trade a code."""
        grant = AuthorizationGrant("code-1", REDIRECT_URI, VERIFIER, NONCE, iss, **changes)
        return await self._social.prove(self._tenant, self.provider, grant)

    async def revoke(self, token: str) -> None:
        """Hand a refresh token back."""
        await self._social.revoke(self._tenant, self.provider, token)

    async def prove_natively(self) -> SocialProof:
        """Bring an id token of an app."""
        return await self._social.prove_natively(
            self._tenant, self.provider, NativeGrant(self.minted.id_token(), NONCE)
        )

    async def refusal(self, iss: str | None = None) -> Refused:
        """Return how the code is refused."""
        with pytest.raises(Refused) as caught:
            await self.prove(iss)
        return caught.value

    @property
    def traded(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        """Headers and form of the one request to the token endpoint."""
        ((_, headers, form),) = [request for request in self.minted.requests if request[0] == "/token"]
        return dict(headers), form


@pytest.fixture
def visit(providers: SocialProviders, minted: MintingProvider) -> Callable[..., Visit]:
    return lambda name, **changes: Visit(providers, minted, SHAPES[name], **changes)


def signed_with_secret(claims: dict[str, Any], secret: str = CLIENT_SECRET) -> str:
    def encode(content: bytes) -> str:
        return urlsafe_b64encode(content).rstrip(b"=").decode()

    signed = f"{encode(json.dumps({'alg': 'HS256', 'typ': 'JWT'}).encode())}.{encode(json.dumps(claims).encode())}"
    return f"{signed}.{encode(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def test_every_preset_with_an_issuer_has_a_shape() -> None:
    assert SHAPES.keys() == {name for name, preset in PRESETS.items() if "issuer" in preset}


@pytest.mark.parametrize("name", SHAPES)
class TestEveryProvider:
    async def test_tells_who_the_person_is(self, visit: Callable[..., Visit], name: str) -> None:
        shape = SHAPES[name]
        proof = await visit(name).prove()
        assert (proof.subject, proof.email, proof.email_verified) == (shape.subject, shape.email, shape.verified)
        assert (proof.email_trusted, (proof.first_name, proof.last_name)) == (shape.trusted, shape.names)

    async def test_gets_our_id_and_our_secret(self, visit: Callable[..., Visit], name: str) -> None:
        there = visit(name)
        await there.prove()
        headers, form = there.traded
        parameter = "client_key" if name == "tiktok" else "client_id"
        assert ("Authorization" in headers) != (form.get("client_secret") == [CLIENT_SECRET])
        assert (await there.url())[parameter] == CLIENT_ID
        assert form.get("code_verifier") == (None if name == "linkedin" else [VERIFIER])

    async def test_refuses_a_code_and_its_words_reach_the_client(self, visit: Callable[..., Visit], name: str) -> None:
        there = visit(name)
        status, answer = SHAPES[name].refusal
        there.minted.answers["/token"] = lambda handler: send(handler, answer, status)
        refusal = await there.refusal()
        assert refusal.code is REFUSED
        error = answer["error"]["type"] if isinstance(answer["error"], dict) else answer["error"]
        assert refusal.message.endswith(f" It says: {error}: Bad code")

    async def test_is_not_believed_when_the_redirect_is_anothers(self, visit: Callable[..., Visit], name: str) -> None:
        there = visit(name)
        assert (await there.refusal("https://evil.example")).code is REFUSED
        assert there.minted.codes == []

    @pytest.mark.parametrize(
        "answer",
        [
            lambda handler: send(handler, {}, 500),
            lambda handler: send(handler, b"garbage"),
            lambda handler: send(handler, b"[]"),
            lambda handler: send(handler, b'{"x": "' + b"x" * 70_000 + b'"}'),
            lambda handler: send(handler, {}, 302, Location="http://127.0.0.1:1/elsewhere"),
            lambda handler: send(handler, {"token_type": "Bearer"}),
        ],
        ids=["500", "garbage", "list", "huge", "redirect", "no-token"],
    )
    async def test_is_unavailable_when_it_answers_nothing_of_use(
        self, visit: Callable[..., Visit], name: str, answer: Callable[[BaseHTTPRequestHandler], None]
    ) -> None:
        there = visit(name)
        there.minted.answers["/token"] = answer
        assert (await there.refusal()).code is UNAVAILABLE


@pytest.mark.parametrize("name", ["kakao", "facebook"])
async def test_an_id_token_that_the_shop_asks_for_has_the_names_of_the_standard(
    visit: Callable[..., Visit], minted: MintingProvider, name: str
) -> None:
    there = visit(name, scopes=["openid", "email"], jwks_uri=f"{minted.issuer}/jwks")
    minted.token, minted.claims = {}, {"sub": SHAPES[name].subject, "email": "ada@example.com", "email_verified": None}
    proof = await there.prove()
    assert (proof.subject, proof.email, proof.email_verified) == (SHAPES[name].subject, "ada@example.com", False)


@pytest.mark.parametrize("name", ["line", "linkedin"])
async def test_our_secret_is_in_the_form_where_the_discovery_document_says_nothing_and_nothing_else_is_read(
    visit: Callable[..., Visit], name: str
) -> None:
    there = visit(name)
    await there.prove()
    headers, form = there.traded
    assert ("Authorization" in headers, form["client_secret"]) == (False, [CLIENT_SECRET])


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.revokes])
class TestEveryProviderThatRevokes:
    async def test_gets_its_refresh_token_back_as_a_code_is_traded(
        self, visit: Callable[..., Visit], minted: MintingProvider, name: str
    ) -> None:
        there = visit(name)
        token = (await there.prove()).refresh_token
        assert token is not None
        assert token == SHAPES[name].token["refresh_token"]
        await there.revoke(token)
        (_, traded_headers, traded), (_, headers, form) = [
            each for each in minted.requests if each[0] in {"/token", "/revoke"}
        ]
        assert (form["token"], form["token_type_hint"]) == ([token], ["refresh_token"])
        for part in ("client_id", "client_secret"):
            assert form.get(part) == traded.get(part)
        assert headers.get("Authorization") == traded_headers.get("Authorization")

    @pytest.mark.parametrize("error", ["invalid_grant", "invalid_token", "unsupported_token_type"])
    async def test_may_say_that_there_is_nothing_to_revoke(
        self, visit: Callable[..., Visit], minted: MintingProvider, name: str, error: str
    ) -> None:
        there = visit(name)
        minted.answers["/revoke"] = lambda handler: send(handler, {"error": error}, 400)
        await there.revoke("long-gone")
        assert minted.revoked == ["long-gone"]

    @pytest.mark.parametrize(
        "answer",
        [
            lambda handler: send(handler, {}, 500),
            lambda handler: send(handler, {"error": "invalid_token"}, 503),
            lambda handler: send(handler, {"error": "invalid_client"}, 400),
            lambda handler: send(handler, b"garbage", 400),
            lambda handler: send(handler, {"error": ["invalid_token"]}, 400),
            lambda handler: send(handler, {}, 302, Location="http://127.0.0.1:1/elsewhere"),
        ],
        ids=["500", "503", "client", "garbage", "list", "redirect"],
    )
    async def test_has_not_done_it_when_it_says_anything_else(
        self,
        visit: Callable[..., Visit],
        minted: MintingProvider,
        name: str,
        answer: Callable[[BaseHTTPRequestHandler], None],
    ) -> None:
        there = visit(name)
        minted.answers["/revoke"] = answer
        with pytest.raises(OSError, match=r"answers [45]|redirects"):
            await there.revoke("token")


async def test_a_refresh_token_that_nobody_can_revoke_is_not_kept(
    visit: Callable[..., Visit], minted: MintingProvider
) -> None:
    there = visit("google")
    minted.token = {"refresh_token": "1//0g-token"}
    assert (await there.prove()).refresh_token is None


class TestMaxAge:
    @pytest.mark.parametrize(
        ("ago", "is_taken"),
        [
            (0, True),
            (3600, True),
            (3660, True),
            (3661, False),
            (-60, True),
            (-62, False),
            (3599.5, True),
            (None, False),
            ("now", False),
            (True, False),
        ],
    )
    async def test_is_checked_where_it_was_asked_for(
        self, visit: Callable[..., Visit], clock: MovableClock, ago: Any, is_taken: bool
    ) -> None:
        there, now = visit("google"), int(clock.now().timestamp())
        there.minted.claims["auth_time"] = now - ago if type(ago) in (int, float) else ago
        if is_taken:
            assert (await there.prove(max_age=3600, asked_at=now)).subject == SHAPES["google"].subject
        else:
            with pytest.raises(Refused) as caught:
                await there.prove(max_age=3600, asked_at=now)
            assert caught.value.code is REFUSED

    async def test_counts_until_we_asked(self, visit: Callable[..., Visit], clock: MovableClock) -> None:
        there, asked_at = visit("google"), int(clock.now().timestamp())
        there.minted.claims["auth_time"] = asked_at
        clock.advance(minutes=9)
        assert (await there.prove(max_age=0, asked_at=asked_at)).authenticated_at == asked_at

    @pytest.mark.parametrize("told", [None, 5])
    async def test_is_nobodys_business_else(self, visit: Callable[..., Visit], told: object) -> None:
        there = visit("google")
        there.minted.claims["auth_time"] = told
        assert (await there.prove()).subject == SHAPES["google"].subject


@pytest.mark.parametrize("name", OPENID)
class TestEveryIdToken:
    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "https://evil.example"},
            {"iss": None},
            {"aud": "another-client"},
            {"aud": [CLIENT_ID, "another-client"]},
            {"azp": "another-client"},
            {"nonce": "of-another-login"},
            {"exp": 1_000_000_000},
            {"exp": None},
            {"iat": 99_999_999_999},
            {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
            {"sub": None},
            {"sub": True},
            {"sub": 5.5},
            {"sub": {"id": 1}},
            {"sub": "x" * 256},
        ],
        ids=str,
    )
    async def test_that_says_something_else_is_refused(
        self, visit: Callable[..., Visit], name: str, claims: dict[str, Any]
    ) -> None:
        there = visit(name)
        there.minted.claims |= claims
        assert (await there.refusal()).code is REFUSED

    async def test_needs_the_nonce_that_we_have_sent(self, visit: Callable[..., Visit], name: str) -> None:
        there = visit(name)
        there.minted.claims["nonce"] = None
        if SHAPES[name].sends_nonce:
            assert (await there.refusal()).code is REFUSED
            assert (await there.url())["nonce"] == NONCE
        else:
            assert (await there.prove()).subject == SHAPES[name].subject
            assert "nonce" not in await there.url()

    async def test_of_a_stranger_is_refused(self, visit: Callable[..., Visit], name: str) -> None:
        there, stranger = visit(name), RSAKey.generate_key(2048)
        there.minted.sign = lambda header, claims: jwt.encode(header, claims, stranger, ["RS256"])
        assert (await there.refusal()).code is REFUSED

    async def test_without_signature_is_refused(self, visit: Callable[..., Visit], name: str) -> None:
        there = visit(name)
        there.minted.announced["id_token_signing_alg_values_supported"] = ["RS256", "none"]
        there.minted.sign = lambda _, claims: signed_with_secret(claims).rpartition(".")[0] + "."
        assert (await there.refusal()).code is REFUSED

    async def test_signed_with_our_secret_is_for_line_alone(self, visit: Callable[..., Visit], name: str) -> None:
        there = visit(name)
        there.minted.announced["id_token_signing_alg_values_supported"] = ["RS256", "HS256"]
        there.minted.sign = lambda _, claims: signed_with_secret(claims)
        if name == "line":
            assert (await there.prove()).subject == SHAPES[name].subject
            there.minted.sign = lambda _, claims: signed_with_secret(claims, "another-secret")
        assert (await there.refusal()).code is REFUSED

    async def test_of_an_app_is_taken(self, visit: Callable[..., Visit], name: str) -> None:
        there = visit(name)
        there.minted.claims["nonce"] = NONCE
        assert (await there.prove_natively()).subject == SHAPES[name].subject


@pytest.mark.parametrize("name", ANSWERED)
class TestEveryAnswerAboutThePerson:
    @pytest.mark.parametrize("subject", [None, "", True, 5.5, 1e3, {"id": 5}, [5], "x" * 256, "nul\0"], ids=repr)
    async def test_without_subject_is_refused(self, visit: Callable[..., Visit], name: str, subject: object) -> None:
        there = visit(name)
        answer = json.loads(json.dumps(SHAPES[name].userinfo))
        *within, last = there.provider.claim_names.subject.split(".")
        place = answer
        for each in within:
            place = place[each]
        place[last] = subject
        there.minted.answers["/userinfo"] = lambda handler: send(handler, answer)
        assert (await there.refusal()).code is REFUSED

    async def test_keeps_a_whole_number_to_the_last_digit(self, visit: Callable[..., Visit], name: str) -> None:
        there = visit(name, claim_names={"subject": "number"})
        there.minted.answers["/userinfo"] = lambda handler: send(handler, {"number": BIG})
        assert (await there.prove()).subject == "9007199254740993"

    @pytest.mark.parametrize("status", [401, 403, 500])
    async def test_that_fails_makes_it_unavailable(self, visit: Callable[..., Visit], name: str, status: int) -> None:
        there = visit(name)
        there.minted.answers["/userinfo"] = lambda handler: send(handler, {}, status)
        assert (await there.refusal()).code is UNAVAILABLE

    async def test_never_takes_the_place_of_an_id_token(self, visit: Callable[..., Visit], name: str) -> None:
        there = visit(name)
        assert not there.provider.is_openid
        assert "nonce" not in await there.url()


class TestMicrosoft:
    async def test_has_an_issuer_for_each_directory(self, visit: Callable[..., Visit], minted: MintingProvider) -> None:
        assert (await visit("microsoft").prove()).issuer == microsoft(DIRECTORY, minted.issuer)

    @pytest.mark.parametrize(
        "tid", [None, "", "common", "{tenantid}", 5, DIRECTORY[:-1], "9188040d-6c67-4c5b-b112-36a304b66dad"]
    )
    async def test_needs_the_directory_of_its_issuer(self, visit: Callable[..., Visit], tid: object) -> None:
        there = visit("microsoft")
        there.minted.claims["tid"] = tid
        assert (await there.refusal()).code is REFUSED

    async def test_the_template_itself_is_no_issuer(self, visit: Callable[..., Visit], minted: MintingProvider) -> None:
        there = visit("microsoft")
        there.minted.claims |= {"iss": microsoft("{tenantid}", minted.issuer), "tid": "{tenantid}"}
        assert (await there.refusal()).code is REFUSED

    @pytest.mark.parametrize(
        ("claims", "is_believed"),
        [
            ({"xms_edov": True}, True),
            ({"xms_edov": None, "email_verified": True}, False),
            ({"xms_edov": "true", "email_verified": True}, False),
            ({"xms_edov": 1}, False),
            ({"xms_edov": False}, False),
        ],
        ids=str,
    )
    async def test_proves_an_address_by_the_owner_of_its_domain_alone(
        self, visit: Callable[..., Visit], claims: dict[str, Any], is_believed: bool
    ) -> None:
        there = visit("microsoft")
        there.minted.claims |= claims
        proof = await there.prove()
        assert (proof.email_verified, proof.email_trusted) == (is_believed, is_believed)

    async def test_is_believed_about_a_directory_that_the_shop_trusts(self, visit: Callable[..., Visit]) -> None:
        there = visit("microsoft", trusted_tenants=[DIRECTORY])
        there.minted.claims["xms_edov"] = None
        assert (await there.prove()).email_trusted is True

    @pytest.mark.parametrize(
        ("path", "told"),
        [
            ("/organizations/v2.0", "{tenantid}"),
            ("/consumers/v2.0", "9188040d-6c67-4c5b-b112-36a304b66dad"),
            ("/shop.example/v2.0", DIRECTORY),
            (f"/{DIRECTORY}/v2.0", DIRECTORY),
        ],
    )
    async def test_may_be_asked_for_some_directories_only(
        self, providers: SocialProviders, minted: MintingProvider, path: str, told: str
    ) -> None:
        shape = _microsoft(path, told)
        there = Visit(providers, minted, shape)
        directory = DIRECTORY if "{" in told else told
        there.minted.claims |= {"tid": directory, "iss": microsoft(directory, minted.issuer)}
        assert (await there.prove()).issuer == microsoft(directory, minted.issuer)

    async def test_does_not_take_a_personal_account_for_an_organization(
        self, providers: SocialProviders, minted: MintingProvider
    ) -> None:
        there = Visit(providers, minted, _microsoft("/organizations/v2.0", "{tenantid}"))
        personal = "9188040d-6c67-4c5b-b112-36a304b66dad"
        there.minted.claims |= {"tid": personal, "iss": microsoft(personal, minted.issuer)}
        assert (await there.refusal()).code is REFUSED

    @pytest.mark.parametrize(
        ("path", "told"),
        [
            ("/common/v2.0", DIRECTORY),
            ("/consumers/v2.0", "{tenantid}"),
            (f"/{DIRECTORY}/v2.0", "{tenantid}"),
            (f"/{DIRECTORY}/v2.0", "9188040d-6c67-4c5b-b112-36a304b66dad"),
            ("/shop.example/v2.0", "{tenantid}"),
        ],
    )
    async def test_is_unavailable_when_its_document_names_another_directory(
        self, providers: SocialProviders, minted: MintingProvider, path: str, told: str
    ) -> None:
        assert (await Visit(providers, minted, _microsoft(path, told)).refusal()).code is UNAVAILABLE

    @pytest.mark.parametrize("name", [each for each in OPENID if each != "microsoft"])
    async def test_alone_has_a_template(self, visit: Callable[..., Visit], minted: MintingProvider, name: str) -> None:
        there = visit(name)
        minted.announced["issuer"] = microsoft("{tenantid}", minted.issuer)
        assert (await there.refusal()).code is UNAVAILABLE


def _microsoft(path: str, told: str) -> Shape:
    base = SHAPES["microsoft"]
    return Shape(
        base.preset,
        base.subject,
        base.email,
        verified=True,
        names=base.names,
        path=path,
        announced_issuer=lambda issuer: microsoft(told, issuer),
        claims=base.claims,
    )


class TestGoogle:
    @pytest.mark.parametrize(
        "claims",
        [{"hd": None}, {"hd": "other.example"}, {"hd": ""}, {"hd": True}, {"email_verified": False}],
        ids=str,
    )
    async def test_keeps_only_the_domain_of_its_workspace(
        self, visit: Callable[..., Visit], claims: dict[str, Any]
    ) -> None:
        there = visit("google")
        there.minted.claims |= claims
        assert (await there.prove()).email_trusted is False

    async def test_alone_keeps_a_domain_by_hd(self, visit: Callable[..., Visit]) -> None:
        there = visit("linkedin")
        there.minted.claims |= {"hd": "example.com"}
        assert (await there.prove()).email_trusted is False


class TestApple:
    @pytest.mark.parametrize("told", ["false", "True", "1", False, 1, None])
    async def test_says_true_as_text_and_nothing_else(self, visit: Callable[..., Visit], told: object) -> None:
        there = visit("apple")
        there.minted.claims["email_verified"] = told
        assert (await there.prove()).email_verified is False

    @pytest.mark.parametrize("name", ["google", "linkedin", "line"])
    async def test_alone_may_say_it_as_text(self, visit: Callable[..., Visit], name: str) -> None:
        there = visit(name)
        there.minted.claims["email_verified"] = "true"
        assert (await there.prove()).email_verified is False


class TestKakao:
    @pytest.mark.parametrize(
        "account",
        [
            {"is_email_valid": False, "is_email_verified": True},
            {"is_email_valid": True, "is_email_verified": False},
            {"is_email_verified": True},
            {"is_email_valid": True},
            {"is_email_valid": "true", "is_email_verified": True},
        ],
        ids=str,
    )
    async def test_proves_an_address_by_both_of_its_words(
        self, visit: Callable[..., Visit], account: dict[str, Any]
    ) -> None:
        there = visit("kakao")
        answer = {"id": 5, "kakao_account": {"email": "ada@example.com", **account}}
        there.minted.answers["/userinfo"] = lambda handler: send(handler, answer)
        assert (await there.prove()).email_verified is False


class TestGithub:
    @pytest.mark.parametrize(
        ("listed", "email", "is_verified"),
        [
            ([{"email": "a@example.com", "verified": False, "primary": True}], "a@example.com", False),
            ([{"email": "a@example.com", "verified": "true", "primary": True}], "a@example.com", False),
            (
                [
                    {"email": "a@example.com", "verified": False, "primary": True},
                    {"email": "b@example.com", "verified": True, "primary": False},
                ],
                "b@example.com",
                True,
            ),
            ([], None, False),
            ({}, None, False),
            ([5, {"verified": True}], None, False),
        ],
    )
    async def test_takes_the_primary_address_if_it_is_verified(
        self, visit: Callable[..., Visit], listed: Any, email: str | None, is_verified: bool
    ) -> None:
        there = visit("github")
        there.minted.answers["/emails"] = lambda handler: send(handler, listed)
        proof = await there.prove()
        assert (proof.email, proof.email_verified) == (email, is_verified)

    async def test_lets_those_in_who_do_not_show_their_addresses(self, visit: Callable[..., Visit]) -> None:
        there = visit("github")
        there.minted.answers["/emails"] = lambda handler: send(handler, {"message": "Not Found"}, 404)
        assert (await there.prove()).email is None


class TestIdTokensOfAppsWhereACodeBringsNone:
    @pytest.mark.parametrize("name", ["facebook", "kakao"])
    async def test_are_checked_with_the_keys_of_the_provider(
        self, visit: Callable[..., Visit], minted: MintingProvider, name: str
    ) -> None:
        there = visit(name, jwks_uri=f"{minted.issuer}/jwks")
        there.minted.claims = {"sub": "10224971234567890", "given_name": "Ada"}
        proof = await there.prove_natively()
        assert (proof.issuer, proof.subject) == (minted.issuer, "10224971234567890")
        assert (proof.email, proof.first_name) == ("ada@example.com", "Ada")


class TestParameters:
    async def test_are_those_of_the_file_and_then_those_of_the_call(self, visit: Callable[..., Visit]) -> None:
        there = visit("google", authorization_parameters={"prompt": "consent", "access_type": "offline"})
        sent = await there.url(parameters=(("prompt", "select_account"), ("login_hint", "ada & co@example.com")))
        assert (sent["prompt"], sent["access_type"]) == ("select_account", "offline")
        assert (sent["login_hint"], sent["state"]) == ("ada & co@example.com", "state")

    async def test_of_tiktok_are_separated_as_it_wants_them(self, visit: Callable[..., Visit]) -> None:
        there = visit("tiktok", scopes=["user.info.basic", "user.info.profile"])
        assert (await there.url())["scope"] == "user.info.basic,user.info.profile"
