"""Mailed tokens that work once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import col

from app.domain.ports import Connection
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.repositories.base import Repository


class OneTimeTokenLookup:
    """Finds the tenant of a token: it decides alone who it is for, whoever brings it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_tenant(self, token_hash: bytes) -> str | None:
        """Return the tenant that a one-time token belongs to, or None."""
        statement = select(col(OneTimeToken.tenant_id)).where(col(OneTimeToken.token_hash) == token_hash)
        rows = await self._connection.fetch(statement)
        return rows[0].tenant_id if rows else None


class OneTimeTokenRepository(Repository):
    """The one-time tokens of one tenant."""

    async def add(self, token: OneTimeToken) -> None:
        """Write a new token."""
        await self._add(token)

    async def find(self, token_hash: bytes, purpose: Purpose) -> OneTimeToken | None:
        """Return a token that was made for this purpose."""
        return await self._find(
            OneTimeToken, col(OneTimeToken.token_hash) == token_hash, col(OneTimeToken.purpose) == purpose.value
        )

    async def list_emails(self, customer_id: str) -> list[str]:
        """Return the addresses that a customer's tokens were mailed to."""
        return [token.email for token in await self._list(OneTimeToken, col(OneTimeToken.customer_id) == customer_id)]

    async def claim(self, token_hash: bytes, purpose: Purpose, session_id: str | None, now: datetime) -> bool:
        """Use the token up; False when it was used, revoked or has expired, however close in time."""
        claimed = await self._update(
            OneTimeToken,
            col(OneTimeToken.token_hash) == token_hash,
            col(OneTimeToken.purpose) == purpose.value,
            col(OneTimeToken.used_at).is_(None),
            col(OneTimeToken.revoked_at).is_(None),
            col(OneTimeToken.expires_at) > now,
            used_at=now,
            used_in_session=session_id,
        )
        return claimed == 1

    async def revoke(self, customer_id: str, now: datetime, *purposes: Purpose) -> None:
        """Make a customer's open tokens worthless: those for these purposes, or all."""
        await self._update(
            OneTimeToken,
            col(OneTimeToken.customer_id) == customer_id,
            col(OneTimeToken.purpose).in_([purpose.value for purpose in purposes or Purpose]),
            col(OneTimeToken.used_at).is_(None),
            col(OneTimeToken.revoked_at).is_(None),
            revoked_at=now,
        )

    async def revoke_later(self, used: OneTimeToken, now: datetime) -> None:
        """Make the tokens worthless that were made after this one for the same purpose, or for the same address.

        A token for the same purpose and another address that is older than this one stays.
        """
        await self._update(
            OneTimeToken,
            col(OneTimeToken.customer_id) == used.customer_id,
            col(OneTimeToken.purpose) == used.purpose,
            or_(
                col(OneTimeToken.credential_version) > used.credential_version,
                col(OneTimeToken.email_key) == used.email_key,
            ),
            col(OneTimeToken.used_at).is_(None),
            col(OneTimeToken.revoked_at).is_(None),
            revoked_at=now,
        )
