"""Who the development page `/dev/staff` is for the operations that it calls: an integration of the shop, by a name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.domain.audit import AuditAction
from app.domain.principal import Owner, Principal, TokenKind
from app.domain.requests import RequestFacts
from app.domain.scopes import permissions
from app.domain.tenants import Client, Tenant
from app.domain.tools import Tools
from app.services.audit import record
from app.services.caller import Caller
from app.services.callers.integration_tokens import issue_integration_token, read_integration_token
from app.services.staff.on_behalf import CLIENT_TYPE
from app.services.unit_of_work import UnitOfWork

# What audit, sessions and saas tokens call the page.
PAGE = Owner("staff-page", CLIENT_TYPE)


def find_integration(tenant: Tenant) -> Client | None:
    """Return the integration of the shop that may do most, in whose name the page calls; None if there is none."""
    integrations = [client for client in tenant.clients if not client.is_storefront]
    return max(integrations, key=lambda client: len(permissions(client.scopes)), default=None)


def page_caller(tools: Tools, tenant: Tenant, client: Client, facts: RequestFacts) -> Caller:
    """Return the page as the caller of one operation, with all that the integration may do."""
    now = tools.clock.now()
    principal = Principal(
        kind=TokenKind.INTEGRATION,
        tenant_id=tenant.id,
        client_id=client.id,
        expires_at=now + timedelta(seconds=tenant.integration_token_seconds),
        scope=tenant.scopes_of(client, None),
        owner=PAGE,
    )
    return Caller(facts, principal=principal, tenant_id=tenant.id)


async def page_caller_with_token(tools: Tools, tenant: Tenant, client: Client, facts: RequestFacts) -> Caller:
    """Return the same caller with a token of its own, which acting for a customer begins with. It is in the audit."""
    caller = page_caller(tools, tenant, client, facts)
    principal = caller.require_principal()
    async with UnitOfWork(tools, caller) as uow:
        fingerprint = min(client.credential_fingerprints)
        token = await issue_integration_token(uow, client, fingerprint, principal.scope, None)
        scope = " ".join(sorted(principal.scope))
        await record(uow, AuditAction.INTEGRATION_TOKEN, None, client_id=client.id, grant="staff_page", scope=scope)
    claims = read_integration_token(tools, token)
    token_id = claims["jti"] if claims is not None else None
    return replace(caller, principal=replace(principal, token_id=token_id))
