"""Mail and events that wait to be sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, func, literal, not_, or_, select, update
from sqlmodel import col

from app.domain.ports import Connection
from app.domain.rows import Reading
from app.models.base import OfTenant
from app.models.outbox import Endpoint, OutboxKind, OutboxMessage
from app.models.webhook_endpoints import FAILURES_BEFORE_PAUSE, MAIL_SERVER, WebhookEndpointState
from app.repositories.base import Repository, Rows, changing, deleting, mine, new_values

WAITS = and_(col(OutboxMessage.delivered_at).is_(None), col(OutboxMessage.dead_at).is_(None))
_IS_EVENT = col(OutboxMessage.kind) == OutboxKind.EVENT.value
_IS_DEAD = col(OutboxMessage.dead_at).is_not(None)
_CLAIMED = Rows(OutboxMessage, "id", "attempts", WAITS)
_HELD = Rows(OutboxMessage, "id", col(OutboxMessage.attempts) == 0, WAITS)
_MAILS_OF_CUSTOMER = Rows(
    OutboxMessage,
    "customer_id",
    col(OutboxMessage.kind) == OutboxKind.MAIL.value,
    col(OutboxMessage.delivered_at).is_(None),
)
_UNDELIVERED = Rows(OutboxMessage, "id", col(OutboxMessage.delivered_at).is_(None))
_EVENT = Rows(OutboxMessage, "id", _IS_EVENT)
_HAS_FAILED = col(OutboxMessage.last_error).is_not(None)
_DUE_FOR_ENDPOINT = and_(
    col(OutboxMessage.endpoint) == bindparam("endpoint"), col(OutboxMessage.due_at) <= bindparam("now"), WAITS
)
_NEXT = Reading(
    OutboxMessage,
    select(OutboxMessage.__table__)
    .where(
        mine(
            OutboxMessage,
            _DUE_FOR_ENDPOINT,
            col(OutboxMessage.id) > bindparam("after"),
            col(OutboxMessage.attempts) >= bindparam("least_attempts"),
        )
    )
    .order_by(col(OutboxMessage.id))
    .limit(1),
)
# While the mail server does not let us in, no mail is tried but a single one now and then.
_WAITS_FOR_SERVER = and_(
    col(OutboxMessage.kind) == OutboxKind.MAIL.value,
    col(OutboxMessage.endpoint).is_(None),
    exists(
        select(literal(1)).where(
            WebhookEndpointState.__table__.c.tenant_id == MAIL_SERVER[0],
            WebhookEndpointState.__table__.c.url == MAIL_SERVER[1],
        )
    ),
)
# Events are sent by their age, however long one has been put off; of all else, what has been due longest.
_TURN = case((col(OutboxMessage.endpoint).is_(None), col(OutboxMessage.due_at)), else_=col(OutboxMessage.created_at))
_OLD = Rows(OutboxMessage, "endpoint", _IS_EVENT, col(OutboxMessage.created_at) < bindparam("before"), WAITS)
_STATE_OF_ITS_ENDPOINT = and_(
    col(WebhookEndpointState.tenant_id) == col(OutboxMessage.tenant_id),
    col(WebhookEndpointState.url) == col(OutboxMessage.endpoint),
    col(WebhookEndpointState.gone_at).is_(None),
)
# While an endpoint fails, what has failed there waits for a probe to arrive, and after some failures everything does.
_WAITS_FOR_PROBE = exists(
    select(col(WebhookEndpointState.url)).where(
        _STATE_OF_ITS_ENDPOINT,
        or_(col(WebhookEndpointState.failures) >= FAILURES_BEFORE_PAUSE, col(OutboxMessage.attempts) > 0),
    )
)


class _Id:
    tenant_id: str
    id: str


class _EndpointOfMessage:
    tenant_id: str
    endpoint: str


class _Amount:
    amount: int


class _Counts:
    waiting: int
    failing: int
    dead: int


class _Backlog:
    oldest: datetime | None
    dead: int


_COUNTS = Reading(
    _Counts,
    select(
        func.count().filter(WAITS).label("waiting"),
        func.count().filter(WAITS, col(OutboxMessage.last_error).is_not(None)).label("failing"),
        func.count().filter(_IS_DEAD).label("dead"),
    ).select_from(OutboxMessage.__table__),
)
# Both are a few rows among many delivered ones; the partial index has only rows that are not delivered.
_BACKLOG = Reading(
    _Backlog,
    select(
        func.min(col(OutboxMessage.created_at)).filter(WAITS).label("oldest"),
        func.count().filter(_IS_DEAD).label("dead"),
    )
    .select_from(OutboxMessage.__table__)
    .where(col(OutboxMessage.delivered_at).is_(None)),
)


def _due(
    now: datetime, kind: OutboxKind | None = None, endpoint: Endpoint | None = None, *, though_stopped: bool = False
) -> ColumnElement[bool]:
    conditions = [WAITS, col(OutboxMessage.due_at) <= now]
    if kind is not None:
        conditions += [col(OutboxMessage.kind) == kind.value, col(OutboxMessage.endpoint).is_(None)]
    elif endpoint is not None:
        conditions.append(col(OutboxMessage.tenant_id) == endpoint.tenant_id)
        conditions.append(col(OutboxMessage.endpoint) == endpoint.url)
    if kind is None:
        conditions.append(or_(col(OutboxMessage.endpoint).is_(None), not_(_WAITS_FOR_PROBE)))
    if endpoint is None and kind in (None, OutboxKind.MAIL) and not though_stopped:
        conditions.append(not_(_WAITS_FOR_SERVER))
    return and_(*conditions)


class OutboxRepository(Repository):
    """The outbox of one tenant."""

    async def add(self, message: OutboxMessage) -> None:
        """Write a message to be delivered."""
        await self._add(message)
        self._connection.announce()

    async def take_back(self, message_id: str) -> OutboxMessage | None:
        """Delete a message that was held back and never tried, and return it; None if there is none."""
        message = await self._find(_HELD, id=message_id)
        return message if message is not None and await self._delete(_HELD, id=message_id) else None

    async def list_mails(self, customer_id: str) -> Sequence[OutboxMessage]:
        """Return the mails about a customer that have not left, those that were given up among them."""
        return await self._list(_MAILS_OF_CUSTOMER, customer_id=customer_id)

    async def drop(self, message_id: str) -> None:
        """Remove a message that has not left."""
        await self._delete(_UNDELIVERED, id=message_id)

    async def list_events(self, limit: int, *, only_failed: bool) -> Sequence[OutboxMessage]:
        """Return up to `limit` events, the latest first; with `only_failed`, those that failed and have not arrived."""
        events = self._mine(OutboxMessage, _IS_EVENT)
        if only_failed:
            events = and_(events, col(OutboxMessage.delivered_at).is_(None), col(OutboxMessage.last_error).is_not(None))
        statement = select(OutboxMessage.__table__).where(events).order_by(col(OutboxMessage.id).desc()).limit(limit)
        return await self._connection.read_anew(Reading(OutboxMessage, statement))

    async def find_to_probe(
        self, endpoint: str, now: datetime, after: str | None, *, only_tried: bool
    ) -> OutboxMessage | None:
        """Return the message that tries a failing endpoint next: in turn by age, so that none is in the others' way.

        `after` is the one that tried it last; `only_tried` leaves out what has never been sent.
        """
        given = {"endpoint": endpoint, "now": now, "least_attempts": int(only_tried)}
        found: OutboxMessage | None = await self._find(_NEXT, **given, after=after or "")
        if found is None and after:
            found = await self._find(_NEXT, **given, after="")
        return found

    async def give_up_old(self, endpoint: str, before: datetime, now: datetime) -> int:
        """Give up what has waited for an endpoint since before then, and return how much that was."""
        return await self._change(
            _OLD,
            {"endpoint": endpoint, "before": before},
            dead_at=now,
            last_error="The endpoint has not worked for days.",
        )

    async def wake(self, endpoint: str, now: datetime) -> int:
        """Make what has failed at an endpoint due, and return how much waits for it now."""
        of_endpoint = self._mine(OutboxMessage, col(OutboxMessage.endpoint) == endpoint, WAITS)
        failed = and_(of_endpoint, _HAS_FAILED, col(OutboxMessage.due_at) > now)
        await self._connection.write_anew(update(OutboxMessage.__table__).where(failed).values(due_at=now))
        self._connection.announce()
        due = and_(of_endpoint, col(OutboxMessage.due_at) <= now)
        counting = select(func.count().label("amount")).select_from(OutboxMessage.__table__).where(due)
        (row,) = await self._connection.read_anew(Reading(_Amount, counting))
        return row.amount

    async def find_event(self, message_id: str) -> OutboxMessage | None:
        """Return an event, in any state."""
        return await self._find(_EVENT, id=message_id)

    async def replay(self, message_id: str, now: datetime) -> None:
        """Make an event due again, as if it had never been tried."""
        await self._change(
            _EVENT, {"id": message_id}, due_at=now, attempts=0, delivered_at=None, dead_at=None, last_error=None
        )
        self._connection.announce()


class OutboxQueue:
    """The outbox of all tenants, as the worker sees it.

    What is due is read over all tenants and without locks; what is found is locked and changed tenant by tenant, with
    the tenant named, because a database that has the tenants on several servers locks on one at a time.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def endpoints_due(self, now: datetime) -> Sequence[Endpoint]:
        """Return the endpoints for which there is something to send, or to probe with."""
        state = WebhookEndpointState.__table__
        pause_is_over = or_(state.c.url.is_(None), state.c.paused_until.is_(None), state.c.paused_until <= now)
        is_new = and_(state.c.failures < FAILURES_BEFORE_PAUSE, col(OutboxMessage.attempts) == 0)
        due = (
            select(col(OutboxMessage.tenant_id), col(OutboxMessage.endpoint))
            .distinct()
            .select_from(OutboxMessage.__table__.outerjoin(state, _STATE_OF_ITS_ENDPOINT))
            .where(WAITS, col(OutboxMessage.due_at) <= now, col(OutboxMessage.endpoint).is_not(None))
            .where(or_(pause_is_over, is_new))
        )
        rows = await self._connection.read_anew(Reading(_EndpointOfMessage, due))
        return [Endpoint(row.tenant_id, row.endpoint) for row in rows]

    async def endpoints_to_probe(
        self, now: datetime, endpoint: Endpoint | None = None
    ) -> Sequence[WebhookEndpointState]:
        """Return the state of failing endpoints whose pause is over: of all, or of one if it is among them."""
        state = WebhookEndpointState.__table__
        over = select(state).where(
            state.c.gone_at.is_(None), or_(state.c.paused_until.is_(None), state.c.paused_until <= now)
        )
        if endpoint is not None:
            over = over.where(state.c.tenant_id == endpoint.tenant_id, state.c.url == endpoint.url)
        return await self._connection.read_anew(Reading(WebhookEndpointState, over))

    async def has_due(self, now: datetime, kind: OutboxKind, *, though_stopped: bool = False) -> bool:
        """Tell whether there is anything of a kind to claim, without a write lock."""
        due = select(col(OutboxMessage.id)).where(_due(now, kind, though_stopped=though_stopped)).limit(1)
        return bool(await self._connection.read_anew(Reading(object, due)))

    async def claim(
        self,
        now: datetime,
        until: datetime,
        limit: int,
        kind: OutboxKind | None = None,
        endpoint: Endpoint | None = None,
        *,
        though_stopped: bool = False,
    ) -> Sequence[OutboxMessage]:
        """Take up to `limit` due messages, the oldest first, for this worker until the lease ends.

        Each counts as one more attempt. What waits for a probe of its endpoint is left; so are mails while the mail
        server does not let us in, but for `though_stopped`. If there is none, it takes no write lock.
        """
        due = _due(now, kind, endpoint, though_stopped=though_stopped)
        order: list[Any] = [] if endpoint is not None else [_TURN if kind is None else col(OutboxMessage.due_at)]
        while found := await self._list_due(due, order, limit):
            taken: list[OutboxMessage] = []
            for tenant_id, ids in found.items():
                taken += await self._take(tenant_id, ids, now, until)
            if taken:
                return sorted(taken, key=lambda message: message.id)
            # Other workers are about to take all of these: look for others.
            due = and_(due, col(OutboxMessage.id).not_in([each for ids in found.values() for each in ids]))
        return []

    async def _list_due(
        self, due: ColumnElement[bool], order: Sequence[Any], limit: int
    ) -> Mapping[str, Sequence[str]]:
        """Return the ids of the messages whose turn it is, by their tenant; another worker may be about to take one."""
        key = (col(OutboxMessage.tenant_id), col(OutboxMessage.id))
        statement = select(*key).where(due).order_by(*order, col(OutboxMessage.id)).limit(limit)
        ids: defaultdict[str, list[str]] = defaultdict(list)
        for row in await self._connection.read_anew(Reading(_Id, statement)):
            ids[row.tenant_id].append(row.id)
        return ids

    async def _take(
        self, tenant_id: str, ids: Sequence[str], now: datetime, until: datetime
    ) -> Sequence[OutboxMessage]:
        """Lease those of a tenant's messages that no other worker has taken, or is about to take."""
        is_mine = col(OutboxMessage.tenant_id) == tenant_id
        free = (
            select(col(OutboxMessage.id))
            .where(is_mine, col(OutboxMessage.id).in_(ids), WAITS, col(OutboxMessage.due_at) <= now)
            .with_for_update(skip_locked=True)
        )
        taken = (
            update(OutboxMessage.__table__)
            .where(is_mine, col(OutboxMessage.id).in_(free))
            .values(due_at=until, attempts=col(OutboxMessage.attempts) + 1, last_error=None)
            .returning(OutboxMessage.__table__)
        )
        return await self._connection.read_anew(Reading(OutboxMessage, taken))

    async def settle(self, message: OutboxMessage, **values: Any) -> bool:
        """Write the result for a claimed message; False if another worker has got it in the meantime."""
        given = {"tenant_id": message.tenant_id, "id": message.id, "attempts": message.attempts}
        statement = changing(_CLAIMED, tuple(values))
        return await self._connection.write(statement, {**given, **new_values(values)}) == 1

    async def remove(self, message: OutboxMessage) -> bool:
        """Delete a claimed message; False if another worker has got it in the meantime."""
        given = {"tenant_id": message.tenant_id, "id": message.id, "attempts": message.attempts}
        return await self._connection.write(deleting(_CLAIMED), given) == 1

    async def count(self) -> tuple[int, int, int]:
        """Return how many messages wait, how many of those have failed before, and how many are dead."""
        (row,) = await self._connection.read_anew(_COUNTS)
        return row.waiting, row.failing, row.dead

    async def backlog(self) -> tuple[datetime | None, int]:
        """Return when the oldest message that waits was written, and how many are dead."""
        (row,) = await self._connection.read_anew(_BACKLOG)
        return row.oldest, row.dead

    async def list_dead(self, limit: int) -> Sequence[OutboxMessage]:
        """Return the messages that were given up, the latest first."""
        statement = (
            select(OutboxMessage.__table__)
            .where(_IS_DEAD)
            .order_by(col(OutboxMessage.dead_at).desc(), col(OutboxMessage.id))
            .limit(limit)
        )
        return await self._connection.read_anew(Reading(OutboxMessage, statement))

    async def list_waiting(self, limit: int) -> Sequence[OutboxMessage]:
        """Return the messages that wait, the one that is due first at the top."""
        statement = (
            select(OutboxMessage.__table__)
            .where(WAITS)
            .order_by(col(OutboxMessage.due_at), col(OutboxMessage.id))
            .limit(limit)
        )
        return await self._connection.read_anew(Reading(OutboxMessage, statement))

    async def revive(self, now: datetime, message_id: str | None) -> int:
        """Make due at once what was given up, as if it had never been tried, and what waits after a failure.

        One message or every one; return how many. What a worker is trying at this moment is left.
        """
        failed = or_(_IS_DEAD, and_(WAITS, _HAS_FAILED, col(OutboxMessage.due_at) > now))
        if message_id is not None:
            failed = and_(failed, col(OutboxMessage.id) == message_id)
        self._connection.announce()
        revived = 0
        for tenant_id in await self._list_tenants_to_revive(failed):
            revived += await self._connection.write_anew(
                update(OutboxMessage.__table__)
                .where(col(OutboxMessage.tenant_id) == tenant_id, failed)
                .values(dead_at=None, due_at=now, attempts=0, last_error=None)
            )
        return revived

    async def _list_tenants_to_revive(self, failed: ColumnElement[bool]) -> Sequence[str]:
        tenants = select(col(OutboxMessage.tenant_id)).where(failed).distinct()
        rows = await self._connection.read_anew(Reading(OfTenant, tenants.order_by(col(OutboxMessage.tenant_id))))
        return [row.tenant_id for row in rows]
