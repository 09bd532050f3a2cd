"""Requests to anonymize customers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import col

from app.domain.anonymizations import AnonymizationStatus
from app.domain.ports import Connection
from app.domain.rows import Reading
from app.models.anonymizations import Anonymization
from app.models.base import OfTenant
from app.repositories.base import Repository, Rows

TO_BE_DONE = (AnonymizationStatus.REQUESTED, AnonymizationStatus.IN_PROGRESS, AnonymizationStatus.FAILED)
_OF_CUSTOMER = Rows(Anonymization, "customer_id", order_by=(col(Anonymization.id).desc(),))
_AS_READ = Rows(Anonymization, "id", "status", "attempts")
_REQUESTED = Rows(Anonymization, "id", col(Anonymization.status) == AnonymizationStatus.REQUESTED.value)
_CLAIMED = Rows(Anonymization, "id", "attempts", col(Anonymization.status) == AnonymizationStatus.IN_PROGRESS.value)


class AnonymizationRepository(Repository):
    """The requests of one tenant. Lock the customer before you change one."""

    async def add_unless_open(self, anonymization: Anonymization) -> bool:
        """Write a new request; False if the customer already has one that is not canceled."""
        self._connection.announce()
        return await self._add_unless(anonymization)

    async def find_latest(self, customer_id: str) -> Anonymization | None:
        """Return the customer's latest request, in any state."""
        return await self._find(_OF_CUSTOMER, customer_id=customer_id)

    async def cancel(self, anonymization_id: str, now: datetime) -> bool:
        """Cancel a request; False if it was started or canceled, even at the same moment."""
        canceled = await self._change(
            _REQUESTED, {"id": anonymization_id}, status=AnonymizationStatus.CANCELED.value, canceled_at=now
        )
        return canceled == 1

    async def claim(self, due: Anonymization, now: datetime, until: datetime) -> bool:
        """Take a due request for this worker until the lease ends; False if it is canceled or taken."""
        claimed = await self._change(
            _AS_READ,
            {"id": due.id, "status": due.status, "attempts": due.attempts},
            status=AnonymizationStatus.IN_PROGRESS.value,
            # The values as they were read: a row that has changed since does not match.
            started_at=due.started_at or now,
            attempts=due.attempts + 1,
            next_attempt_at=until,
        )
        return claimed == 1

    async def settle(self, claimed: Anonymization, **values: Any) -> bool:
        """Write the state of a claimed request; False if another worker has got it in the meantime."""
        return await self._change(_CLAIMED, {"id": claimed.id, "attempts": claimed.attempts}, **values) == 1


class AnonymizationQueue:
    """The requests of several tenants, as the worker sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_tenants_due(self, now: datetime) -> Sequence[str]:
        """Return the ids of the tenants that have due requests, also of those that are gone."""
        statement = select(col(Anonymization.tenant_id)).where(*_due(now)).distinct()
        return [row.tenant_id for row in await self._connection.read_anew(Reading(OfTenant, statement))]

    async def list_due(self, now: datetime, tenant_ids: Collection[str], limit: int) -> Sequence[Anonymization]:
        """Return up to `limit` due requests of these tenants, the longest due first."""
        statement = (
            select(Anonymization.__table__)
            .where(*_due(now), col(Anonymization.tenant_id).in_(tenant_ids))
            .order_by(col(Anonymization.next_attempt_at), col(Anonymization.id))
            .limit(limit)
        )
        return await self._connection.read_anew(Reading(Anonymization, statement))


def _due(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    columns = Anonymization.__table__.c
    return columns.status.in_([status.value for status in TO_BE_DONE]), columns.next_attempt_at <= now
