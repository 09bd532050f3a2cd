"""The audit, which can only grow."""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col

from app.models.audit import AuditEvent
from app.repositories.base import Repository


class AuditRepository(Repository):
    """The audit of one tenant."""

    async def add(self, event: AuditEvent) -> None:
        """Write one line."""
        await self._add(event)

    async def forget_ips(self, customer_id: str) -> None:
        """Erase the IP addresses from a customer's lines. The lines themselves stay."""
        lines = self._mine(AuditEvent, col(AuditEvent.customer_id) == customer_id)
        # It may change many rows, so it is no constant statement.
        await self._connection.write_anew(update(AuditEvent.__table__).where(lines).values(ip=None))
