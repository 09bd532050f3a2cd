"""Deletes what each shop keeps for a time of its own: the lines of the audit, and what could not be delivered."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta

from app.domain.tenants.rules import Lifetimes
from app.domain.tools import Tools
from app.models.audit import AuditEvent
from app.models.outbox import OutboxMessage
from app.services.worker.pace import Pace
from app.services.worker.purge import remove_past
from app.services.worker_unit import open_for_worker

# A shop that the tenants file has no more keeps what it has for as long as one that says nothing about it.
_UNSAID = Lifetimes()


async def purge_retained(tools: Tools, pace: Pace | None = None) -> int:
    """Remove some batches of what is past its time in each shop, and return how many rows went."""
    pace = pace or Pace()
    removed, tenant_id = 0, ""
    while tenant_id := await _next_tenant(tools, tenant_id):
        removed += await _purge(tools, pace, tenant_id)
    return removed


async def drop_months(tools: Tools) -> int:
    """Drop the months of the audit that no shop keeps any more, where it lies in months, and return how many went.

    What a shop keeps for a shorter time than others goes line by line before.
    """
    now = tools.clock.now()
    longest = max(shop.audit_retention_months for shop in (*tools.tenants, _UNSAID))
    return await tools.database.keep_audit_months(now, months_before(now, longest))


async def _next_tenant(tools: Tools, after: str) -> str:
    """Return the next shop with a row of either kind, in the order of their ids; an empty text behind the last."""
    async with open_for_worker(tools) as uow:
        found = [await uow.past_rows.next_tenant(model, after) for model in (AuditEvent, OutboxMessage)]
    return min(filter(None, found), default="")


async def _purge(tools: Tools, pace: Pace, tenant_id: str) -> int:
    lifetimes = tools.tenants.find_tenant(tenant_id) or _UNSAID
    now = tools.clock.now()
    lines = months_before(now, lifetimes.audit_retention_months)
    dead = now - timedelta(days=lifetimes.dead_letter_retention_days)
    return await remove_past(tools, pace, AuditEvent, "occurred_at", lines, tenant_id) + await remove_past(
        tools, pace, OutboxMessage, "dead_at", dead, tenant_id
    )


def months_before(moment: datetime, months: int) -> datetime:
    """Return the same moment so many months earlier, on the month's last day where it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))
