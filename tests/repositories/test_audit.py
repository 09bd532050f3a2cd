"""The audit only grows, whoever writes to the database, until its lines are old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from app.domain.requests import RequestFacts
from app.models.audit import AuditEvent
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lines(gateway: Gateway) -> int:
    """Make some lines of the audit, and return how many they are."""
    await gateway.customer()
    return len(await gateway.rows("SELECT id FROM audit_event"))


class TestAuditEvent:
    async def test_cannot_be_deleted(self, gateway: Gateway, lines: int) -> None:
        with pytest.raises(DBAPIError, match="only grows"):
            await gateway.write("DELETE FROM audit_event")
        assert len(await gateway.rows("SELECT id FROM audit_event")) == lines

    @pytest.mark.parametrize(("days", "goes"), [(26, False), (28, True)])
    async def test_can_be_deleted_when_it_is_old(self, gateway: Gateway, lines: int, days: int, goes: bool) -> None:
        occurred_at = datetime.now(UTC) - timedelta(days=days)
        old = AuditEvent(
            tenant_id="demo", id="old", occurred_at=occurred_at, action="a", outcome="b", request_id="c", detail={}
        )
        async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
            uow.enter(gateway.tools.tenants.tenant("demo"))
            await uow.audit.add(old)
        if goes:
            assert await gateway.write("DELETE FROM audit_event WHERE id = 'old'") == 1
        else:
            with pytest.raises(DBAPIError, match="only grows"):
                await gateway.write("DELETE FROM audit_event WHERE id = 'old'")
        assert len(await gateway.rows("SELECT id FROM audit_event")) == lines + (not goes)

    @pytest.mark.parametrize(
        "change",
        ["action = 'nothing'", "outcome = 'success'", "customer_id = NULL", "detail = NULL", "ip = '203.0.113.0/24'"],
    )
    async def test_cannot_be_changed(self, gateway: Gateway, lines: int, change: str) -> None:
        with pytest.raises(DBAPIError, match="only grows"):
            await gateway.write(f"UPDATE audit_event SET {change}")  # noqa: S608 - from the list above
        assert lines > 0

    async def test_can_forget_the_address(self, gateway: Gateway, lines: int) -> None:
        assert await gateway.write("UPDATE audit_event SET ip = NULL") == lines
        assert {row.ip for row in await gateway.rows("SELECT ip FROM audit_event")} == {None}
