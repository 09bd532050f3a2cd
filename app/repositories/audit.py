"""The audit, which can only grow."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import col

from app.domain.audit import AuditAction
from app.domain.rows import Reading
from app.models.audit import AuditEvent
from app.repositories.base import Condition, Repository, Rows

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

    async def list_latest(self, limit: int) -> Sequence[AuditEvent]:
        """Return the latest lines, the newest first."""
        return await self._list_latest(limit)

    async def list_about(self, customer_id: str, limit: int) -> Sequence[AuditEvent]:
        """Return the latest lines about a customer, the newest first."""
        return await self._list_latest(limit, col(AuditEvent.customer_id) == customer_id)

    async def _list_latest(self, limit: int, *conditions: Condition) -> Sequence[AuditEvent]:
        # In the order of the indexes; lines of one moment are in the order of their ids.
        order = (col(AuditEvent.occurred_at).desc(), col(AuditEvent.id).desc())
        lines = select(AuditEvent.__table__).where(self._mine(AuditEvent, *conditions)).order_by(*order).limit(limit)
        return await self._connection.read_anew(Reading(AuditEvent, lines))
