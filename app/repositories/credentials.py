"""Login addresses and password hashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from app.domain.errors import Refused, UserErrorCode
from app.domain.rows import Reading
from app.models.credentials import Credential
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.repositories.base import Repository, Rows

_BY_EMAIL = Rows(Credential, "email_key")
_OF_CUSTOMER = Rows(Credential, "customer_id")
_VERSION = Rows(Credential, "customer_id", "version")
_HASHED_SO = Rows(Credential, "customer_id", "password_hash")
_WAY_BACK = Rows(
    OneTimeToken,
    "email_key",
    col(OneTimeToken.purpose) == Purpose.REVERT_EMAIL_CHANGE.value,
    col(OneTimeToken.customer_id) != bindparam("customer_id"),
    col(OneTimeToken.used_at).is_(None),
    col(OneTimeToken.revoked_at).is_(None),
    col(OneTimeToken.expires_at) > bindparam("now"),
)


class CredentialRepository(Repository):
    """The credentials of one tenant."""

    async def add_unless_email_taken(self, credential: Credential) -> bool:
        """Write a new credential; False if somebody has its address already, or it is reserved for somebody."""
        key = credential.email_key
        if key is not None and await self.find_way_back(key, credential.customer_id, credential.changed_at):
            return False
        return await self._add_unless(credential, "tenant_id", "email_key")

    async def is_email_taken(self, email_key: str, customer_id: str, now: datetime) -> bool:
        """Tell whether another customer has the address, or could still take it back."""
        owner = await self.find_by_email(email_key)
        if owner is not None and owner.customer_id != customer_id:
            return True
        return await self.find_way_back(email_key, customer_id, now) is not None

    async def find_way_back(self, email_key: str, customer_id: str, now: datetime) -> OneTimeToken | None:
        """Return the mailed token with which another customer can still take this address back."""
        return await self._find(_WAY_BACK, email_key=email_key, customer_id=customer_id, now=now)

    async def find_ids_by_email(self, email_keys: Sequence[str]) -> Mapping[str, str]:
        """Return the customer's id for each of these addresses that is a login address."""
        those = self._mine(Credential, col(Credential.email_key).in_(email_keys))
        rows = await self._connection.read_anew(Reading(Credential, select(Credential.__table__).where(those)))
        return {row.email_key or "": row.customer_id for row in rows}

    async def delete(self, customer_id: str) -> None:
        """Delete a credential that this transaction has written."""
        await self._delete(_OF_CUSTOMER, customer_id=customer_id)

    async def find_by_email(self, email_key: str) -> Credential | None:
        """Return the credential that signs in with this address."""
        return await self._find(_BY_EMAIL, email_key=email_key)

    async def find(self, customer_id: str) -> Credential | None:
        """Return the credential of a customer."""
        return await self._find(_OF_CUSTOMER, customer_id=customer_id)

    async def confirm_email(self, customer_id: str, version: int, now: datetime) -> bool:
        """Record that the customer owns the address; False if the credential has changed since."""
        given = {"customer_id": customer_id, "version": version}
        return await self._change(_VERSION, given, email_verified_at=now, must_confirm=False) == 1

    async def rehash(self, customer_id: str, old_hash: str, new_hash: str) -> None:
        """Store the same password with the current hash parameters, unless it has changed since."""
        given = {"customer_id": customer_id, "password_hash": old_hash}
        await self._change(_HASHED_SO, given, password_hash=new_hash)

    async def change(self, customer_id: str, version: int, now: datetime, **values: Any) -> bool:
        """Set columns and count one version up; False if the credential has another version now."""
        given = {"customer_id": customer_id, "version": version}
        return await self._change(_VERSION, given, version=version + 1, changed_at=now, **values) == 1

    async def set_password(
        self, customer_id: str, version: int, now: datetime, password_hash: str, **values: Any
    ) -> bool:
        """Set a password that the customer has chosen; False if the credential has another version now."""
        return await self.change(
            customer_id,
            version,
            now,
            password_hash=password_hash,
            password_version=version + 1,
            initial_password=False,
            **values,
        )

    async def change_email(
        self, customer_id: str, version: int, now: datetime, email: str, email_key: str, **values: Any
    ) -> bool:
        """Set a proven address; False if the credential has another version now.

        Raises `Refused` EMAIL_TAKEN if another customer has it; then the transaction can only be rolled back. The
        unique key decides between two at once.
        """
        taken = Refused(UserErrorCode.EMAIL_TAKEN, "Another customer has got this address: choose another one.")
        if await self.is_email_taken(email_key, customer_id, now):
            raise taken
        try:
            return await self.change(
                customer_id,
                version,
                now,
                email=email,
                email_key=email_key,
                **{"email_verified_at": now, "must_confirm": False, **values},
            )
        except IntegrityError as error:
            raise taken from error
