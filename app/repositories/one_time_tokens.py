"""Mailed tokens that work once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, select, update
from sqlmodel import col

from app.domain.ports import Connection
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.repositories.base import Repository, Rows
from app.repositories.lookups import Lookup

_UNUSED = (col(OneTimeToken.used_at).is_(None), col(OneTimeToken.revoked_at).is_(None))
_ONE = Rows(OneTimeToken, "token_hash", "purpose")
_CLAIMABLE = Rows(OneTimeToken, "token_hash", "purpose", *_UNUSED, col(OneTimeToken.expires_at) > bindparam("now"))
_OF_CUSTOMER = Rows(OneTimeToken, "customer_id")
_OPEN = Rows(OneTimeToken, "customer_id", "purpose", *_UNUSED, col(OneTimeToken.expires_at) > bindparam("now"))
_LATER = Rows(
    OneTimeToken,
    "customer_id",
    "purpose",
    or_(
        col(OneTimeToken.credential_version) > bindparam("credential_version"),
        col(OneTimeToken.email_key) == bindparam("email_key"),
    ),
    *_UNUSED,
)

_USED_IN = Rows(
    OneTimeToken, "customer_id", "purpose", "used_in_session", col(OneTimeToken.used_at) > bindparam("since")
)


_WORTHLESS_ELSEWHERE = Rows(
    OneTimeToken,
    "customer_id",
    col(OneTimeToken.email_key) != bindparam("email_key"),
    or_(
        col(OneTimeToken.used_at).is_not(None),
        col(OneTimeToken.revoked_at).is_not(None),
        col(OneTimeToken.expires_at) <= bindparam("now"),
    ),
)
_WAYS_BACK_HERE = Rows(
    OneTimeToken, "customer_id", "email_key", col(OneTimeToken.purpose) == Purpose.REVERT_EMAIL_CHANGE.value
)


class _Place:
    tenant_id: str


_TENANT = Lookup(
    _Place,
    OneTimeToken,
    select(col(OneTimeToken.tenant_id)).where(col(OneTimeToken.token_hash) == bindparam("token_hash")),
)


class OneTimeTokenLookup:
    """Finds the tenant of a token among those that it may belong to, in all for none: it alone decides whose it is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_tenant(self, tenant_ids: Sequence[str], token_hash: bytes) -> str | None:
        """Return the tenant that a one-time token belongs to, or None."""
        found = await _TENANT.find(self._connection, tenant_ids, token_hash=token_hash)
        return found.tenant_id if found is not None else None


class OneTimeTokenRepository(Repository):
    """The one-time tokens of one tenant."""

    async def add(self, token: OneTimeToken) -> None:
        """Write a new token."""
        await self._add(token)

    async def find(self, token_hash: bytes, purpose: Purpose) -> OneTimeToken | None:
        """Return a token that was made for this purpose."""
        return await self._find(_ONE, token_hash=token_hash, purpose=purpose.value)

    async def list_emails(self, customer_id: str) -> list[str]:
        """Return the addresses that a customer's tokens were mailed to."""
        return [token.email for token in await self._list(_OF_CUSTOMER, customer_id=customer_id)]

    async def list_open(self, customer_id: str, purpose: Purpose, now: datetime) -> Sequence[OneTimeToken]:
        """Return the customer's tokens for this purpose that can still be used."""
        return await self._list(_OPEN, customer_id=customer_id, purpose=purpose.value, now=now)

    async def claim(self, token_hash: bytes, purpose: Purpose, session_id: str | None, now: datetime) -> bool:
        """Use the token up; False if it was used, revoked or has expired, even at the same moment."""
        given = {"token_hash": token_hash, "purpose": purpose.value, "now": now}
        return await self._change(_CLAIMABLE, given, used_at=now, used_in_session=session_id) == 1

    async def was_used(self, customer_id: str, purpose: Purpose, session_id: str, since: datetime) -> bool:
        """Tell whether one of the customer's tokens for this purpose was used in this session since then."""
        used = await self._find(
            _USED_IN, customer_id=customer_id, purpose=purpose.value, used_in_session=session_id, since=since
        )
        return used is not None

    async def revoke(self, customer_id: str, now: datetime, *purposes: Purpose) -> None:
        """Revoke a customer's open tokens: those for these purposes, or all."""
        wanted = col(OneTimeToken.purpose).in_([purpose.value for purpose in purposes or Purpose])
        tokens = self._mine(OneTimeToken, col(OneTimeToken.customer_id) == customer_id, wanted, *_UNUSED)
        await self._connection.write_anew(update(OneTimeToken.__table__).where(tokens).values(revoked_at=now))

    async def forget_others(self, customer_id: str, email_key: str, now: datetime) -> None:
        """Remove what tells of other addresses than a customer's own, but for the ways back to them that still work."""
        given = {"customer_id": customer_id, "email_key": email_key}
        await self._delete(_WORTHLESS_ELSEWHERE, **given, now=now)
        await self._delete(_WAYS_BACK_HERE, **given)

    async def revoke_later(self, used: OneTimeToken, now: datetime) -> None:
        """Revoke the tokens that were made after this one for the same purpose, and those for the same address.

        An older token for the same purpose and another address stays.
        """
        given = {
            "customer_id": used.customer_id,
            "purpose": used.purpose,
            "credential_version": used.credential_version,
            "email_key": used.email_key,
        }
        await self._change(_LATER, given, revoked_at=now)
