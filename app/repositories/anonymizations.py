"""Requests to anonymize customers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from app.domain.anonymizations import AnonymizationStatus
from app.domain.ports import Connection
from app.domain.rows import Reading
from app.models.anonymizations import Anonymization
from app.repositories.base import Repository, Rows

_TO_BE_DONE = (AnonymizationStatus.REQUESTED, AnonymizationStatus.IN_PROGRESS, AnonymizationStatus.FAILED)
_OF_CUSTOMER = Rows(Anonymization, "customer_id", order_by=(col(Anonymization.id).desc(),))
_AS_READ = Rows(Anonymization, "id", "status", "attempts")
_REQUESTED = Rows(Anonymization, "id", col(Anonymization.status) == AnonymizationStatus.REQUESTED.value)
_CLAIMED = Rows(Anonymization, "id", "attempts", col(Anonymization.status) == AnonymizationStatus.IN_PROGRESS.value)


class AnonymizationRepository(Repository):
    """The requests of one tenant; whoever changes one has locked the customer before."""

    async def add_unless_open(self, anonymization: Anonymization) -> bool:
        """Write a new request; False when the customer has one already that is not canceled."""
        return await self._add_unless(anonymization)

    async def find_latest(self, customer_id: str) -> Anonymization | None:
        """Return the customer's latest request, whatever became of it."""
        return await self._find(_OF_CUSTOMER, customer_id=customer_id)

    async def cancel(self, anonymization_id: str, now: datetime) -> bool:
        """Cancel a request; False when it has been started or canceled, however close in time."""
        canceled = await self._change(
            _REQUESTED, {"id": anonymization_id}, status=AnonymizationStatus.CANCELED.value, canceled_at=now
        )
        return canceled == 1

    async def claim(self, due: Anonymization, now: datetime, until: datetime) -> bool:
        """Take a due request for this worker until the lease ends; False when it is canceled, or another one's."""
        claimed = await self._change(
            _AS_READ,
            {"id": due.id, "status": due.status, "attempts": due.attempts},
            status=AnonymizationStatus.IN_PROGRESS.value,
            # As it was read: the row is still the same, or is not met.
            started_at=due.started_at or now,
            attempts=due.attempts + 1,
            next_attempt_at=until,
        )
        return claimed == 1

    async def settle(self, claimed: Anonymization, **values: Any) -> bool:
        """Write how far a claimed request has come; False when its lease went to another worker meanwhile."""
        return await self._change(_CLAIMED, {"id": claimed.id, "attempts": claimed.attempts}, **values) == 1


class AnonymizationQueue:
    """The requests of several tenants, as the worker sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_due(self, now: datetime, tenant_ids: Collection[str], limit: int) -> Sequence[Anonymization]:
        """Return up to `limit` requests of these tenants whose time has come, the longest due first."""
        statement = (
            select(Anonymization.__table__)
            .where(
                col(Anonymization.status).in_([status.value for status in _TO_BE_DONE]),
                col(Anonymization.next_attempt_at) <= now,
                col(Anonymization.tenant_id).in_(tenant_ids),
            )
            .order_by(col(Anonymization.next_attempt_at), col(Anonymization.id))
            .limit(limit)
        )
        return await self._connection.read_anew(Reading(Anonymization, statement))
