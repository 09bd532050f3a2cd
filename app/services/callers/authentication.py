"""From the access token to the caller, in one statement."""

from __future__ import annotations

from datetime import datetime

from app.domain.errors import HeaderRefused, UnauthenticatedReason
from app.domain.principal import OWNER_TYPE, Actor, Owner, Principal, TokenKind
from app.domain.requests import RequestFacts
from app.domain.scopes import Scope, has_scope
from app.domain.tenants import Client, Tenant
from app.domain.tokens import ACCESS_PREFIXES, hash_token, read_prefix
from app.domain.tools import Tools
from app.domain.visit_ids import text_of
from app.domain.visitors import hear
from app.models.sessions import PresentedToken
from app.models.visits import Visit, access_token_end
from app.services.caller import Caller
from app.services.callers.integration_tokens import authenticate_integration, looks_like_jwt
from app.services.callers.lookups import find_visit, open_token_lookup


async def authenticate(tools: Tools, facts: RequestFacts) -> Caller:
    """Return the caller with this token; a token that is not accepted makes a caller without a principal."""
    facts = facts.as_sent
    if facts.token is None:
        return _stranger(tools, facts, UnauthenticatedReason.MISSING)
    if read_prefix(facts.token) not in ACCESS_PREFIXES:
        if looks_like_jwt(facts.token):
            return await authenticate_integration(tools, facts, facts.token)
        return _stranger(tools, facts, UnauthenticatedReason.INVALID)
    visit = await find_visit(tools, facts.token)
    if visit is not None:
        return _caller_of_visit(tools, facts, visit)
    tenant_ids = tools.tenants.hinted(facts.token)
    row = await open_token_lookup(tools).find_by_access_token(tenant_ids, hash_token(facts.token))
    if row is None:
        return _stranger(tools, facts, UnauthenticatedReason.INVALID)
    return caller_of(tools, facts, row)


def caller_of(tools: Tools, facts: RequestFacts, row: PresentedToken) -> Caller:
    """Return the caller with the token that this row is of; one that is not accepted makes one without a principal."""
    registered = tools.tenants.find_client(row.session_client_id)
    if registered is None or registered[0].id != row.session_tenant_id:
        return Caller(facts, refusal=UnauthenticatedReason.REVOKED)
    try:
        facts = hear(registered[1], facts)
    except HeaderRefused as refused:
        return Caller(facts, header_refusal=refused, tenant_id=registered[0].id)
    principal = _principal(*registered, row)
    refusal = _why_worthless(tools, registered[1], principal, row)
    if refusal is not None:
        return Caller(facts, refusal=refusal, tenant_id=registered[0].id)
    customer = row if row.session_customer_id is not None else None
    return Caller(facts, principal=principal, customer=customer, tenant_id=principal.tenant_id)


def _caller_of_visit(tools: Tools, facts: RequestFacts, visit: Visit) -> Caller:
    """Return the caller whose anonymous session this is, judged as `caller_of` judges those of other sessions."""
    registered = tools.tenants.find_client(visit.client_id)
    if registered is None or registered[0].id != visit.tenant_id:
        return Caller(facts, refusal=UnauthenticatedReason.REVOKED)
    tenant, client = registered
    try:
        facts = hear(client, facts)
    except HeaderRefused as refused:
        return Caller(facts, header_refusal=refused, tenant_id=tenant.id)
    principal = principal_of_visit(visit, access_token_end(visit, tenant))
    if principal.expires_at <= tools.clock.now():
        return Caller(facts, refusal=UnauthenticatedReason.EXPIRED, tenant_id=tenant.id)
    return Caller(facts, principal=principal, tenant_id=tenant.id, visit=visit)


def principal_of_visit(visit: Visit, ends: datetime) -> Principal:
    """Return the bearer of a visit's token, which works until then."""
    return Principal(
        kind=TokenKind.ANONYMOUS,
        tenant_id=visit.tenant_id,
        client_id=visit.client_id,
        expires_at=ends,
        session_id=text_of(visit.id),
        site=visit.site,
    )


def _stranger(tools: Tools, facts: RequestFacts, refusal: UnauthenticatedReason) -> Caller:
    """Return a caller of whom only the client may be known, by the header `Gateway-Client`."""
    named = tools.tenants.find_client(facts.client_id) if facts.client_id is not None else None
    return Caller(hear(named[1] if named else None, facts), refusal=refusal)


def _why_worthless(
    tools: Tools, client: Client, principal: Principal, row: PresentedToken
) -> UnauthenticatedReason | None:
    """Tell what makes the token worthless: whatever ended session, customer or client revokes it at once."""
    now = tools.clock.now()
    if row.token_revoked_at is not None or row.session_revoked_at is not None:
        return UnauthenticatedReason.REVOKED
    if row.session_customer_id is not None and (not row.active or row.on_hold):
        return UnauthenticatedReason.REVOKED
    began_by = row.session_credential_fingerprint
    if began_by is not None and began_by not in client.credential_fingerprints:
        return UnauthenticatedReason.REVOKED
    if principal.kind is TokenKind.ON_BEHALF and not has_scope(principal, Scope.CUSTOMERS_IMPERSONATE):
        return UnauthenticatedReason.REVOKED
    if row.token_expires_at <= now or row.session_expires_at <= now:
        return UnauthenticatedReason.EXPIRED
    return None


def _scope_of_actor(tenant: Tenant, client: Client, row: PresentedToken) -> frozenset[str]:
    """Return what the client, and the person in whose name it acts for a customer, may both do at this moment."""
    is_owner = row.session_actor_type == OWNER_TYPE
    owner = Owner(row.session_actor_id, OWNER_TYPE) if is_owner and row.session_actor_id is not None else None
    return tenant.scopes_of(client, owner)


def _principal(tenant: Tenant, client: Client, row: PresentedToken) -> Principal:
    kind = TokenKind(row.session_kind)
    return Principal(
        kind=kind,
        tenant_id=row.session_tenant_id,
        client_id=row.session_client_id,
        expires_at=row.token_expires_at,
        scope=_scope_of_actor(tenant, client, row) if kind is TokenKind.ON_BEHALF else frozenset(),
        session_id=row.session_id,
        site=row.session_site,
        customer_id=row.session_customer_id,
        legal_entity_id=row.session_legal_entity_id,
        authenticated_at=row.session_authenticated_at,
        factors=row.session_factors,
        actor=Actor(row.session_actor_id, row.session_actor_type or "", row.session_actor_reason or "")
        if row.session_actor_id is not None
        else None,
        must_change_password=kind is TokenKind.CUSTOMER and row.initial_password and tenant.initial_password_gate,
    )
