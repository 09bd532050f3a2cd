"""Passkeys of customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col

from app.models.passkeys import Passkey
from app.repositories.base import Repository, Rows

_IS_THERE = col(Passkey.removed_at).is_(None)
_BY_CREDENTIAL = Rows(Passkey, "credential_id", _IS_THERE)
_OF_CUSTOMER = Rows(Passkey, "customer_id", _IS_THERE, order_by=(col(Passkey.id),))
_ALL_OF_CUSTOMER = Rows(Passkey, "customer_id")
_ONE = Rows(Passkey, "customer_id", "id", _IS_THERE)
_EVEN_REMOVED = Rows(Passkey, "customer_id", "id")
_REMOVED = Rows(Passkey, "customer_id", "id", col(Passkey.removed_at).is_not(None))
# The counter must rise, unless it is always zero (WebAuthn Level 3 section 6.1.1): the row as it was read decides.
_AS_READ = Rows(Passkey, "customer_id", "id", "sign_count", _IS_THERE)


class PasskeyRepository(Repository):
    """The passkeys of one tenant's customers; a removed one is found only where a method says so."""

    async def add_unless_taken(self, passkey: Passkey) -> bool:
        """Write a new passkey; False if its credential id is there already, even at the same moment."""
        return await self._add_unless(passkey, "tenant_id", "credential_id")

    async def find_by_credential(self, credential_id: bytes) -> Passkey | None:
        """Return the passkey with this credential id, whosever it is."""
        return await self._find(_BY_CREDENTIAL, credential_id=credential_id)

    async def list(self, customer_id: str) -> Sequence[Passkey]:
        """Return a customer's passkeys, the oldest first."""
        return await self._list(_OF_CUSTOMER, customer_id=customer_id)

    async def find(self, customer_id: str, passkey_id: str) -> Passkey | None:
        """Return one of a customer's passkeys."""
        return await self._find(_ONE, customer_id=customer_id, id=passkey_id)

    async def note_use(self, passkey: Passkey, sign_count: int, **values: Any) -> bool:
        """Set the counter and what else the use tells; False if the passkey was used or removed since it was read."""
        given = {"customer_id": passkey.customer_id, "id": passkey.id, "sign_count": passkey.sign_count}
        return await self._change(_AS_READ, given, **{**values, "sign_count": sign_count}) == 1

    async def change(self, customer_id: str, passkey_id: str, **values: Any) -> Passkey | None:
        """Set columns of one of a customer's passkeys, and return it as it is then; None if it is not there."""
        return await self._change_one(_ONE, {"customer_id": customer_id, "id": passkey_id}, **values)

    async def remove(self, customer_id: str, passkey_id: str, now: datetime) -> bool:
        """Take one away, so that it can be brought back; False if it is not there, even at the same moment."""
        return await self._change(_ONE, {"customer_id": customer_id, "id": passkey_id}, removed_at=now) == 1

    async def bring_back(self, customer_id: str, passkey_id: str) -> bool:
        """Undo `remove`; False if it was not removed."""
        return await self._change(_REMOVED, {"customer_id": customer_id, "id": passkey_id}, removed_at=None) == 1

    async def delete(self, customer_id: str, passkey_id: str) -> None:
        """Delete one for good, removed or not."""
        await self._delete(_EVEN_REMOVED, customer_id=customer_id, id=passkey_id)

    async def delete_all(self, customer_id: str) -> None:
        """Delete all passkeys of a customer for good, removed ones too."""
        await self._delete(_ALL_OF_CUSTOMER, customer_id=customer_id)
