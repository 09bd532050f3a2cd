"""The audit, which can only grow."""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col

from app.domain.audit import AuditAction
from app.models.audit import AuditEvent
from app.repositories.base import Repository, Rows

_CREATION = Rows(AuditEvent, "customer_id", col(AuditEvent.action) == AuditAction.CUSTOMER_CREATED.value)
_NEWEST_FIRST = Rows(AuditEvent, "customer_id", "action", order_by=(col(AuditEvent.id).desc(),))


class AuditRepository(Repository):
    """The audit of one tenant."""

    async def add(self, event: AuditEvent) -> None:
        """Write one line."""
        await self._add(event)

    async def find_creation(self, customer_id: str) -> AuditEvent | None:
        """Return the line about who made a customer that did not sign up."""
        return await self._find(_CREATION, customer_id=customer_id)

    async def find_latest(self, customer_id: str, action: AuditAction) -> AuditEvent | None:
        """Return the last line about a customer with this action, whatever came of it."""
        return await self._find(_NEWEST_FIRST, customer_id=customer_id, action=action.value)

    async def forget_ips(self, customer_id: str) -> None:
        """Erase the IP addresses from a customer's lines. The lines themselves stay."""
        lines = self._mine(AuditEvent, col(AuditEvent.customer_id) == customer_id)
        # It may change many rows, so it is no constant statement.
        await self._connection.write_anew(update(AuditEvent.__table__).where(lines).values(ip=None))
