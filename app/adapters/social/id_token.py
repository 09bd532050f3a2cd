"""Checks an id token (OpenID Connect Core 1.0 section 3.1.3.7): signature, issuer, audience, times, nonce and hash."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError
from joserfc.jwt import Token

from app.adapters.social.algorithms import EDWARDS
from app.adapters.social.claims import LONGEST_SUBJECT, seconds_of, subject_text
from app.adapters.social.http import ProviderRefusedError
from app.adapters.social.keys import ProviderKeys
from app.adapters.social.signatures import verify_signature

# Seconds by which the provider's clock may differ from ours.
LEEWAY = 60
# We make no use of these, and some providers write them in a form of their own: `amr` as one text.
_UNUSED = frozenset({"amr", "jti"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What an id token must say to be the answer to our request.

    `asked` is the issuer that we have asked. `issuer_of` says who has to have issued the token, by its claims; None for
    nobody; `is_issuer` whether a name is that one's. `client_ids` are all that the provider
    knows us by. `access_token` is the one that came with it, if one did. `max_age` and `asked_at` are as in
    `AuthorizationGrant`. `nonce_may_be_hashed`: an app may have hashed
    the nonce before it asked, as Apple's documentation shows it. `nonce_may_be_missing`: the provider was not told it.
    """

    asked: str
    issuer_of: Callable[[dict[str, Any]], str | None]
    is_issuer: Callable[[object, str], bool]
    client_ids: Collection[str]
    nonce: str
    access_token: str | None
    now: int
    max_age: int | None = None
    asked_at: int = 0
    nonce_may_be_hashed: bool = False
    nonce_may_be_missing: bool = False


async def check_id_token(token: str, keys: ProviderKeys, expected: Expected) -> dict[str, Any]:
    """Return the claims of a valid id token, `iss` as we know it; raises `ProviderRefusedError` for any other."""
    signed = await verify_signature(token, keys)
    issuer = _check_issuer(signed.claims, expected)
    try:
        claims = _read(signed, expected)
        claims.validate(now=expected.now, leeway=LEEWAY)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise ProviderRefusedError(f"the id token is not valid: {type(error).__name__} {error}") from error
    check_audience(claims, expected.client_ids)
    _check_nonce(claims, expected)
    _check_age(claims, expected)
    _check_further(claims)
    return {**claims, "iss": issuer}


def _read(signed: Token, expected: Expected) -> CodeIDToken:
    # The library knows what EdDSA hashes with by that name only.
    header = {**signed.header, "alg": "EdDSA"} if signed.header["alg"] in EDWARDS else signed.header
    options = {"aud": {"essential": True}, "sub": {"essential": True}}
    claims = {name: value for name, value in signed.claims.items() if name not in _UNUSED}
    # A subject may be a number, which the library does not know; an odd time counts only where we have asked for one.
    claims |= {"sub": subject_text(claims.get("sub")), "auth_time": seconds_of(claims.get("auth_time"))}
    return CodeIDToken(claims, header, options, {"access_token": expected.access_token})


def _check_issuer(claims: dict[str, Any], expected: Expected) -> str:
    """Return the issuer, however the token writes it."""
    told, wanted = claims.get("iss"), expected.issuer_of(claims)
    if wanted is None:
        raise ProviderRefusedError(
            f"the id token of {str(told)[:300]!r} names a directory that we do not ask for at {expected.asked!r}"
        )
    if not expected.is_issuer(told, wanted):
        raise ProviderRefusedError(f"the id token is of the issuer {str(told)[:300]!r}, not of {wanted!r}")
    return wanted


def check_audience(claims: dict[str, Any], ours: Collection[str]) -> None:
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
    if expected.nonce_may_be_missing and "nonce" not in claims:
        return
    told = claims.get("nonce")
    wanted = [expected.nonce]
    if expected.nonce_may_be_hashed:
        wanted.append(sha256(expected.nonce.encode()).hexdigest())
    if not isinstance(told, str) or told not in wanted:
        raise ProviderRefusedError("the id token has another nonce, or none")


def _check_age(claims: CodeIDToken, expected: Expected) -> None:
    """Refuse a login that was longer ago than we have asked for, or nobody knows when (section 3.1.2.1, `max_age`).

    It counts how old the login was when we asked: what the person has done since then is no reason.
    """
    if expected.max_age is None:
        return
    told = seconds_of(claims.get("auth_time"))
    if told is None:
        raise ProviderRefusedError("the id token does not say when the person has logged in, and we have asked for it")
    if told > expected.now + LEEWAY:
        raise ProviderRefusedError("the id token says that the person will log in later than now")
    if told < expected.asked_at - expected.max_age - LEEWAY:
        raise ProviderRefusedError(f"the person has logged in longer ago than the {expected.max_age} s we asked for")


def _check_further(claims: CodeIDToken) -> None:
    # The library checks a hash only if it is not empty.
    if "at_hash" in claims and (not isinstance(claims["at_hash"], str) or not claims["at_hash"]):
        raise ProviderRefusedError("the id token has an empty hash of the access token")
    if len(claims["sub"]) > LONGEST_SUBJECT:
        raise ProviderRefusedError("the id token has a subject that is too long")
