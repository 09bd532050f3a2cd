"""The JWTs of clients count only when signed by the registered key, with an algorithm of that key's kind."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from app.adapters.keys.assertions import JoseAssertions

CLAIMS = {"iss": "backend", "jti": "1"}
EC = ECKey.generate_key("P-256", auto_kid=True)
RSA = RSAKey.generate_key(2048)
ED = OKPKey.generate_key("Ed25519")
SECRET = "a-secret-of-more-than-thirty-two-bytes"


def sign(key: Key, alg: str, **header: Any) -> str:
    return jwt.encode({"alg": alg, **header}, CLAIMS, key, registry=jws.JWSRegistry(algorithms=[alg]))


def public(key: Key, **changes: Any) -> str:
    return json.dumps({**key.as_dict(private=False), **changes})


def segment(content: Any) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


class TestVerify:
    @pytest.mark.parametrize(("key", "alg"), [(EC, "ES256"), (RSA, "RS256"), (RSA, "PS256"), (ED, "Ed25519")])
    def test_returns_the_claims_of_what_the_key_signed(self, key: Key, alg: str) -> None:
        assert JoseAssertions().verify(sign(key, alg), public(key)) == CLAIMS

    def test_takes_the_older_name_of_ed25519(self) -> None:
        with pytest.warns(SecurityWarning):
            token = sign(ED, "EdDSA")
        assert JoseAssertions().verify(token, public(ED)) == CLAIMS

    def test_refuses_another_key(self) -> None:
        assert JoseAssertions().verify(sign(ECKey.generate_key("P-256"), "ES256"), public(EC)) is None

    def test_refuses_a_changed_claim(self) -> None:
        header, _, signature = sign(EC, "ES256").split(".")
        assert JoseAssertions().verify(f"{header}.{segment({'iss': 'root'})}.{signature}", public(EC)) is None

    @pytest.mark.parametrize("name", ["none", "None", "NONE"])
    def test_refuses_what_nobody_signed(self, name: str) -> None:
        assert JoseAssertions().verify(f"{segment({'alg': name})}.{segment(CLAIMS)}.", public(EC)) is None

    @pytest.mark.parametrize("secret", [public(EC), EC.as_pem(private=False).decode()], ids=["jwk", "pem"])
    def test_refuses_the_public_key_as_the_secret_of_an_hmac(self, secret: str) -> None:
        signed = f"{segment({'alg': 'HS256'})}.{segment(CLAIMS)}"
        mac = urlsafe_b64encode(hmac.new(secret.encode(), signed.encode(), sha256).digest()).rstrip(b"=").decode()
        assert JoseAssertions().verify(f"{signed}.{mac}", public(EC)) is None

    @pytest.mark.parametrize("alg", ["RS384", "RS512", "PS384", "PS512"])
    def test_refuses_an_algorithm_that_is_not_on_the_list(self, alg: str) -> None:
        assert JoseAssertions().verify(sign(RSA, alg), public(RSA)) is None

    def test_refuses_another_curve(self) -> None:
        key = ECKey.generate_key("P-384")
        assert JoseAssertions().verify(sign(key, "ES384"), public(key)) is None

    def test_refuses_a_key_that_the_header_brings_along(self) -> None:
        own = ECKey.generate_key("P-256")
        token = sign(own, "ES256", jwk=own.as_dict(private=False))
        assert JoseAssertions().verify(token, public(EC)) is None

    def test_refuses_a_header_that_names_another_key(self) -> None:
        assert JoseAssertions().verify(sign(EC, "ES256", kid="another"), public(EC)) is None

    def test_refuses_a_key_that_is_meant_for_encryption(self) -> None:
        assert JoseAssertions().verify(sign(EC, "ES256"), public(EC, use="enc")) is None

    def test_refuses_a_short_rsa_key(self) -> None:
        with pytest.warns(SecurityWarning):
            key = RSAKey.generate_key(1024)
        with pytest.warns(SecurityWarning):
            verified = JoseAssertions().verify(sign(key, "RS256"), public(key))
        assert verified is None

    @pytest.mark.parametrize("text", ["", "..", "a.b.c", "ä.ö.ü", "x" * 10_000, "\ud800.a.b"])
    def test_refuses_what_is_no_jwt(self, text: str) -> None:
        assert JoseAssertions().verify(text, public(EC)) is None


class TestVerifyWithSecret:
    @pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
    def test_returns_the_claims_of_what_has_its_hmac(self, alg: str) -> None:
        token = sign(OctKey.import_key(SECRET), alg)
        assert JoseAssertions().verify_with_secret(token, SECRET) == CLAIMS

    def test_refuses_another_secret(self) -> None:
        token = sign(OctKey.import_key("another secret"), "HS256")
        assert JoseAssertions().verify_with_secret(token, SECRET) is None

    def test_refuses_what_nobody_signed(self) -> None:
        token = f"{segment({'alg': 'none'})}.{segment(CLAIMS)}."
        assert JoseAssertions().verify_with_secret(token, SECRET) is None

    def test_refuses_a_public_key_as_the_secret(self) -> None:
        pem = EC.as_pem(private=False).decode()
        assert JoseAssertions().verify_with_secret(sign(OctKey.import_key(SECRET), "HS256"), pem) is None


class TestReadIssuer:
    def test_returns_it_unverified(self) -> None:
        assert JoseAssertions().read_issuer(sign(EC, "ES256")) == "backend"

    @pytest.mark.parametrize("content", [{}, [], {"iss": 1}, "iss"])
    def test_finds_none_where_there_is_no_text(self, content: Any) -> None:
        assert JoseAssertions().read_issuer(f"{segment({'alg': 'ES256'})}.{segment(content)}.") is None

    @pytest.mark.parametrize("text", ["", "..", "a.b.c", "[" * 8000, "x" * 10_000, "\ud800.a.b"])
    def test_finds_none_in_what_is_no_jwt(self, text: str) -> None:
        assert JoseAssertions().read_issuer(text) is None
