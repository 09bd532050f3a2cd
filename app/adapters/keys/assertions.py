"""Verifies the JWTs that clients sign. Each key is used only with the algorithms of its kind."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, GuestProtocol, Key, OctKey, OKPKey, RSAKey, import_key

_LONGEST_TOKEN = 8192
_SMALLEST_RSA_BITS = 2048


class _Algorithms(jws.JWSRegistry):
    """An allow-list that reads the older name EdDSA as Ed25519 (RFC 9864), the only curve that we accept for it."""

    def get_alg(self, name: str) -> JWSAlgModel:
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


# By kind of key, so that a public key is never used as the secret of an HMAC.
_BY_KEY: dict[type[Key], _Algorithms] = {
    ECKey: _Algorithms(algorithms=("ES256",)),
    RSAKey: _Algorithms(algorithms=("RS256", "PS256")),
    OKPKey: _Algorithms(algorithms=("Ed25519",)),
}
_BY_SECRET = _Algorithms(algorithms=("HS256", "HS384", "HS512"))


class JoseAssertions:
    """Verifies with the given registered key or secret. No header can add a key."""

    def read_issuer(self, token: str) -> str | None:
        """Return the `iss` of a JWT, not verified, to find the right key; None if it is not a JWT."""
        try:
            claims = json.loads(jws.extract_compact(_bounded(token)).payload or b"")
        except (JoseError, ValueError, RecursionError):
            return None
        issuer = claims.get("iss") if isinstance(claims, dict) else None
        return issuer if isinstance(issuer, str) else None

    def verify(self, token: str, key: str) -> dict[str, Any] | None:
        """Return the claims of a JWT signed by this public JWK (JSON text) with an algorithm of that key, or None.

        It accepts ES256, RS256, PS256 (RSA with at least 2048 bits) and EdDSA on Ed25519. If both the header and the
        key have a `kid`, they must be equal.
        """
        registered = _import_public(key)
        return _decode(token, registered, _BY_KEY[type(registered)]) if registered is not None else None

    def verify_with_secret(self, token: str, secret: str) -> dict[str, Any] | None:
        """Return the claims of a JWT with this secret's HMAC (HS256, HS384 or HS512), or None."""
        try:
            key = OctKey.import_key(secret)
        except ValueError:  # a public key, which everybody knows
            return None
        return _decode(token, key, _BY_SECRET)


def _decode(token: str, key: Key, algorithms: _Algorithms) -> dict[str, Any] | None:
    def find_key(header: GuestProtocol) -> Key:
        named = header.headers().get("kid")
        if named is not None and key.kid is not None and named != key.kid:
            raise ValueError("another key")
        return key

    try:
        return dict(jwt.decode(_bounded(token), find_key, registry=algorithms).claims)
    except (JoseError, ValueError, RecursionError):
        return None


def _bounded(token: str) -> bytes:
    if len(token) > _LONGEST_TOKEN:
        raise ValueError("too long")
    return token.encode()


@lru_cache(maxsize=256)
def _import_public(key: str) -> Key | None:
    """Return a registered key, or None if it is not for signatures or is of a kind that we do not accept."""
    content = json.loads(key)
    if content.get("use", "sig") != "sig":
        return None
    imported = import_key(content)
    if isinstance(imported, RSAKey) and imported.raw_value.key_size < _SMALLEST_RSA_BITS:
        return None
    return imported if type(imported) in _BY_KEY else None
