"""Everything about one customer in all tables: reads it for the export or erases it, as the registry says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, and_, delete, or_, select, union, update
from sqlmodel import col

from app.domain.audit import AuditAction, AuditOutcome
from app.domain.rows import Reading
from app.models.audit import AuditEvent
from app.models.base import TenantRow
from app.models.one_time_tokens import OneTimeToken
from app.models.outbox import OutboxKind, OutboxMessage
from app.models.personal_data import PERSONAL_TABLES, PersonalTable
from app.models.sessions import Session
from app.repositories.base import Condition, Repository

_COMING_IN = (AuditAction.SIGNUP.value, AuditAction.LOGIN.value, AuditAction.SOCIAL_LOGIN.value)


class _SessionId:
    id: str


class PersonalDataRepository(Repository):
    """The personal data of one tenant's customers. They may be many rows, so these are no constant statements."""

    async def list(self, table: PersonalTable, customer_id: str) -> Sequence[TenantRow]:
        """Return the customer's rows of one table, by its key."""
        columns = table.model.__table__.c
        theirs = self._mine(table.model, columns[table.key] == customer_id, *_narrowed(table))
        statement = select(table.model.__table__).where(theirs).order_by(*table.model.__table__.primary_key)
        return await self._connection.read_anew(Reading(table.model, statement))

    async def erase(self, customer_id: str) -> None:
        """Erase all personal data of a customer whose row is locked. A second time it changes nothing."""
        for table in PERSONAL_TABLES:
            columns = table.model.__table__.c
            await self._erase(table, columns[table.key] == customer_id)
            if table.by_session:
                await self._erase(table, columns.session_id.in_(self._session_ids(customer_id)))

    async def erase_mailed(self, customer_id: str) -> None:
        """Erase what was mailed about a customer who has not come to be one, and nothing else of who that was."""
        for table in PERSONAL_TABLES:
            if table.model in (OneTimeToken, OutboxMessage):
                await self._erase(table, table.model.__table__.c[table.key] == customer_id)

    async def _erase(self, table: PersonalTable, whose: ColumnElement[bool]) -> None:
        if not table.rows_stay:
            await self._delete_all(table.model, whose, *_narrowed(table))
        elif table.cleared:
            theirs = self._mine(table.model, whose, *_narrowed(table))
            await self._connection.write_anew(update(table.model.__table__).where(theirs).values(**table.cleared))

    async def _delete_all(self, model: type[TenantRow], *conditions: Condition) -> None:
        await self._connection.write_anew(delete(model.__table__).where(self._mine(model, *conditions)))

    async def list_session_ids(self, customer_id: str) -> set[str]:
        """Return the ids of all sessions that are or were the customer's, as far as the rows still say."""
        rows = await self._connection.read_anew(Reading(_SessionId, self._session_ids(customer_id)))
        return {row.id for row in rows}

    def _session_ids(self, customer_id: str) -> CompoundSelect[Any]:
        live = select(col(Session.id)).where(self._mine(Session, col(Session.customer_id) == customer_id))
        # Other people leave lines about the customer too, from their own sessions.
        came_in = and_(col(AuditEvent.action).in_(_COMING_IN), col(AuditEvent.outcome) == AuditOutcome.SUCCESS.value)
        past = select(col(AuditEvent.session_id)).where(
            self._mine(AuditEvent, col(AuditEvent.customer_id) == customer_id, col(AuditEvent.session_id).is_not(None)),
            or_(col(AuditEvent.actor_id) == customer_id, came_in),
        )
        return union(live, past)

    async def list_nobodys_tasks(self) -> Sequence[OutboxMessage]:
        """Return the open tasks that no known customer has caused."""
        tasks = self._mine(
            OutboxMessage,
            col(OutboxMessage.kind) == OutboxKind.TASK.value,
            col(OutboxMessage.customer_id).is_(None),
            col(OutboxMessage.delivered_at).is_(None),
        )
        return await self._connection.read_anew(Reading(OutboxMessage, select(OutboxMessage.__table__).where(tasks)))

    async def delete_tasks(self, task_ids: Collection[str]) -> None:
        """Remove tasks from the outbox."""
        await self._delete_all(OutboxMessage, col(OutboxMessage.id).in_(task_ids))


def _narrowed(table: PersonalTable) -> list[ColumnElement[bool]]:
    columns = table.model.__table__.c
    return [columns[name].in_(values) for name, values in table.only.items()]
