"""The agenda of the worker: what is due of all tenants, and the moment at which to look again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.agenda import Agenda, Work
from app.domain.anonymizations import AnonymizationStatus
from app.domain.ports import Database
from app.models.anonymizations import Anonymization
from app.models.base import TenantRow
from app.models.customers import Customer
from app.models.outbox import OutboxKind, OutboxMessage
from app.models.webhook_endpoints import WebhookEndpointState
from app.repositories.agenda import AgendaQueue
from tests.harness.rows import LATER, NOW, row_of
from tests.harness.transactions import write

pytestmark = pytest.mark.anyio

SOON = NOW + timedelta(microseconds=1)
NOTHING = Agenda(frozenset(), None)


def message(word: str, /, tenant: str = "shop", **values: Any) -> TenantRow:
    usual = {"endpoint": None, "due_at": NOW, "delivered_at": None, "dead_at": None}
    return row_of(OutboxMessage, tenant, word, **{**usual, **values})


def request(word: str, status: AnonymizationStatus, at: datetime) -> tuple[TenantRow, TenantRow]:
    return row_of(Customer, "shop", word), row_of(
        Anonymization, "shop", word, status=status.value, next_attempt_at=at, customer_id=word
    )


async def look(database: Database, *rows: TenantRow) -> Agenda:
    await write(database, *rows)
    return await AgendaQueue(database.connect()).look(NOW)


class TestLook:
    async def test_finds_nothing_in_an_empty_database(self, database: Database) -> None:
        assert await look(database) == NOTHING

    async def test_tells_the_kinds_that_are_due_of_all_tenants(self, database: Database) -> None:
        found = await look(
            database,
            message("a", kind=OutboxKind.MAIL.value),
            message("b", "other", kind=OutboxKind.TASK.value, due_at=NOW - timedelta(days=9)),
            message("c", kind=OutboxKind.EVENT.value, endpoint="https://hooks.example"),
            message("d", kind=OutboxKind.REVOCATION.value, delivered_at=NOW),
            message("e", kind=OutboxKind.PHONE_CODE.value, dead_at=NOW),
            *request("f", AnonymizationStatus.REQUESTED, NOW),
        )
        due = {OutboxKind.MAIL, OutboxKind.TASK, Work.ENDPOINTS, Work.ANONYMIZATIONS}
        assert found == Agenda(frozenset(due), None)

    @pytest.mark.parametrize("endpoint", [None, "https://hooks.example"])
    async def test_tells_when_the_next_message_is_due(self, database: Database, endpoint: str | None) -> None:
        found = await look(
            database,
            message("a", kind=OutboxKind.MAIL.value, endpoint=endpoint, due_at=LATER),
            message("b", kind=OutboxKind.MAIL.value, endpoint=endpoint, due_at=SOON),
            message("c", kind=OutboxKind.MAIL.value, endpoint=endpoint, due_at=SOON, delivered_at=NOW),
        )
        assert found == Agenda(frozenset(), SOON)

    async def test_tells_when_the_pause_of_an_endpoint_ends(self, database: Database) -> None:
        found = await look(
            database,
            row_of(WebhookEndpointState, "shop", "a", paused_until=LATER, gone_at=None),
            row_of(WebhookEndpointState, "shop", "b", paused_until=NOW, gone_at=None),
            row_of(WebhookEndpointState, "shop", "c", paused_until=SOON, gone_at=NOW),
        )
        assert found == Agenda(frozenset(), LATER)

    @pytest.mark.parametrize("status", [AnonymizationStatus.REQUESTED, AnonymizationStatus.FAILED])
    async def test_tells_when_the_next_customer_is_to_be_anonymized(
        self, database: Database, status: AnonymizationStatus
    ) -> None:
        found = await look(
            database,
            *request("a", status, LATER),
            *request("b", AnonymizationStatus.DONE, NOW),
            *request("c", AnonymizationStatus.CANCELED, SOON),
        )
        assert found == Agenda(frozenset(), LATER)
