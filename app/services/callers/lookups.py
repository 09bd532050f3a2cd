"""The look-ups outside of any unit of work: the caller is looked up before the unit of the call begins."""

from __future__ import annotations

from app.domain.tenants import Tenant
from app.domain.tokens import read_visit_key
from app.domain.tools import Tools
from app.models.visits import Visit
from app.repositories.integration_tokens import IntegrationTokenRepository
from app.repositories.sessions import SessionRepository, TokenLookup
from app.repositories.visits import VisitRepository


def open_token_lookup(tools: Tools) -> TokenLookup:
    """Return the look-up of access tokens, for the first statement of every request."""
    return TokenLookup(tools.database.connect())


def open_sessions(tools: Tools, tenant: Tenant) -> SessionRepository:
    """Return a tenant's sessions, for the first statement of a request that has a refresh token only."""
    return SessionRepository(tools.database.connect(), tenant.id)


def open_integration_tokens(tools: Tools, tenant: Tenant) -> IntegrationTokenRepository:
    """Return a tenant's integration tokens, for the first statement of their requests."""
    return IntegrationTokenRepository(tools.database.connect(), tenant.id)


async def find_visit(tools: Tools, token: str) -> Visit | None:
    """Return the visit whose access or refresh token this is; None for all other tokens, and once it is a session."""
    key = read_visit_key(token)
    if key is None:
        return None
    for tenant_id in tools.tenants.hinted(token):
        visit = await VisitRepository(tools.database.connect(), tenant_id).find(key.visit_id, key.access_hash)
        if visit is not None:
            return visit
    return None
