"""Orders that the order system has told us of."""

from __future__ import annotations

from app.models.orders import RecordedOrder
from app.repositories.base import Repository, Rows

_BY_REFERENCE = Rows(RecordedOrder, "reference")


class OrderRepository(Repository):
    """The recorded orders of one tenant."""

    async def add_unless_recorded(self, order: RecordedOrder) -> bool:
        """Write down an order; False when its reference is written down already, however close in time."""
        return await self._add_unless(order, "tenant_id", "reference")

    async def find(self, reference: str) -> RecordedOrder | None:
        """Return the order with this reference."""
        return await self._find(_BY_REFERENCE, reference=reference)
