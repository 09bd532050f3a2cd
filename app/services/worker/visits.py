"""Deletes visits that ended a while ago: those of a shop lie in the order of their time, the oldest first."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.domain.tools import Tools
from app.domain.visit_ids import first_visit_id_at
from app.services.worker_unit import open_for_worker

BATCH = 500
# So long the tokens of a visit are still answered as expired.
_KEPT = timedelta(days=1)
# The tenants file may lack a shop by mistake, and have it again later.
_KEPT_OF_NOBODY = timedelta(days=30)


async def purge_visits(tools: Tools) -> int:
    """Remove a batch of each shop's, in a transaction each, and return how many rows went.

    A shop that has none costs nothing, and one that has none to remove a look at its first.
    """
    removed, tenant_id = 0, ""
    while True:
        async with open_for_worker(tools) as uow:
            oldest = await uow.visit_queue.find_oldest_after(tenant_id)
            if oldest is None:
                return removed
            tenant_id = oldest.tenant_id
            before = first_visit_id_at(_begun_before(tools, tenant_id, uow.now))
            if oldest.id < before:
                removed += await uow.visit_queue.delete_before(tenant_id, before, BATCH)


def _begun_before(tools: Tools, tenant_id: str, now: datetime) -> datetime:
    tenant = tools.tenants.find_tenant(tenant_id)
    if tenant is None:
        return now - _KEPT_OF_NOBODY
    return now - timedelta(seconds=tenant.anonymous_refresh_token_seconds) - _KEPT
