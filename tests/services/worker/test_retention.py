"""What each shop keeps for a time of its own, and the operators' table of what ends the rows of each table."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import ValidationError

from app.domain.requests import RequestFacts
from app.domain.tenants.rules import Lifetimes
from app.models import TABLES
from app.models.audit import AuditEvent
from app.models.base import TenantRow
from app.models.outbox import OutboxMessage
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork
from app.services.worker.purge import _KEPT
from app.services.worker.retention import months_before, purge_retained
from tests.harness.gateway import Gateway
from tests.harness.source import ROOT

pytestmark = pytest.mark.anyio

GONE = "a-shop-of-before"


async def keep(gateway: Gateway, tenant_id: str, *rows: TenantRow) -> None:
    """Write rows of a shop as they are."""
    async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
        uow.enter(gateway.tools.tenants.tenant("demo").model_copy(update={"id": tenant_id}))
        for row in rows:
            if isinstance(row, AuditEvent):
                await uow.audit.add(row)
            else:
                assert isinstance(row, OutboxMessage)
                await uow.outbox.add(row)


def line(tenant_id: str, written: datetime, name: str = "") -> AuditEvent:
    return AuditEvent(
        tenant_id=tenant_id,
        id=name or str(uuid4()),
        occurred_at=written,
        action="test",
        outcome="success",
        request_id="test",
        detail={},
    )


def given_up(tenant_id: str, at: datetime, name: str) -> OutboxMessage:
    return OutboxMessage(
        tenant_id=tenant_id, id=name, kind="event", topic="test", payload={}, created_at=at, due_at=at, dead_at=at
    )


async def _until_nothing_goes(gateway: Gateway) -> AsyncIterator[int]:
    gone = 1
    while gone:
        gone = await purge_retained(gateway.tools)
        yield gone


async def names(gateway: Gateway, table: str) -> set[str]:
    return {row.id for row in await gateway.rows(f"SELECT id FROM {table}")}  # noqa: S608


class TestAudit:
    async def test_goes_after_thirteen_months_in_every_shop(self, gateway: Gateway) -> None:
        due = months_before(gateway.clock.now(), 13)
        minute = timedelta(minutes=1)
        for tenant_id in ("demo", GONE):
            old, young = line(tenant_id, due - minute, f"{tenant_id}-old"), line(tenant_id, due + minute, tenant_id)
            await keep(gateway, tenant_id, old, young)
        assert await purge_retained(gateway.tools) == 2
        assert await names(gateway, "audit_event") == {"demo", GONE}
        assert await purge_retained(gateway.tools) == 0

    async def test_goes_in_batches_until_nothing_is_left(self, gateway: Gateway) -> None:
        old = months_before(gateway.clock.now(), 20)
        await keep(gateway, GONE, *(line(GONE, old) for _ in range(350)))
        # One call takes five batches, which are small where the machine is slow.
        went = [gone async for gone in _until_nothing_goes(gateway)]
        assert (sum(went), went[-1]) == (350, 0)
        assert await names(gateway, "audit_event") == set()

    async def test_is_asked_for_by_its_shop_in_every_statement_but_the_search_for_shops(self, gateway: Gateway) -> None:
        await keep(gateway, GONE, line(GONE, months_before(gateway.clock.now(), 20)))
        with gateway.count_statements() as statements:
            await purge_retained(gateway.tools)
        assert [each for each in statements if "tenant_id = " not in each and "tenant_id > " not in each] == []


class TestDeadLetters:
    async def test_go_after_ninety_days(self, gateway: Gateway) -> None:
        now = gateway.clock.now()
        old, young = given_up("demo", now - timedelta(days=91), "old"), given_up("demo", now - timedelta(days=89), "x")
        await keep(gateway, "demo", old, young)
        assert await purge_retained(gateway.tools) == 1
        assert await names(gateway, "outbox_message") == {"x"}

    async def test_stay_as_long_as_they_wait(self, gateway: Gateway) -> None:
        await gateway.signed_up()
        gateway.clock.advance(days=100)
        assert await purge_retained(gateway.tools) == 0
        assert len(await names(gateway, "outbox_message")) == 1


class TestLifetimes:
    @pytest.mark.parametrize(("key", "value"), [("audit_retention_months", 0), ("dead_letter_retention_days", 0)])
    def test_are_never_nothing(self, key: str, value: int) -> None:
        with pytest.raises(ValidationError, match=key):
            Lifetimes.model_validate({key: value})


class TestMonthsBefore:
    @pytest.mark.parametrize(
        ("moment", "months", "before"),
        [("2026-11-30", 13, "2025-10-30"), ("2026-03-31", 1, "2026-02-28"), ("2024-03-30", 1, "2024-02-29")],
    )
    def test_counts_by_the_calendar(self, moment: str, months: int, before: str) -> None:
        day = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        assert months_before(day, months) == datetime.fromisoformat(before).replace(tzinfo=UTC)

    def test_never_asks_for_what_the_database_refuses(self) -> None:
        days = [datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(4 * 366)]
        assert min(day - months_before(day, 1) for day in days) == timedelta(days=28)


def told() -> dict[str, str]:
    """Return what the operators' page says that ends the rows of each table."""
    page = (ROOT / "scripts" / "README.md").read_text().partition("### What is deleted, and when")[2]
    return dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page.partition("\n### ")[0], re.MULTILINE))


def in_words(kept: timedelta, moment: str) -> str:
    days, hours = kept.days, kept.seconds // 3600
    if not kept:
        return f"`{moment}`"
    amount, unit = (days, "day") if days else (hours, "hour")
    return f"{amount} {unit}{'s' if amount > 1 else ''} after `{moment}`"


class TestTheOperatorsPage:
    def test_tells_of_every_table_what_ends_its_rows(self) -> None:
        assert list(told()) == sorted(str(model.__tablename__) for model in TABLES)

    @pytest.mark.parametrize(("model", "moment", "kept"), _KEPT)
    def test_tells_how_long_rows_stay(self, model: type[TenantRow], moment: str, kept: timedelta) -> None:
        assert in_words(kept, moment) in told()[str(model.__tablename__)]

    def test_tells_of_no_time_that_nobody_keeps(self) -> None:
        purged = {model.__tablename__ for model, _, _ in _KEPT}
        times = {table for table, words in told().items() if re.search(r"`\w+_at`", words)}
        assert times == purged
        keys = {"audit_event": "audit_retention_months", "outbox_message": "dead_letter_retention_days"}
        assert {table for table, key in keys.items() if f"`{key}`" in told()[table]} == set(keys)
