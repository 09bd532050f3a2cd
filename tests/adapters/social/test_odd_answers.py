"""Answers of providers that are odd: what can be understood is, and anything else is refused as what it is."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from joserfc import jws

from app.adapters.social.presets import fill_preset
from app.adapters.social.providers import SocialProviders
from app.domain.errors import Refused, UserErrorCode
from app.domain.social import AuthorizationGrant, SocialProof
from tests.adapters.social.conftest import NONCE, tenant_with
from tests.harness.provider_shapes import BIG, SHAPES
from tests.harness.social import CLIENT_ID, REDIRECT_URI, VERIFIER, MintingProvider, send

pytestmark = pytest.mark.anyio

REFUSED, UNAVAILABLE = UserErrorCode.PROVIDER_REFUSED, UserErrorCode.PROVIDER_UNAVAILABLE
TOKEN = {"access_token": "at-1", "token_type": "Bearer", "expires_in": 300}
FORM = "application/x-www-form-urlencoded"
LATIN = '{"id": 5, "name": "Zoë Köln"}'

Ask = Callable[[str], Any]


@pytest.fixture
def ask(providers: SocialProviders, minted: MintingProvider) -> Ask:
    """Return what logs in at one of the providers, with the answers that the test has set before."""

    async def prove(name: str) -> SocialProof:
        odd = minted.claims, minted.answers.copy(), minted.token
        SHAPES[name].serve(minted)
        minted.claims |= odd[0]
        minted.answers |= odd[1]
        minted.token |= odd[2]
        entry = SHAPES[name].entry(minted.issuer)
        fill_preset(entry)
        tenant = tenant_with(entry)
        grant = AuthorizationGrant("code-1", REDIRECT_URI, VERIFIER, NONCE)
        return await providers.prove(tenant, tenant.social[0], grant)

    return prove


async def refusal(ask: Ask, name: str) -> Refused:
    with pytest.raises(Refused) as caught:
        await ask(name)
    return caught.value


def answering(content: Any, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: send(handler, content, status, **headers)


class TestTokenEndpoint:
    @pytest.mark.parametrize(
        ("told", "expires_in"),
        [("3599", 3599), (3599.0, 3599), (-1, None), (True, None), ("soon", None), (10**12, None), ("9" * 10, None)],
        ids=str,
    )
    async def test_tells_the_lifetime_as_it_likes(
        self, ask: Ask, minted: MintingProvider, told: Any, expires_in: int | None
    ) -> None:
        minted.token = {"expires_in": told}
        assert (await ask("github")).tokens.expires_in == expires_in

    @pytest.mark.parametrize("token", ["ü", "a\nb", "a\0b", "", 5, "x" * 16_385])
    async def test_needs_an_access_token_that_a_header_can_carry(
        self, ask: Ask, minted: MintingProvider, token: Any
    ) -> None:
        minted.token = {"access_token": token}
        assert (await refusal(ask, "github")).code is UNAVAILABLE

    @pytest.mark.parametrize("error", [["invalid_grant"], 5, True, {"a": {"b": 1}}], ids=str)
    @pytest.mark.parametrize("status", [200, 400])
    async def test_names_an_error_that_is_no_text(
        self, ask: Ask, minted: MintingProvider, error: Any, status: int
    ) -> None:
        minted.answers["/token"] = answering({"error": error}, status)
        assert (await refusal(ask, "github")).code is (REFUSED if isinstance(error, dict) else UNAVAILABLE)

    async def test_describes_an_error_in_one_line(self, ask: Ask, minted: MintingProvider) -> None:
        told = "<b>No</b>\r\n\x1b[31m\u202e" + "z" * 1_000
        minted.answers["/token"] = answering({"error": "invalid_grant", "error_description": told}, 400)
        message = (await refusal(ask, "github")).message
        assert "It says: invalid_grant: <b>No</b>   [31mzzz" in message
        assert (message.isprintable(), message.count("z")) == (True, 400 - len("<b>No</b>   [31m"))

    @pytest.mark.parametrize(
        ("content", "content_type"),
        [
            (b"\xef\xbb\xbf" + json.dumps(TOKEN).encode(), "application/json"),
            (json.dumps(TOKEN).encode("utf-16"), "application/json; charset=utf-16"),
            (json.dumps(TOKEN).encode(), "text/html"),
            (json.dumps(TOKEN).encode(), "application/json; charset=nonsense"),
            (b"access_token=at-1&expires_in=300", f"{FORM}; charset=utf-8"),
            (b"\xef\xbb\xbfaccess_token=at-1&expires_in=300", FORM),
        ],
    )
    async def test_may_write_its_answer_in_any_of_these_ways(
        self, ask: Ask, minted: MintingProvider, content: bytes, content_type: str
    ) -> None:
        minted.answers["/token"] = answering(content, Content_Type=content_type)
        tokens = (await ask("github")).tokens
        assert (tokens.access_token, tokens.expires_in) == ("at-1", 300)


class TestUserinfo:
    @pytest.mark.parametrize("charset", ["ISO-8859-1", '"windows-1252"'])
    async def test_is_read_in_the_charset_that_it_names(self, ask: Ask, minted: MintingProvider, charset: str) -> None:
        content = LATIN.encode("latin-1")
        minted.answers["/userinfo"] = answering(content, Content_Type=f"application/json; charset={charset}")
        proof = await ask("github")
        assert (proof.first_name, proof.last_name) == ("Zoë", "Köln")

    @pytest.mark.parametrize(
        ("content", "headers"),
        [
            (LATIN.encode("latin-1"), {}),
            (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, {}),
            (b'{"id":' + b"9" * 5_000 + b"}", {}),
            (gzip.compress(b'{"id": 5, "x": "' + b"x" * 5_000_000 + b'"}'), {"Content_Encoding": "gzip"}),
            (b"{}", {"Content_Encoding": "br"}),
        ],
        ids=["latin", "deep", "digits", "bomb", "br"],
    )
    async def test_is_none_that_cannot_be_read(
        self, ask: Ask, minted: MintingProvider, content: bytes, headers: dict[str, Any]
    ) -> None:
        minted.answers["/userinfo"] = answering(content, **headers)
        assert (await refusal(ask, "github")).code is UNAVAILABLE

    @pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
    async def test_may_be_packed(self, ask: Ask, minted: MintingProvider, encoding: str) -> None:
        packed = gzip.compress(b'{"id": %d}' % BIG)
        minted.answers["/userinfo"] = answering(packed, Content_Encoding=encoding)
        assert (await ask("github")).subject == str(BIG)

    @pytest.mark.parametrize("status", [200, 400])
    async def test_of_tiktok_says_in_its_envelope_what_is_wrong(
        self, ask: Ask, minted: MintingProvider, status: int
    ) -> None:
        error = {"code": "access_token_invalid", "message": "The access token is invalid.", "log_id": "1"}
        minted.answers["/userinfo"] = answering({"data": {"user": {"open_id": "x"}}, "error": error}, status)
        refused = await refusal(ask, "tiktok")
        if status == 200:
            assert refused.code is REFUSED
            assert "access_token_invalid: The access token is invalid." in refused.message
        else:
            assert refused.code is UNAVAILABLE

    @pytest.mark.parametrize("account", [None, [], "x", {"email": ["a@example.com"]}], ids=str)
    async def test_of_kakao_may_lack_what_is_within(self, ask: Ask, minted: MintingProvider, account: Any) -> None:
        minted.answers["/userinfo"] = answering({"id": BIG, "kakao_account": account})
        proof = await ask("kakao")
        assert (proof.subject, proof.email) == (str(BIG), None)

    @pytest.mark.parametrize(
        ("changes", "is_taken"),
        [({}, True), ({"exp": 99_999_999_999}, True), ({"exp": 5}, False), ({"exp": "never"}, False)],
        ids=str,
    )
    async def test_that_is_signed_is_good_until_it_says(
        self, ask: Ask, minted: MintingProvider, changes: dict[str, Any], is_taken: bool
    ) -> None:
        minted.claims = {"email": None}
        claims = {"sub": SHAPES["google"].subject, "aud": [CLIENT_ID], "email": "u@example.com", **changes}
        signed = minted.sign({"alg": "RS256", "kid": "key-1"}, claims)
        minted.answers["/userinfo"] = answering(signed.encode(), Content_Type="application/jwt; charset=utf-8")
        if is_taken:
            assert (await ask("google")).email == "u@example.com"
        else:
            assert (await refusal(ask, "google")).code is REFUSED


class TestIdToken:
    @pytest.mark.parametrize(
        "payload",
        [b"[]", b'"x"', b"null", b"\xff", b'{"a":' * 3_000 + b"1" + b"}" * 3_000, b'{"sub":' + b"9" * 5_000 + b"}"],
        ids=["list", "text", "null", "bytes", "deep", "digits"],
    )
    async def test_holds_an_object(self, ask: Ask, minted: MintingProvider, payload: bytes) -> None:
        key = minted.key
        minted.sign = lambda *_: jws.serialize_compact({"alg": "RS256", "kid": "key-1"}, payload, key)
        assert (await refusal(ask, "google")).code is REFUSED

    @pytest.mark.parametrize("token", ["a.b.c.d.e", "ü.ü.ü", "..", "x" * 40_000])
    async def test_is_a_token_at_all(self, ask: Ask, minted: MintingProvider, token: str) -> None:
        minted.token = {"id_token": token}
        assert (await refusal(ask, "google")).code is REFUSED

    async def test_has_a_subject_of_any_number_of_digits(self, ask: Ask, minted: MintingProvider) -> None:
        minted.claims = {"sub": BIG}
        assert (await ask("google")).subject == str(BIG)

    @pytest.mark.parametrize("told", ["true", 1, "1", [True]], ids=str)
    async def test_says_true_and_nothing_else_about_an_address(
        self, ask: Ask, minted: MintingProvider, told: Any
    ) -> None:
        minted.claims = {"email_verified": told}
        assert (await ask("google")).email_verified is False

    @pytest.mark.parametrize(
        "claims", [{"amr": "pwd"}, {"amr": 5}, {"auth_time": "2026-11-30T12:00:00Z"}, {"auth_time": True}, {"jti": 5}]
    )
    async def test_may_write_what_nobody_has_asked_for_in_its_own_form(
        self, ask: Ask, minted: MintingProvider, claims: dict[str, Any]
    ) -> None:
        minted.claims = claims
        proof = await ask("google")
        assert (proof.subject, proof.authenticated_at) == (SHAPES["google"].subject, None)

    async def test_of_google_may_leave_the_scheme_of_its_issuer_out(self, ask: Ask, minted: MintingProvider) -> None:
        bare = minted.issuer.removeprefix("http://")
        minted.claims = {"iss": bare}
        # It is the same person as with the scheme.
        assert (await ask("google")).issuer == minted.issuer
        assert (await refusal(ask, "linkedin")).code is REFUSED

    async def test_of_microsoft_is_refused_with_both_issuers_in_the_log(
        self, ask: Ask, minted: MintingProvider, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.WARNING)
        minted.claims = {"tid": "elsewhere", "iss": "https://elsewhere.example"}
        assert (await refusal(ask, "microsoft")).code is REFUSED
        (cause,) = [vars(record)["cause"] for record in caplog.records]
        assert "https://elsewhere.example" in cause
        assert f"{minted.issuer}/common/v2.0" in cause


class TestKeys:
    async def test_that_cannot_be_used_leave_the_others_good(self, ask: Ask, minted: MintingProvider) -> None:
        odd = [5, {}, {"kty": ["RSA"]}, {"kty": "RSA", "kid": 5, "n": 5}, {"kty": "EC", "crv": "x"}, {"kty": "oct"}]
        minted.answers["/jwks"] = answering({"keys": [*odd, minted.key.as_dict(private=False)]})
        assert (await ask("google")).subject == SHAPES["google"].subject

    async def test_may_have_null_for_what_they_leave_out(self, ask: Ask, minted: MintingProvider) -> None:
        empty = dict.fromkeys(("use", "alg", "key_ops", "x5c", "x5t", "x5u"))
        minted.answers["/jwks"] = answering({"keys": [{**minted.key.as_dict(private=False), **empty}]})
        assert (await ask("google")).subject == SHAPES["google"].subject

    @pytest.mark.parametrize("changes", [{"alg": "RS512"}, {"alg": "RSA-OAEP"}, {"key_ops": ["encrypt"]}], ids=str)
    async def test_for_something_else_leave_one_of_the_same_name_good(
        self, ask: Ask, minted: MintingProvider, changes: dict[str, Any]
    ) -> None:
        key = minted.key.as_dict(private=False)
        minted.answers["/jwks"] = answering({"keys": [{**key, **changes}, {**key, "alg": "RS256"}]})
        assert (await ask("google")).subject == SHAPES["google"].subject

    async def test_for_something_else_alone_prove_nothing(self, ask: Ask, minted: MintingProvider) -> None:
        minted.answers["/jwks"] = answering({"keys": [{**minted.key.as_dict(private=False), "alg": "RS512"}]})
        assert (await refusal(ask, "google")).code is REFUSED

    @pytest.mark.parametrize("coding", ["", "UTF-8", "none"])
    async def test_may_come_with_a_coding_that_is_none(self, ask: Ask, minted: MintingProvider, coding: str) -> None:
        keys = {"keys": [minted.key.as_dict(private=False)]}
        minted.answers["/jwks"] = answering(keys, Content_Encoding=coding)
        assert (await ask("google")).subject == SHAPES["google"].subject
