"""The look-ups outside of any unit of work: the caller is looked up before the unit of the call begins."""

from __future__ import annotations

from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.repositories.integration_tokens import IntegrationTokenRepository
from app.repositories.sessions import SessionRepository, TokenLookup


def open_token_lookup(tools: Tools) -> TokenLookup:
    """Return the look-up of access tokens, for the first statement of every request."""
    return TokenLookup(tools.database.connect())


def open_sessions(tools: Tools, tenant: Tenant) -> SessionRepository:
    """Return a tenant's sessions, for the first statement of a request that has a refresh token only."""
    return SessionRepository(tools.database.connect(), tenant.id)


def open_integration_tokens(tools: Tools, tenant: Tenant) -> IntegrationTokenRepository:
    """Return a tenant's integration tokens, for the first statement of their requests."""
    return IntegrationTokenRepository(tools.database.connect(), tenant.id)
