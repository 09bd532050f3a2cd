"""Checks who has signed a token: the provider, with one of its keys, which it may have changed a moment ago."""

from __future__ import annotations

import warnings

from joserfc import jws, jwt
from joserfc.errors import (
    BadSignatureError,
    JoseError,
    SecurityWarning,
    UnsupportedKeyAlgorithmError,
    UnsupportedKeyOperationError,
)

from app.adapters.social.algorithms import ALGORITHMS
from app.adapters.social.http import ProviderRefusedError
from app.adapters.social.keys import KeyRing, ProviderKeys, SigningKey

LONGEST_TOKEN = 32_768
# It was another key: this one has not signed the token, or says itself that it signs otherwise.
_OF_ANOTHER_KEY = (BadSignatureError, SecurityWarning, UnsupportedKeyAlgorithmError, UnsupportedKeyOperationError)


async def verify_signature(token: str, keys: ProviderKeys) -> jwt.Token:
    """Return header and claims of a token that the provider has signed; raises `ProviderRefusedError` for any other.

    For a key or an algorithm that is not known, and for a wrong signature, the keys are fetched again once.
    """
    if len(token) > LONGEST_TOKEN:
        raise ProviderRefusedError("the token is too long")
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
        algorithm = header.get("alg")
        shared = keys.shared(algorithm) if isinstance(algorithm, str) else None
        if shared is not None:
            return _decode(token, shared, str(algorithm))
        if algorithm not in ALGORITHMS:
            raise ProviderRefusedError(f"the token is signed with {str(algorithm)[:50]!r}, which we do not accept")
        ring = await keys.ring()
        found = _try_all(token, header.get("kid"), algorithm, ring)
        if found is None:
            newer = await keys.ring_after(ring)
            found = _try_all(token, header.get("kid"), algorithm, newer) if newer is not None else None
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise ProviderRefusedError(f"the token is not valid: {type(error).__name__} {error}") from error
    if found is None:
        raise ProviderRefusedError("the token is not signed with a key that the provider has, and as it announces")
    return found


def _try_all(token: str, kid: object, algorithm: str, ring: KeyRing) -> jwt.Token | None:
    for key in ring.fitting(kid, algorithm):
        try:
            return _decode(token, key, algorithm)
        except _OF_ANOTHER_KEY:
            continue
    return None


def _decode(token: str, key: SigningKey, algorithm: str) -> jwt.Token:
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    with warnings.catch_warnings():
        # The library warns about the older name of Ed25519, which providers still use.
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.decode(token, key, registry=registry)
