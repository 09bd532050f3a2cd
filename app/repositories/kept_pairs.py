"""Pairs of tokens that may be answered once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import col

from app.domain.ports import Connection
from app.domain.rows import Reading
from app.models.sessions import KeptPair
from app.repositories.base import Repository, Rows

_IS_KEPT = col(KeptPair.expires_at) >= bindparam("now")
_NEWEST_FIRST = (col(KeptPair.created_at).desc(), col(KeptPair.refresh_hash))
_KEPT = Rows(KeptPair, "presented_hash", _IS_KEPT, order_by=_NEWEST_FIRST)
_KEPT_ANYWHERE = Reading(
    KeptPair,
    select(KeptPair.__table__)
    .where(col(KeptPair.presented_hash) == bindparam("presented_hash"), _IS_KEPT)
    .order_by(*_NEWEST_FIRST),
)


class KeptPairLookup:
    """Finds what was answered to a token that does not work any more, so that nobody knows its tenant."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self, presented_hash: bytes, now: datetime) -> Sequence[KeptPair]:
        """Return the pairs that were given for a token, the newest first."""
        return await self._connection.read(_KEPT_ANYWHERE, {"presented_hash": presented_hash, "now": now})


class KeptPairRepository(Repository):
    """The kept pairs of one tenant."""

    async def add(self, pair: KeptPair) -> None:
        """Keep a pair."""
        await self._add(pair)

    async def list(self, presented_hash: bytes, now: datetime) -> Sequence[KeptPair]:
        """Return the pairs that were given for a token, the newest first."""
        return await self._list(_KEPT, presented_hash=presented_hash, now=now)
