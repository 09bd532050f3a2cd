"""Pairs of tokens that may be answered once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import col

from app.domain.ports import Connection
from app.models.sessions import KeptPair
from app.repositories.base import Repository, Rows
from app.repositories.lookups import Lookup

_IS_KEPT = col(KeptPair.expires_at) >= bindparam("now")
_NEWEST_FIRST = (col(KeptPair.created_at).desc(), col(KeptPair.refresh_hash))
_KEPT = Rows(KeptPair, "presented_hash", _IS_KEPT, order_by=_NEWEST_FIRST)
_BY_TOKEN = Lookup(
    KeptPair,
    KeptPair,
    select(KeptPair.__table__)
    .where(col(KeptPair.presented_hash) == bindparam("presented_hash"), _IS_KEPT)
    .order_by(*_NEWEST_FIRST),
)


class KeptPairLookup:
    """Finds what was answered to a token in the tenants that it may belong to; in all for none."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, tenant_ids: Sequence[str], presented_hash: bytes, now: datetime) -> Sequence[KeptPair]:
        """Return the pairs that were given for a token, the newest first."""
        return await _BY_TOKEN.list(self._connection, tenant_ids, presented_hash=presented_hash, now=now)


class KeptPairRepository(Repository):
    """The kept pairs of one tenant."""

    async def add(self, pair: KeptPair) -> None:
        """Keep a pair."""
        await self._add(pair)

    async def list(self, presented_hash: bytes, now: datetime) -> Sequence[KeptPair]:
        """Return the pairs that were given for a token, the newest first."""
        return await self._list(_KEPT, presented_hash=presented_hash, now=now)
