"""Payment instruments of customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col

from app.domain.origins import Origin
from app.models.payment_instruments import PaymentInstrument
from app.repositories.base import Repository, Rows

_OF_CUSTOMER = Rows(
    PaymentInstrument, "customer_id", order_by=(col(PaymentInstrument.is_default).desc(), col(PaymentInstrument.id))
)
_ONE = Rows(PaymentInstrument, "customer_id", "id")
_UNKNOWN = Rows(PaymentInstrument, "customer_id", col(PaymentInstrument.origin).is_(None))
_UNPROVEN = Rows(PaymentInstrument, "customer_id", col(PaymentInstrument.origin) == Origin.UNPROVEN.value)
_DEFAULT = Rows(PaymentInstrument, "customer_id", col(PaymentInstrument.is_default).is_(True))


class PaymentInstrumentRepository(Repository):
    """The payment instruments of one tenant; each statement is bound to one customer as well."""

    async def list(self, customer_id: str) -> Sequence[PaymentInstrument]:
        """Return a customer's payment instruments, the default first, then the oldest first."""
        return await self._list(_OF_CUSTOMER, customer_id=customer_id)

    async def find(self, customer_id: str, instrument_id: str) -> PaymentInstrument | None:
        """Return one of the customer's payment instruments."""
        return await self._find(_ONE, customer_id=customer_id, id=instrument_id)

    async def add(self, instrument: PaymentInstrument) -> None:
        """Write a new payment instrument."""
        await self._add(instrument)

    async def change(self, customer_id: str, row_id: str, now: datetime, **values: Any) -> None:
        """Set columns of one of the customer's payment instruments."""
        await self._change(_ONE, {"customer_id": customer_id, "id": row_id}, updated_at=now, **values)

    async def clear_default(self, customer_id: str, now: datetime) -> None:
        """Take the default away from the instrument that has it."""
        await self._change(_DEFAULT, {"customer_id": customer_id}, is_default=False, updated_at=now)

    async def mark_unproven(self, customer_id: str, now: datetime) -> int:
        """Note that all were there before the first proof, none of them a default; return how many they are."""
        await self.clear_default(customer_id, now)
        return await self._change(_UNKNOWN, {"customer_id": customer_id}, origin=Origin.UNPROVEN.value)

    async def delete_unproven(self, customer_id: str) -> None:
        """Remove those of a customer that were there before the first proof."""
        await self._delete(_UNPROVEN, customer_id=customer_id)

    async def delete(self, customer_id: str, instrument_id: str) -> None:
        """Remove one of the customer's payment instruments."""
        await self._delete(_ONE, customer_id=customer_id, id=instrument_id)

    async def move(self, customer_id: str, to_customer_id: str) -> int:
        """Give all of a customer's payment instruments to another customer, and return how many they are.

        At most one of both may have a default.
        """
        return await self._change(_OF_CUSTOMER, {"customer_id": customer_id}, customer_id=to_customer_id)
