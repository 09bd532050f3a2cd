"""The access tokens of integrations: JWTs that we sign, and that are not accepted after their `jti` is revoked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.errors import UnauthenticatedReason
from app.domain.principal import Owner, Principal, TokenKind
from app.domain.requests import RequestFacts
from app.domain.scopes import permissions, words_within
from app.domain.tenants import Client, Tenant
from app.domain.tools import Tools
from app.models.integration_tokens import IntegrationToken
from app.services.caller import Caller
from app.services.callers.lookups import open_integration_tokens
from app.services.unit_of_work import UnitOfWork

Claims = Mapping[str, Any]


async def issue_integration_token(
    uow: UnitOfWork, client: Client, credential_fingerprint: bytes, scope: frozenset[str], owner: Owner | None
) -> str:
    """Write down and return a new token of the client, as a JWT (RFC 9068 without its `typ`)."""
    ends = uow.now + timedelta(seconds=uow.tenant.integration_token_seconds)
    token = IntegrationToken(
        tenant_id=uow.tenant.id,
        jti=uow.tools.random.new_id(),
        client_id=client.id,
        credential_fingerprint=credential_fingerprint,
        created_at=uow.now,
        expires_at=ends,
    )
    await uow.integration_tokens.add(token)
    return uow.tools.signer.sign(
        {
            "iss": uow.tools.public_url,
            # The audience is this service. That of a saas token is its tenant, so that neither is accepted as the
            # other.
            "aud": uow.tools.public_url,
            "sub": client.id,
            "organization": describe_organization(uow.tenant.id),
            "application": {"id": client.id, "client_id": client.id, "kind": client.kind.value, "public": False},
            "owner": {"id": owner.id, "type": owner.type} if owner else None,
            "test": uow.tools.test,
            "scope": " ".join(sorted(scope)),
            "iat": int(uow.now.timestamp()),
            "exp": int(ends.timestamp()),
            "jti": token.jti,
        }
    )


def describe_organization(tenant_id: str) -> dict[str, str]:
    """Return the shop as a token names it; its id is also its slug."""
    return {"id": tenant_id, "slug": tenant_id}


def looks_like_jwt(token: str) -> bool:
    """Tell whether it looks like a JWT: no other token of ours has dots."""
    return token.count(".") == 2


def read_integration_token(tools: Tools, token: str) -> Claims | None:
    """Return the claims of an integration token of ours, expired or not; None for everything else."""
    claims = tools.signer.verify(token)
    if claims is None or claims.get("iss") != tools.public_url or claims.get("aud") != tools.public_url:
        return None
    return claims


async def authenticate_integration(tools: Tools, facts: RequestFacts, token: str) -> Caller:
    """Return the integration with this token, with one verification and one statement."""
    claims = read_integration_token(tools, token)
    if claims is None:
        return Caller(facts, refusal=UnauthenticatedReason.INVALID)
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    if expires_at <= tools.clock.now():
        return Caller(facts, refusal=UnauthenticatedReason.EXPIRED)
    registered = _find_client(tools, claims)
    owner = _read_owner(claims)
    if registered is None or (owner is not None and registered[0].find_user(owner.id) is None):
        return Caller(facts, refusal=UnauthenticatedReason.REVOKED)
    tenant, client = registered
    issued = await open_integration_tokens(tools, tenant).find(claims["jti"])
    if (
        issued is None
        or issued.revoked_at is not None
        or issued.credential_fingerprint not in client.credential_fingerprints
    ):
        return Caller(facts, refusal=UnauthenticatedReason.REVOKED)
    principal = Principal(
        kind=TokenKind.INTEGRATION,
        tenant_id=tenant.id,
        client_id=client.id,
        expires_at=expires_at,
        # What the client or the owner has lost since then, the token has lost as well.
        scope=words_within(frozenset(claims["scope"].split()), permissions(tenant.scopes_of(client, owner))),
        owner=owner,
        token_id=issued.jti,
    )
    return Caller(facts, principal=principal, tenant_id=tenant.id)


def _find_client(tools: Tools, claims: Claims) -> tuple[Tenant, Client] | None:
    registered = tools.tenants.find_client(claims["application"]["client_id"])
    if registered is None or registered[0].id != claims["organization"]["id"]:
        return None
    return registered


def _read_owner(claims: Claims) -> Owner | None:
    owner = claims["owner"]
    return Owner(owner["id"], owner["type"]) if owner is not None else None
