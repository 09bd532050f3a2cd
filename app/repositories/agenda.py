"""What the worker has to do, of all tenants: which kinds of work are due, and when the next will be."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, literal, or_, select, union_all
from sqlmodel import col

from app.domain.agenda import Agenda, Work
from app.domain.ports import Connection
from app.domain.rows import Reading
from app.models.anonymizations import Anonymization
from app.models.outbox import OutboxMessage
from app.models.webhook_endpoints import WebhookEndpointState
from app.repositories.anonymizations import TO_BE_DONE
from app.repositories.outbox import WAITS


class _Moment:
    what: str
    at: datetime | None


_OUTBOX = OutboxMessage.__table__.c
_STATE = WebhookEndpointState.__table__.c
_ANONYMIZATION = Anonymization.__table__.c
_IS_DUE = col(OutboxMessage.due_at) <= bindparam("now")
# Not as an IN, which cannot be compiled once.
_IS_TO_BE_DONE = or_(*(_ANONYMIZATION.status == status.value for status in TO_BE_DONE))
# Each part reads an index from its beginning or from this moment on, whatever else the tables hold. A kind may be told
# of though it waits for a server's pause to end: those who do the work know that, and the end of a pause is on the
# agenda, too.
_PARTS = (
    select(_OUTBOX.kind.label("what"), func.min(_OUTBOX.due_at).label("at"))
    .where(WAITS, _IS_DUE, _OUTBOX.endpoint.is_(None))
    .group_by(_OUTBOX.kind),
    select(literal(Work.ENDPOINTS.value), func.min(_OUTBOX.due_at)).where(
        WAITS, _IS_DUE, _OUTBOX.endpoint.is_not(None)
    ),
    select(literal(Work.ANONYMIZATIONS.value), func.min(_ANONYMIZATION.next_attempt_at)).where(
        _IS_TO_BE_DONE,
        _ANONYMIZATION.next_attempt_at <= bindparam("now"),
    ),
    select(literal(Work.LATER.value), func.min(_OUTBOX.due_at)).where(WAITS, _OUTBOX.due_at > bindparam("now")),
    select(literal(Work.LATER.value), func.min(_STATE.paused_until)).where(
        _STATE.gone_at.is_(None), _STATE.paused_until > bindparam("now")
    ),
    select(literal(Work.LATER.value), func.min(_ANONYMIZATION.next_attempt_at)).where(
        _IS_TO_BE_DONE,
        _ANONYMIZATION.next_attempt_at > bindparam("now"),
    ),
)
_MOMENTS = Reading(_Moment, union_all(*_PARTS))


class AgendaQueue:
    """The agenda of all tenants, as the worker sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def look(self, now: datetime) -> Agenda:
        """Return what is due now, and the first moment after it at which something will be; one statement, no lock."""
        moments = await self._connection.read(_MOMENTS, {"now": now})
        later = [row.at for row in moments if row.at is not None and row.what == Work.LATER]
        due = frozenset(row.what for row in moments if row.at is not None and row.what != Work.LATER)
        return Agenda(due, min(later, default=None))
