"""Orders that the order system has recorded with us."""

from __future__ import annotations

from app.models.orders import RecordedOrder
from app.repositories.base import Repository, Rows

_BY_REFERENCE = Rows(RecordedOrder, "reference")
_OF_CUSTOMER = Rows(RecordedOrder, "customer_id")


class OrderRepository(Repository):
    """The recorded orders of one tenant."""

    async def add_unless_recorded(self, order: RecordedOrder) -> bool:
        """Record an order; False if its reference was recorded before, even at the same moment."""
        return await self._add_unless(order, "tenant_id", "reference")

    async def find(self, reference: str) -> RecordedOrder | None:
        """Return the order with this reference."""
        return await self._find(_BY_REFERENCE, reference=reference)

    async def move(self, customer_id: str, to_customer_id: str) -> int:
        """Give all of a customer's orders to another customer, and return how many they are."""
        return await self._change(_OF_CUSTOMER, {"customer_id": customer_id}, customer_id=to_customer_id)
