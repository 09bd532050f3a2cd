"""Rows of all tenants that have expired, for the worker to delete."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, tuple_

from app.domain.ports import Connection
from app.domain.rows import Reading
from app.models.base import TenantRow


class PastRows:
    """Deletes by a time in the row, such as its end. That column should be the first of an index."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def delete(self, model: type[TenantRow], moment: str, before: datetime, limit: int) -> int:
        """Delete up to `limit` rows with an earlier time, and return how many.

        If there is none, it takes no write lock.
        """
        table = model.__table__
        past = select(*table.primary_key).where(table.c[moment] < before).limit(limit)
        if not await self._connection.read_anew(Reading(object, past.limit(1))):
            return 0
        mine = past.with_for_update(skip_locked=True)
        return await self._connection.write_anew(delete(table).where(tuple_(*table.primary_key).in_(mine)))
