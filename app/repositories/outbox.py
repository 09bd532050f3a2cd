"""Mail and events that wait to leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import and_, select, update
from sqlmodel import col

from app.domain.ports import Connection
from app.models.outbox import OutboxMessage
from app.repositories.base import Repository

_WAITS = and_(col(OutboxMessage.delivered_at).is_(None), col(OutboxMessage.dead_at).is_(None))


class OutboxRepository(Repository):
    """The outbox of one tenant."""

    async def add(self, message: OutboxMessage) -> None:
        """Write a message to be delivered."""
        await self._add(message)


class OutboxQueue:
    """The outbox of all tenants, as the worker sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def has_due(self, now: datetime) -> bool:
        """Tell whether there is anything to claim, without keeping anyone from writing."""
        due = select(col(OutboxMessage.id)).where(_WAITS, col(OutboxMessage.due_at) <= now).limit(1)
        return bool(await self._connection.fetch(due))

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[OutboxMessage]:
        """Take up to `limit` due messages for this worker until the lease ends; each counts as one more attempt."""
        due = (
            select(col(OutboxMessage.tenant_id), col(OutboxMessage.id))
            .where(_WAITS, col(OutboxMessage.due_at) <= now)
            .order_by(col(OutboxMessage.due_at), col(OutboxMessage.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        await self._connection.begin()
        ids = [row.id for row in await self._connection.fetch(due)]
        if not ids:
            return []
        taken = (
            update(OutboxMessage.__table__)
            .where(col(OutboxMessage.id).in_(ids), _WAITS)
            .values(due_at=until, attempts=col(OutboxMessage.attempts) + 1)
            .returning(OutboxMessage.__table__)
        )
        rows = cast("Sequence[OutboxMessage]", await self._connection.execute_returning(taken))
        return sorted(rows, key=lambda message: message.id)

    async def settle(self, message: OutboxMessage, **values: Any) -> bool:
        """Write what came of a claimed message; False when its lease went to another worker meanwhile."""
        statement = (
            update(OutboxMessage.__table__)
            .where(
                col(OutboxMessage.tenant_id) == message.tenant_id,
                col(OutboxMessage.id) == message.id,
                col(OutboxMessage.attempts) == message.attempts,
                _WAITS,
            )
            .values(**values)
        )
        return await self._connection.execute(statement) == 1
