"""The worker rests while nothing is due, and is woken by what any process writes: counted in statements."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from anyio import fail_after

from app.domain.requests import RequestFacts
from app.domain.tools import LiveTools
from app.models.outbox import OutboxKind, OutboxMessage
from app.models.webhook_endpoints import WebhookEndpointState
from app.services.caller import Caller
from app.services.outgoing.mails import send_mail
from app.services.outgoing.outbox import retry
from app.services.unit_of_work import UnitOfWork
from app.services.worker.lookout import Lookout
from app.worker import work
from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.receiver import PATIENCE
from tests.harness.rows import row_of
from tests.harness.transactions import write

pytestmark = pytest.mark.anyio

# So long that nothing but being woken, or the time that something is due, can be why the worker has looked.
NEVER = 3600.0


def open_unit(gateway: Gateway) -> UnitOfWork:
    return UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip="")))


async def queue(gateway: Gateway) -> None:
    async with open_unit(gateway) as uow:
        uow.enter(gateway.tools.tenants.tenant("demo"))
        await send_mail(uow, "password_changed", "a-customer", "ada@example.com")


async def is_true(told: Callable[[], object]) -> None:
    """Wait until it is so."""
    with fail_after(PATIENCE):
        while not told():  # noqa: ASYNC110 — it is another task, or another process, that moves on
            await asyncio.sleep(0.02)


async def is_mailed(gateway: Gateway, count: int = 1) -> None:
    await is_true(lambda: len(gateway.mails("ada@example.com")) >= count)


async def hears(gateway: Gateway) -> None:
    await is_true(lambda: gateway.tools.database.hears_others)


@asynccontextmanager
async def working(gateway: Gateway) -> AsyncIterator[None]:
    """Run the worker beside the gateway, from when it hears of others."""
    stop = asyncio.Event()
    worker = asyncio.create_task(work(LiveTools(gateway.tools), stop))
    try:
        await hears(gateway)
        yield
    finally:
        stop.set()
        await worker


@pytest.fixture
def only_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.worker.lookout.PAUSE", NEVER)
    monkeypatch.setattr("app.services.worker.lookout.PAUSE_ALONE", NEVER)


@pytest.fixture
async def other(environment: dict[str, str], clock: MovableClock, gateway: Gateway) -> AsyncIterator[Gateway]:
    """Run another gateway on the same database, as another process would be."""
    async with run_gateway(environment, clock) as running:
        yield running


class TestIdle:
    async def test_asks_the_database_less_than_once_a_second(self, gateway: Gateway) -> None:
        stop = asyncio.Event()
        lookout = Lookout(LiveTools(gateway.tools), stop)
        loop = asyncio.get_running_loop()
        kept = asyncio.gather(lookout.keep(), gateway.tools.database.watch(lookout.wake, stop))
        await hears(gateway)
        began = loop.time()
        with gateway.count_statements() as statements:
            await asyncio.sleep(3)
        stop.set()
        await kept
        # At the beginning there are two at most: what was written before anybody listened is looked for.
        assert len(statements) <= 2 + (loop.time() - began) / 5

    @pytest.mark.usefixtures("only_woken")
    async def test_is_not_kept_busy_by_what_nobody_can_do(self, gateway: Gateway) -> None:
        word, due = "https://gone.example", gateway.clock.now()
        message = row_of(OutboxMessage, "gone", word, kind=OutboxKind.EVENT.value, due_at=due, created_at=due)
        state = row_of(WebhookEndpointState, "gone", word, failures=9, paused_until=None, gone_at=None)
        await write(gateway.tools.database, message, state)
        async with working(gateway):
            with gateway.count_statements() as statements:
                await asyncio.sleep(2)
        # Those of the beginning: all of what has expired is looked for, too.
        assert len(statements) < 60


@pytest.mark.usefixtures("only_woken")
class TestWaking:
    async def test_is_at_once_for_what_the_same_process_writes(self, gateway: Gateway) -> None:
        async with working(gateway):
            for number in range(3):
                await queue(gateway)
                await is_mailed(gateway, number + 1)

    async def test_is_at_once_for_what_another_process_writes(self, gateway: Gateway, other: Gateway) -> None:
        async with working(gateway):
            for number in range(3):
                await queue(other)
                await is_mailed(gateway, number + 1)

    async def test_is_at_once_when_an_operator_says_so(self, gateway: Gateway, other: Gateway) -> None:
        await queue(gateway)
        async with open_unit(gateway) as uow:
            (message,) = await uow.outbox_queue.claim(uow.now, uow.now, 1, OutboxKind.MAIL)
            await uow.outbox_queue.settle(message, dead_at=uow.now)
        async with working(gateway):
            assert await retry(other.tools) == 1
            await is_mailed(gateway)

    async def test_comes_of_no_transaction_that_is_rolled_back(
        self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.adapters.database.sqlite_watch.LOOK", NEVER)
        woken: list[str] = []
        stop = asyncio.Event()
        watching = asyncio.create_task(gateway.tools.database.watch(lambda: woken.append(step), stop))
        step = "starting"
        await hears(gateway)
        connection = gateway.tools.database.connect()
        for step, end in (("rolled back", connection.rollback), ("nothing to say", connection.commit)):
            await connection.begin()
            if step == "rolled back":
                connection.announce()
            await end()
        step = "said"
        await connection.begin()
        connection.announce()
        await connection.commit()
        stop.set()
        await watching
        assert [each for each in woken if each != "starting"] == ["said"]

    async def test_is_when_the_time_has_come(self, gateway: Gateway) -> None:
        await queue(gateway)
        async with open_unit(gateway) as uow:
            assert await uow.outbox_queue.claim(uow.now, uow.now + timedelta(hours=1), 1, OutboxKind.MAIL)
        async with working(gateway):
            gateway.clock.advance(minutes=59)
            await asyncio.sleep(0.2)
            assert gateway.mails("ada@example.com") == []
            gateway.clock.advance(minutes=1)
            await is_mailed(gateway)
