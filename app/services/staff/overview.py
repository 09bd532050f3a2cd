"""What staff see in development that no operation of the API shows: audit, a customer's sessions, paused webhooks."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.requests import RequestFacts
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.models.audit import AuditEvent
from app.models.sessions import Session
from app.models.webhook_endpoints import WebhookEndpointState
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork

MOST_LISTED = 200


async def latest_audit(tools: Tools, tenant: Tenant) -> Sequence[AuditEvent]:
    """Return the latest lines of a shop's audit, the newest first."""
    async with _unit(tools, tenant) as uow:
        return await uow.audit.list_latest(MOST_LISTED)


async def audit_about(tools: Tools, tenant: Tenant, customer_id: str) -> Sequence[AuditEvent]:
    """Return the latest lines of the audit about a customer, the newest first."""
    async with _unit(tools, tenant) as uow:
        return await uow.audit.list_about(customer_id, MOST_LISTED)


async def sessions_of(tools: Tools, tenant: Tenant, customer_id: str) -> Sequence[Session]:
    """Return a customer's open sessions, those of staff who act for them too; the one that was used last first."""
    async with _unit(tools, tenant) as uow:
        return await uow.sessions.list_live(customer_id, uow.now)


async def failing_endpoints(tools: Tools, tenant: Tenant) -> Sequence[WebhookEndpointState]:
    """Return the webhooks of a shop that have failed the last time, or are gone."""
    async with _unit(tools, tenant) as uow:
        return await uow.webhook_endpoints.list()


def _unit(tools: Tools, tenant: Tenant) -> UnitOfWork:
    uow = UnitOfWork(tools, Caller(RequestFacts(request_id="operator", ip="")))
    uow.enter(tenant)
    return uow
