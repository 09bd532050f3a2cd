"""TOTP secrets and recovery codes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_
from sqlmodel import col

from app.models.totp import RecoveryCode, TotpSecret
from app.repositories.base import Repository, Rows

_OF_CUSTOMER = Rows(TotpSecret, "customer_id", col(TotpSecret.removed_at).is_(None))
_ALL_OF_CUSTOMER = Rows(TotpSecret, "customer_id")
_ONE = Rows(TotpSecret, "customer_id", "id", col(TotpSecret.removed_at).is_(None))
_REMOVED = Rows(TotpSecret, "customer_id", "id", col(TotpSecret.removed_at).is_not(None))
_EVEN_REMOVED = Rows(TotpSecret, "customer_id", "id")
_STEP_UNUSED = Rows(
    TotpSecret,
    "customer_id",
    "id",
    col(TotpSecret.removed_at).is_(None),
    or_(col(TotpSecret.last_step).is_(None), col(TotpSecret.last_step) < bindparam("step")),
)
_UNUSED = (col(RecoveryCode.used_at).is_(None), col(RecoveryCode.removed_at).is_(None))
_UNUSED_CODES = Rows(RecoveryCode, "customer_id", "totp_id", *_UNUSED, order_by=(col(RecoveryCode.id),))
_CODES_OF_TOTP = Rows(RecoveryCode, "customer_id", "totp_id")
_CODES_THERE = Rows(RecoveryCode, "customer_id", "totp_id", col(RecoveryCode.removed_at).is_(None))
_CODES_REMOVED = Rows(RecoveryCode, "customer_id", "totp_id", "removed_at")
_CODES_OF_CUSTOMER = Rows(RecoveryCode, "customer_id")
_UNUSED_CODE = Rows(RecoveryCode, "customer_id", "id", *_UNUSED)


class TotpRepository(Repository):
    """The TOTP secrets of one tenant's customers; a removed one is found only where a method says so."""

    async def add_unless_enrolled(self, secret: TotpSecret) -> bool:
        """Write a new secret; False if the customer has one already, even at the same moment."""
        return await self._add_unless(secret)

    async def find(self, customer_id: str) -> TotpSecret | None:
        """Return a customer's secret."""
        return await self._find(_OF_CUSTOMER, customer_id=customer_id)

    async def use_step(self, customer_id: str, totp_id: str, step: int, now: datetime) -> bool:
        """Use the code of a time step up; False if it, or a later one, was used before, even at the same moment."""
        given = {"customer_id": customer_id, "id": totp_id, "step": step}
        return await self._change(_STEP_UNUSED, given, last_step=step, last_used_at=now) == 1

    async def change(self, customer_id: str, totp_id: str, **values: Any) -> bool:
        """Set columns of a customer's secret; False if it is not there."""
        return await self._change(_ONE, {"customer_id": customer_id, "id": totp_id}, **values) == 1

    async def remove(self, customer_id: str, totp_id: str, now: datetime) -> bool:
        """Take the secret away, so that it can be brought back; False if it is not there, even at the same moment."""
        return await self._change(_ONE, {"customer_id": customer_id, "id": totp_id}, removed_at=now) == 1

    async def bring_back(self, customer_id: str, totp_id: str) -> bool:
        """Undo `remove`; False if it was not removed. Take a newer one away before."""
        return await self._change(_REMOVED, {"customer_id": customer_id, "id": totp_id}, removed_at=None) == 1

    async def delete(self, customer_id: str, totp_id: str) -> None:
        """Delete one secret for good, removed or not."""
        await self._delete(_EVEN_REMOVED, customer_id=customer_id, id=totp_id)

    async def delete_all(self, customer_id: str) -> None:
        """Delete all secrets of a customer for good, removed ones too."""
        await self._delete(_ALL_OF_CUSTOMER, customer_id=customer_id)


class RecoveryCodeRepository(Repository):
    """The recovery codes of one tenant's customers."""

    async def add(self, code: RecoveryCode) -> None:
        """Write a new code."""
        await self._add(code)

    async def list_unused(self, customer_id: str, totp_id: str) -> Sequence[RecoveryCode]:
        """Return the codes of a secret that still work."""
        return await self._list(_UNUSED_CODES, customer_id=customer_id, totp_id=totp_id)

    async def claim(self, customer_id: str, code_id: str, now: datetime) -> bool:
        """Use a code up; False if it was used or is gone, even at the same moment."""
        return await self._change(_UNUSED_CODE, {"customer_id": customer_id, "id": code_id}, used_at=now) == 1

    async def remove_of(self, customer_id: str, totp_id: str, now: datetime) -> int:
        """Take the codes of a secret away, so that they can be brought back; return how many they were."""
        return await self._change(_CODES_THERE, {"customer_id": customer_id, "totp_id": totp_id}, removed_at=now)

    async def bring_back_of(self, customer_id: str, totp_id: str, removed_at: datetime) -> int:
        """Undo the `remove_of` of this moment; return how many codes came back, used ones too."""
        given = {"customer_id": customer_id, "totp_id": totp_id, "removed_at": removed_at}
        return await self._change(_CODES_REMOVED, given, removed_at=None)

    async def has_removed(self, customer_id: str, totp_id: str, removed_at: datetime) -> bool:
        """Tell whether codes of a secret were removed at this moment, and are not brought back."""
        given = {"customer_id": customer_id, "totp_id": totp_id, "removed_at": removed_at}
        return await self._find(_CODES_REMOVED, **given) is not None

    async def delete_of(self, customer_id: str, totp_id: str) -> None:
        """Delete the codes of a secret."""
        await self._delete(_CODES_OF_TOTP, customer_id=customer_id, totp_id=totp_id)

    async def delete_all(self, customer_id: str) -> None:
        """Delete all codes of a customer."""
        await self._delete(_CODES_OF_CUSTOMER, customer_id=customer_id)
