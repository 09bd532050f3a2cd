"""Postal addresses of customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col

from app.models.addresses import Address
from app.repositories.base import Repository, Rows

_OF_CUSTOMER = Rows(Address, "customer_id", order_by=(col(Address.is_default).desc(), col(Address.id)))
_ONE = Rows(Address, "customer_id", "id")
_DEFAULT = Rows(Address, "customer_id", col(Address.is_default).is_(True))


class AddressRepository(Repository):
    """The addresses of one tenant; each statement is bound to one customer as well."""

    async def list(self, customer_id: str) -> Sequence[Address]:
        """Return a customer's addresses, the default first, then the oldest first."""
        return await self._list(_OF_CUSTOMER, customer_id=customer_id)

    async def find(self, customer_id: str, address_id: str) -> Address | None:
        """Return one of the customer's addresses."""
        return await self._find(_ONE, customer_id=customer_id, id=address_id)

    async def add(self, address: Address) -> None:
        """Write a new address."""
        await self._add(address)

    async def change(self, customer_id: str, row_id: str, now: datetime, **values: Any) -> None:
        """Set columns of one of the customer's addresses."""
        await self._change(_ONE, {"customer_id": customer_id, "id": row_id}, updated_at=now, **values)

    async def clear_default(self, customer_id: str, now: datetime) -> None:
        """Make the default address no longer the default."""
        await self._change(_DEFAULT, {"customer_id": customer_id}, is_default=False, updated_at=now)

    async def delete(self, customer_id: str, address_id: str) -> None:
        """Remove one of the customer's addresses."""
        await self._delete(_ONE, customer_id=customer_id, id=address_id)
