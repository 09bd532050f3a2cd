"""Checks an id token (OpenID Connect Core 1.0 section 3.1.3.7): signature, issuer, audience, times, nonce and hash."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError

from app.adapters.social.http import ProviderRefusedError
from app.adapters.social.keys import ProviderKeys

# Algorithms with which only the provider can sign. Its announcement can shorten the list, but not extend it.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
# Seconds by which the provider's clock may differ from ours.
LEEWAY = 60
LONGEST_SUBJECT = 255
_LONGEST_TOKEN = 32_768


@dataclass(frozen=True, slots=True)
class Expected:
    """What an id token must say to be the answer to our request.

    `client_ids` are all that the provider knows us by. `access_token` is the one that came with it, if one did.
    `nonce_may_be_hashed`: an app may have hashed the nonce before it asked, as Apple's documentation shows it.
    """

    issuer: str
    client_ids: Collection[str]
    nonce: str
    access_token: str | None
    now: int
    nonce_may_be_hashed: bool = False


async def check_id_token(
    token: str, keys: ProviderKeys, announced: Collection[str], expected: Expected
) -> dict[str, Any]:
    """Return the claims of a valid id token; raises `ProviderRefusedError` for any other.

    `announced` are the algorithms of the provider's discovery document.
    """
    if len(token) > _LONGEST_TOKEN:
        raise ProviderRefusedError("the id token is too long")
    try:
        claims = await _verify(token, keys, announced, expected)
        claims.validate(now=expected.now, leeway=LEEWAY)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise ProviderRefusedError(f"the id token is not valid: {type(error).__name__} {error}") from error
    _check_audience(claims, expected.client_ids)
    _check_nonce(claims, expected)
    _check_further(claims)
    return dict(claims)


async def _verify(token: str, keys: ProviderKeys, announced: Collection[str], expected: Expected) -> CodeIDToken:
    algorithms = [algorithm for algorithm in ALGORITHMS if algorithm in announced]
    algorithm = (header := jws.extract_compact(token.encode("ascii")).headers()).get("alg")
    if algorithm not in algorithms:
        raise ProviderRefusedError("the id token is signed with an algorithm that we do not accept")
    key = await keys.find(header.get("kid"), algorithm)
    decoded = jwt.decode(token, key, registry=jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False))
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True},
        "sub": {"essential": True},
    }
    return CodeIDToken(decoded.claims, decoded.header, options, {"access_token": expected.access_token})


def _check_audience(claims: CodeIDToken, ours: Collection[str]) -> None:
    """Refuse a token that is for somebody else too, or was made for somebody else (OpenID Connect Core 3.1.3.7).

    The library is content when one audience is ours: then whoever runs another one could log in here with the token.
    """
    told = claims["aud"]
    audiences = told if isinstance(told, list) else [told]
    if not audiences or not all(isinstance(each, str) and each in ours for each in audiences):
        raise ProviderRefusedError("the id token is for another client, or for others too")
    if "azp" in claims and not (isinstance(claims["azp"], str) and claims["azp"] in ours):
        raise ProviderRefusedError("the id token was made for another client")


def _check_nonce(claims: CodeIDToken, expected: Expected) -> None:
    told = claims.get("nonce")
    wanted = [expected.nonce]
    if expected.nonce_may_be_hashed:
        wanted.append(sha256(expected.nonce.encode()).hexdigest())
    if not isinstance(told, str) or told not in wanted:
        raise ProviderRefusedError("the id token has another nonce, or none")


def _check_further(claims: CodeIDToken) -> None:
    # The library checks a hash only if it is not empty.
    if "at_hash" in claims and (not isinstance(claims["at_hash"], str) or not claims["at_hash"]):
        raise ProviderRefusedError("the id token has an empty hash of the access token")
    if len(claims["sub"]) > LONGEST_SUBJECT:
        raise ProviderRefusedError("the id token has a subject that is too long")
