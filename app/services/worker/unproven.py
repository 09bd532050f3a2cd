"""Removes accounts that came of a sign-up and of nothing else: never proved, never logged in to, without an order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.domain.audit import AuditAction
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.domain.topics import Topic
from app.models.credentials import UnprovenAccount
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.worker.erasure import erase_customer
from app.services.worker_unit import open_for_worker

BATCH = 200
# No shop can give an account less time than this.
_SHORTEST = timedelta(days=1)
_BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), "")


async def purge_unproven(tools: Tools) -> int:
    """Remove all whose time is over, in every shop, and return 0: what becomes due meanwhile can wait a day."""
    removed = 0
    for tenant in await _tenants_with_any(tools):
        if tenant.unproven_account_days:
            removed += await _purge(tools, tenant)
    if removed:
        await tools.database.forget()
    return 0


async def _tenants_with_any(tools: Tools) -> list[Tenant]:
    """Return the shops to look into; one statement tells for all, for there may be thousands."""
    async with open_for_worker(tools) as uow:
        found = await uow.unproven_queue.list_tenants(uow.now - _SHORTEST)
    return [tenant for each in found if (tenant := tools.tenants.find_tenant(each)) is not None]


async def _purge(tools: Tools, tenant: Tenant) -> int:
    removed, after = 0, _BEGINNING
    while True:
        async with open_for_worker(tools, tenant) as uow:
            before = uow.now - timedelta(days=tenant.unproven_account_days)
            found = await uow.credentials.list_unproven(before, after, BATCH)
        for account in found:
            if _is_unused(account):
                removed += await _remove(tools, tenant, account.customer_id)
        if len(found) < BATCH:
            return removed
        after = (found[-1].changed_at, found[-1].customer_id)


def _is_unused(account: UnprovenAccount) -> bool:
    # Whoever has asked for an anonymization gets that, and its traces.
    return account.last_login_at is None and not account.order_count and account.anonymization_status is None


async def _remove(tools: Tools, tenant: Tenant, customer_id: str) -> bool:
    async with open_for_worker(tools, tenant) as uow:
        customer = await uow.customers.lock(customer_id)
        credential = await uow.credentials.find(customer_id)
        if customer is None or credential is None or credential.email_verified_at is not None:
            return False
        if customer.last_login_at is not None or customer.order_count:
            return False
        signups = await erase_customer(uow, customer_id)
        await uow.customers.delete_unused(customer_id)
        await record(uow, AuditAction.ANONYMIZATION_COMPLETED, customer_id, reason="unproven")
        await emit(uow, Topic.CUSTOMER_ANONYMIZATION_COMPLETED, customer_id)
    for each in (customer_id, *signups):
        await tools.mailer.forget(each)
    return True
