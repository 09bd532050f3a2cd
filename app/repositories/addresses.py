"""Postal addresses of customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_
from sqlmodel import col

from app.domain.origins import Origin
from app.models.addresses import PURPOSES, Address, AddressPurpose
from app.repositories.base import Repository, Rows

_OF_CUSTOMER = Rows(Address, "customer_id", order_by=(col(Address.is_default).desc(), col(Address.id)))
_ONE = Rows(Address, "customer_id", "id")
_UNKNOWN = Rows(Address, "customer_id", col(Address.origin).is_(None))
_IS_ANY_DEFAULT = or_(Address.is_default, Address.is_billing_default, Address.is_shipping_default)  # type: ignore[arg-type]
_UNKNOWN_DEFAULT = Rows(Address, "customer_id", col(Address.origin).is_(None), _IS_ANY_DEFAULT)
_MADE_AT = Rows(Address, "customer_id", "created_at", col(Address.origin).is_(None))
_UNPROVEN = Rows(Address, "customer_id", col(Address.origin) == Origin.UNPROVEN.value)
_DEFAULT = Rows(Address, "customer_id", col(Address.is_default).is_(True))
_DEFAULT_FOR = {
    purpose: Rows(Address, "customer_id", getattr(Address, column).is_(True)) for purpose, column in PURPOSES.items()
}
_NO_DEFAULT: dict[str, Any] = {"is_default": False, **dict.fromkeys(PURPOSES.values(), False)}


class AddressRepository(Repository):
    """The addresses of one tenant; each statement is bound to one customer as well."""

    async def list(self, customer_id: str) -> Sequence[Address]:
        """Return a customer's addresses, the default first, then the oldest first."""
        return await self._list(_OF_CUSTOMER, customer_id=customer_id)

    async def list_of(self, customer_ids: Sequence[str]) -> Sequence[Address]:
        """Return the addresses of these customers: of each the default first, then the oldest first."""
        return await self._list_of(_OF_CUSTOMER, customer_ids)

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

    async def clear_default_for(self, customer_id: str, purpose: AddressPurpose, now: datetime) -> None:
        """Make the default address for a purpose no longer that."""
        changed: dict[str, Any] = {PURPOSES[purpose]: False}
        await self._change(_DEFAULT_FOR[purpose], {"customer_id": customer_id}, updated_at=now, **changed)

    async def mark_shops(self, customer_id: str, made_at: datetime) -> None:
        """Note that the shop wrote those of the customer's addresses that were made at this very moment."""
        await self._change(_MADE_AT, {"customer_id": customer_id, "created_at": made_at}, origin=Origin.SHOP.value)

    async def mark_unproven(self, customer_id: str, now: datetime) -> int:
        """Note that all but the shop's were there before the first proof, none of them a default; return how many."""
        given = {"customer_id": customer_id}
        await self._change(_UNKNOWN_DEFAULT, given, **_NO_DEFAULT, updated_at=now)
        return await self._change(_UNKNOWN, given, origin=Origin.UNPROVEN.value)

    async def delete_unproven(self, customer_id: str) -> None:
        """Remove those of a customer that were there before the first proof."""
        await self._delete(_UNPROVEN, customer_id=customer_id)

    async def delete(self, customer_id: str, address_id: str) -> None:
        """Remove one of the customer's addresses."""
        await self._delete(_ONE, customer_id=customer_id, id=address_id)

    async def move(self, customer_id: str, to_customer_id: str) -> int:
        """Give all of a customer's addresses to another customer, and return how many they are.

        At most one of both may have a default.
        """
        return await self._change(_OF_CUSTOMER, {"customer_id": customer_id}, customer_id=to_customer_id)
