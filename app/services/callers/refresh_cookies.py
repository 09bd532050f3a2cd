"""From the cookie with a refresh token to the caller, for what may be done by the cookie alone: to log out."""

from __future__ import annotations

from app.domain.errors import UnauthenticatedReason
from app.domain.principal import Principal, TokenKind
from app.domain.requests import RequestFacts
from app.domain.tenants import Client, Tenant
from app.domain.tokens import REFRESH_PREFIXES, hash_token, read_prefix
from app.domain.tools import Tools
from app.models.visits import Visit, visit_end
from app.services.caller import Caller
from app.services.callers.authentication import principal_of_visit
from app.services.callers.lookups import find_visit, open_sessions


async def authenticate_by_cookie(tools: Tools, facts: RequestFacts, client: Client) -> Caller:
    """Return the caller whose living session of this client the cookie belongs to, or one without a principal."""
    token = facts.refresh_cookie
    if token is None or read_prefix(token) not in REFRESH_PREFIXES:
        return Caller(facts, refusal=UnauthenticatedReason.MISSING)
    found = tools.tenants.find_client(client.id)
    if found is None:
        return Caller(facts, refusal=UnauthenticatedReason.REVOKED)
    visit = await find_visit(tools, token)
    if visit is not None:
        return _caller_of_visit(tools, facts, found[0], client, visit)
    row = await open_sessions(tools, found[0]).find_by_refresh_token(hash_token(token), tools.clock.now())
    if row is None or row.client_id != client.id:
        return Caller(facts, refusal=UnauthenticatedReason.REVOKED)
    principal = Principal(
        kind=TokenKind(row.kind),
        tenant_id=row.tenant_id,
        client_id=row.client_id,
        expires_at=row.expires_at,
        session_id=row.session_id,
        customer_id=row.customer_id,
    )
    return Caller(facts, principal=principal, tenant_id=row.tenant_id)


def _caller_of_visit(tools: Tools, facts: RequestFacts, tenant: Tenant, client: Client, visit: Visit) -> Caller:
    if (visit.tenant_id, visit.client_id) != (tenant.id, client.id):
        return Caller(facts, refusal=UnauthenticatedReason.REVOKED)
    principal = principal_of_visit(visit, visit_end(visit, tenant))
    if principal.expires_at <= tools.clock.now():
        return Caller(facts, refusal=UnauthenticatedReason.REVOKED)
    return Caller(facts, principal=principal, tenant_id=visit.tenant_id, visit=visit)
