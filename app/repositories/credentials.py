"""Login addresses and password hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import col

from app.models.credentials import Credential
from app.repositories.base import Repository


class CredentialRepository(Repository):
    """The credentials of one tenant."""

    async def add_unless_email_taken(self, credential: Credential) -> bool:
        """Write a new credential; False when its address belongs to someone already."""
        return await self._add_unless(credential, "tenant_id", "email_key")

    async def find_by_email(self, email_key: str) -> Credential | None:
        """Return the credential that signs in with this address."""
        return await self._find(Credential, col(Credential.email_key) == email_key)

    async def find(self, customer_id: str) -> Credential | None:
        """Return the credential of a customer."""
        return await self._find(Credential, col(Credential.customer_id) == customer_id)

    async def confirm_email(self, customer_id: str, version: int, now: datetime) -> bool:
        """Note that the customer owns the address; False when the credential is another one by now."""
        confirmed = await self._update(
            Credential,
            col(Credential.customer_id) == customer_id,
            col(Credential.version) == version,
            email_verified_at=now,
            must_confirm=False,
        )
        return confirmed == 1

    async def rehash(self, customer_id: str, old_hash: str, new_hash: str) -> None:
        """Keep the same password under today's parameters, unless it was changed meanwhile."""
        await self._update(
            Credential,
            col(Credential.customer_id) == customer_id,
            col(Credential.password_hash) == old_hash,
            password_hash=new_hash,
        )

    async def change(self, customer_id: str, version: int, now: datetime, **values: Any) -> bool:
        """Set columns, which makes it the next version; False when the credential is another version by now."""
        changed = await self._update(
            Credential,
            col(Credential.customer_id) == customer_id,
            col(Credential.version) == version,
            version=version + 1,
            changed_at=now,
            **values,
        )
        return changed == 1
