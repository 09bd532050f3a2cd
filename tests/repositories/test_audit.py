"""The audit only grows, whoever writes to the database."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

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
