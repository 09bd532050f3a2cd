"""What an assertion must say to be accepted (RFC 7523 section 3). Each is accepted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from app.domain.client_credentials import fingerprint_key, fingerprint_secret
from app.domain.principal import OWNER_TYPE, Owner
from app.domain.tenants import Client, Tenant
from app.domain.texts import is_well_formed
from app.domain.tools import Tools
from app.models.integration_tokens import UsedAssertion
from app.services.unit_of_work import UnitOfWork

# How far a client's clock may be ahead of ours in the times of an assertion.
CLOCK_SKEW = timedelta(seconds=60)
LONGEST_JTI = 255

Claims = Mapping[str, Any]


class BadAssertionError(Exception):
    """Why an assertion is not accepted. The message is for the client's developer."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that counts, if it has not been used; `credential_fingerprint` is that of the key that signed it."""

    jti: str
    expires_at: datetime
    owner: Owner | None
    credential_fingerprint: bytes


def check_assertion(
    tools: Tools, tenant: Tenant, client: Client, token: str, *, secret: str | None = None
) -> Assertion:
    """Return what an assertion of this client says; raises `BadAssertionError`.

    A client with registered keys signs with one of them. One without signs with its secret (HS256, HS384 or HS512),
    which counts only if the client presents `secret` itself beside the assertion.
    """
    claims, fingerprint = _verify(tools, client, token, secret)
    if claims.get("iss") != client.id or claims.get("sub") != client.id:
        raise BadAssertionError("iss and sub must both be the client id.")
    if claims.get("aud") != tools.public_url:
        raise BadAssertionError(f"aud must be exactly {tools.public_url}, as one string.")
    expires_at = _check_times(tools.clock.now(), claims, timedelta(seconds=tenant.assertion_max_seconds))
    return Assertion(_read_jti(claims), expires_at, _read_owner(tenant, claims), fingerprint)


def _verify(tools: Tools, client: Client, token: str, secret: str | None) -> tuple[Claims, bytes]:
    for key in client.keys:
        claims = tools.assertions.verify(token, key)
        if claims is not None:
            return claims, fingerprint_key(key)
    if not client.keys and secret is not None:
        claims = tools.assertions.verify_with_secret(token, secret)
        if claims is not None:
            return claims, fingerprint_secret(client.id, secret)
    raise BadAssertionError("It must be signed with the client's own key, by an algorithm that we accept.")


def _check_times(now: datetime, claims: Claims, longest: timedelta) -> datetime:
    """Return when the assertion expires, after checking that it is valid now."""
    issued, expires, not_before = (_read_time(claims, name) for name in ("iat", "exp", "nbf"))
    if issued is None or expires is None:
        raise BadAssertionError("iat and exp are both needed, as seconds since 1970.")
    moment, skew = now.timestamp(), CLOCK_SKEW.total_seconds()
    if issued > moment + skew or (not_before is not None and not_before > moment + skew):
        raise BadAssertionError("iat and nbf must not be in the future.")
    if expires <= moment:
        raise BadAssertionError("It has expired.")
    if expires > moment + longest.total_seconds():
        raise BadAssertionError(f"exp may be at most {longest.total_seconds():.0f} seconds ahead.")
    return datetime.fromtimestamp(expires, UTC)


def _read_time(claims: Claims, name: str) -> float | None:
    """Return a NumericDate (RFC 7519 section 2), or None if there is none."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 40:
        raise BadAssertionError(f"{name} must be in seconds since 1970.")
    return float(value)


def _read_jti(claims: Claims) -> str:
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI or not is_well_formed(jti):
        raise BadAssertionError(f"jti is needed: a new one each time, of at most {LONGEST_JTI} characters.")
    return jti


def _read_owner(tenant: Tenant, claims: Claims) -> Owner | None:
    """Return the user of the organisation in whose name the client acts, or None where it names nobody."""
    named = [holder["owner"] for holder in (claims, *_namespaced(claims)) if holder.get("owner") is not None]
    if not named:
        return None
    owner = named[0]
    if any(other != owner for other in named) or not isinstance(owner, dict):
        raise BadAssertionError('owner must be one object: {"type": "User", "id": "…"}.')
    if owner.get("type") != OWNER_TYPE or not isinstance(owner.get("id"), str):
        raise BadAssertionError('owner must be one object: {"type": "User", "id": "…"}.')
    if tenant.find_user(owner["id"]) is None:
        raise BadAssertionError("owner must be a user of the client's organisation.")
    return Owner(owner["id"], OWNER_TYPE)


def _namespaced(claims: Claims) -> list[Claims]:
    """Return the claims that stand together under a name that is a URL (RFC 7519 section 4.2)."""
    return [value for name, value in claims.items() if "://" in name and isinstance(value, dict)]


async def use_up(uow: UnitOfWork, client: Client, assertion: Assertion) -> None:
    """Record that the client has used the assertion; raises `BadAssertionError` if it was used before."""
    used = UsedAssertion(
        tenant_id=uow.tenant.id,
        client_id=client.id,
        jti_hash=sha256(assertion.jti.encode()).digest(),
        expires_at=assertion.expires_at,
    )
    if not await uow.used_assertions.add_unless_used(used):
        raise BadAssertionError("It was used before: make a new one, with a new jti, each time.")
