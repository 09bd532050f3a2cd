"""Visits, and the connection that turns one into a session before anything else is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Executable, bindparam, delete, select
from sqlmodel import col

from app.domain.ports import Connection
from app.domain.rows import Reading, RowT, Writing
from app.domain.tenant_rules import Lifetimes
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


class VisitConnection:
    """A `Connection` that speaks for a visit: the first thing that a transaction of it does is to make it a session.

    So what only reads leaves the visit what it is, and what is rolled back as well.
    """

    def __init__(self, connection: Connection, visit: Visit, lifetimes: Lifetimes) -> None:
        self._connection = connection
        self._visit = visit
        self._lifetimes = lifetimes
        self._is_session = False

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.begun

    async def begin(self) -> None:
        """Open the transaction, unless it is open, and have the visit become a session in it."""
        await self._connection.begin()
        if not self._is_session:
            await VisitRepository(self._connection, self._visit.tenant_id).become_session(self._visit, self._lifetimes)
            self._is_session = True

    async def commit(self) -> None:
        """Commit what was written."""
        await self._connection.commit()

    async def rollback(self) -> None:
        """Roll back what was written."""
        self._is_session = False
        await self._connection.rollback()

    async def read(self, reading: Reading[RowT], parameters: Mapping[str, Any]) -> Sequence[RowT]:
        """Return all rows of a constant statement."""
        if reading.statement.is_dml:
            await self.begin()
        return await self._connection.read(reading, parameters)

    async def read_anew(self, reading: Reading[RowT]) -> Sequence[RowT]:
        """Return all rows of a statement that is built for this call."""
        if reading.statement.is_dml:
            await self.begin()
        return await self._connection.read_anew(reading)

    async def write(self, statement: Writing, parameters: Mapping[str, Any]) -> int:
        """Run a constant statement, and return the number of changed rows."""
        await self.begin()
        return await self._connection.write(statement, parameters)

    async def write_anew(self, statement: Executable) -> int:
        """Run a statement that is built for this call, and return the number of changed rows."""
        await self.begin()
        return await self._connection.write_anew(statement)

    async def close(self) -> None:
        """Roll back what was not committed."""
        await self._connection.close()
