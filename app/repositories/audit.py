"""The audit, which can only grow."""

from __future__ import annotations

from sqlmodel import col

from app.models.audit import AuditEvent
from app.repositories.base import Repository


class AuditRepository(Repository):
    """The audit of one tenant."""

    async def add(self, event: AuditEvent) -> None:
        """Write one line."""
        await self._add(event)

    async def forget_ips(self, customer_id: str) -> None:
        """Erase the addresses from a customer's lines; the lines themselves stay."""
        await self._update(AuditEvent, col(AuditEvent.customer_id) == customer_id, ip=None)
