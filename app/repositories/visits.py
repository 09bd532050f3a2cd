"""Visits: anonymous sessions on whose behalf nothing was written yet."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select
from sqlmodel import col

from app.domain.ports import Connection
from app.domain.rows import Reading
from app.domain.tenants.rules import Lifetimes
from app.models.base import OfTenant
from app.models.visits import Visit, session_of, tokens_of
from app.repositories.base import Repository, Rows
from app.repositories.sessions import SessionRepository

_VISIT = Rows(Visit, "id")
_WITH_HASH = Rows(Visit, "id", "token_hash")


class OldestVisit(OfTenant):
    """Which visit of a tenant is the oldest."""

    id: bytes


_OLDEST_AFTER = Reading(
    OldestVisit,
    select(Visit.__table__.c.tenant_id, Visit.__table__.c.id)
    .where(col(Visit.tenant_id) > bindparam("after"))
    .order_by(col(Visit.tenant_id), col(Visit.id))
    .limit(1),
)


class VisitRepository(Repository):
    """The visits of one tenant."""

    async def add(self, visit: Visit) -> None:
        """Write a new visit."""
        await self._add(visit)

    async def find(self, visit_id: bytes, token_hash: bytes) -> Visit | None:
        """Return the visit whose tokens these are, as long as it is no session."""
        return await self._find(_WITH_HASH, id=visit_id, token_hash=token_hash)

    async def become_session(self, visit: Visit, lifetimes: Lifetimes) -> None:
        """Turn the visit into the session that it is; of several at once, one does, and the others find the session."""
        if not await self._delete(_VISIT, id=visit.id):
            return
        session = session_of(visit, lifetimes)
        sessions = SessionRepository(self._connection, self._tenant_id)
        await sessions.add(session)
        access, refresh = tokens_of(visit, session, lifetimes)
        await sessions.add_access_token(access)
        await sessions.add_refresh_token(refresh)


class VisitQueue:
    """The visits of all tenants, for the worker: it goes from tenant to tenant, and deletes in one at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_oldest_after(self, tenant_id: str) -> OldestVisit | None:
        """Return the oldest visit of the next tenant that has any, in the order of their ids."""
        rows = await self._connection.read(_OLDEST_AFTER, {"after": tenant_id})
        return rows[0] if rows else None

    async def delete_before(self, tenant_id: str, visit_id: bytes, limit: int) -> int:
        """Delete up to `limit` visits of a tenant with lower ids, which are the oldest, and return how many."""
        mine = col(Visit.tenant_id) == tenant_id
        past = select(col(Visit.id)).where(mine, col(Visit.id) < visit_id).order_by(col(Visit.id)).limit(limit)
        free = past.with_for_update(skip_locked=True)
        return await self._connection.write_anew(delete(Visit.__table__).where(mine, col(Visit.id).in_(free)))
