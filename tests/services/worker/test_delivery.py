"""The delivery of the outbox: everything arrives, once as far as anybody can tell, and nothing holds up the rest."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.domain.errors import BusyError
from app.domain.requests import RequestFacts
from app.domain.tools import Tools
from app.models.outbox import OutboxKind
from app.services.caller import Caller
from app.services.outgoing.mails import send_mail
from app.services.outgoing.outbox import outbox_state, retry
from app.services.unit_of_work import UnitOfWork
from app.services.worker.delivery import BATCH, DELIVERY_SECONDS, LEASE, MOST_ATTEMPTS, delay_after, deliver_due
from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.smtp_sink import SmtpSink

pytestmark = pytest.mark.anyio


def unit_of_work(tools: Tools) -> UnitOfWork:
    return UnitOfWork(tools, Caller(RequestFacts(request_id="test", ip="")))


async def queue(tools: Tools, *recipients: str, template: str = "password_changed") -> None:
    async with unit_of_work(tools) as uow:
        uow.enter(tools.tenants.tenant("demo"))
        for recipient in recipients:
            await send_mail(uow, template, "a-customer", recipient)


def addresses(amount: int) -> list[str]:
    return [f"a{number}@example.com" for number in range(amount)]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    sink = SmtpSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def settings_environment(sink: SmtpSink) -> dict[str, str]:
    return {"SMTP_URL": sink.url, "MAIL_FROM": "Demo shop <shop@example.com>"}


class TestDeliverDue:
    async def test_tries_again_without_an_error_when_the_database_was_busy(
        self, gateway: Gateway, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def wait(*_arguments: object) -> None:
            raise BusyError("The database does not answer.")

        await queue(gateway.tools, "ada@example.com")
        with monkeypatch.context() as away:
            away.setattr("app.services.worker.delivery._deliver", wait)
            assert await deliver_due(gateway.tools) == 1
        told = [each for each in caplog.records if each.name == "app.services.worker.delivery"]
        assert [(each.levelname, each.getMessage()) for each in told] == [("WARNING", "not delivered")]
        gateway.clock.advance(seconds=5)
        assert await deliver_due(gateway.tools) == 1
        assert sink.recipients == ["ada@example.com"]

    async def test_sends_what_waits_and_forgets_what_it_said(self, gateway: Gateway, sink: SmtpSink) -> None:
        await queue(gateway.tools, "ada@example.com")
        assert await deliver_due(gateway.tools) == 1
        ((recipient, message_id),) = sink.accepted
        assert recipient == "ada@example.com"
        ((row_id, payload, delivered),) = await gateway.rows("SELECT id, payload, delivered_at FROM outbox_message")
        assert message_id == f"<{row_id}@127.0.0.1>"
        assert payload in ({}, "{}")
        assert delivered is not None

    async def test_has_nothing_to_do_for_other_kinds(self, gateway: Gateway, sink: SmtpSink) -> None:
        await queue(gateway.tools, "ada@example.com")
        assert await deliver_due(gateway.tools, OutboxKind.TASK) == 0
        assert sink.accepted == []

    async def test_lets_requests_go_on_and_delivers_later_when_the_mail_server_is_away(
        self, gateway: Gateway, sink: SmtpSink
    ) -> None:
        sink.stop()
        for number in range(3):
            await gateway.signed_up(email=f"a{number}@example.com")
            await gateway.deliver()
            gateway.clock.advance(seconds=20)
        state = await outbox_state(gateway.tools)
        assert (state.waiting, state.failing, state.dead) == (3, 3, 0)
        sink.start()
        gateway.clock.advance(seconds=60)
        await gateway.deliver()
        assert sorted(sink.recipients) == addresses(3)
        assert (await outbox_state(gateway.tools)).waiting == 0

    async def test_lets_a_slow_receiver_hold_up_nobody_else(self, gateway: Gateway, sink: SmtpSink) -> None:
        sink.held.add("a0@example.com")
        await queue(gateway.tools, *addresses(BATCH))
        delivery = asyncio.ensure_future(deliver_due(gateway.tools))
        await sink.wait_for(BATCH - 1)
        assert not delivery.done()
        sink.let_go()
        assert await delivery == BATCH
        assert sorted(sink.recipients) == sorted(addresses(BATCH))

    async def test_delivers_each_once_with_two_workers(
        self, environment: dict[str, str], clock: MovableClock, sink: SmtpSink
    ) -> None:
        async with run_gateway(environment, clock) as first, run_gateway(environment, clock) as second:
            await queue(first.tools, *addresses(60))
            await asyncio.gather(first.deliver(), second.deliver(), first.deliver(), second.deliver())
        assert Counter(sink.recipients) == dict.fromkeys(addresses(60), 1)

    async def test_leaves_what_another_worker_has_until_its_lease_ends(self, gateway: Gateway, sink: SmtpSink) -> None:
        await queue(gateway.tools, "ada@example.com")
        async with unit_of_work(gateway.tools) as uow:
            (claimed,) = await uow.outbox_queue.claim(uow.now, uow.now + LEASE, BATCH)
        gateway.clock.advance(seconds=LEASE.total_seconds() - 1)
        assert await deliver_due(gateway.tools) == 0
        gateway.clock.advance(seconds=1)
        assert await deliver_due(gateway.tools) == 1
        assert sink.accepted == [("ada@example.com", f"<{claimed.id}@127.0.0.1>")]

    async def test_lets_a_worker_that_comes_back_too_late_settle_nothing(self, gateway: Gateway) -> None:
        await queue(gateway.tools, "ada@example.com")
        async with unit_of_work(gateway.tools) as uow:
            (claimed,) = await uow.outbox_queue.claim(uow.now, uow.now + LEASE, BATCH)
        gateway.clock.advance(seconds=LEASE.total_seconds())
        async with unit_of_work(gateway.tools) as uow:
            await uow.outbox_queue.claim(uow.now, uow.now + LEASE, BATCH)
            assert not await uow.outbox_queue.settle(claimed, dead_at=uow.now)

    def test_leases_for_longer_than_a_delivery_may_take(self) -> None:
        assert timedelta(seconds=2 * DELIVERY_SECONDS) < LEASE

    async def test_sets_aside_what_fails_too_often(self, gateway: Gateway, sink: SmtpSink) -> None:
        sink.stop()
        await queue(gateway.tools, "ada@example.com")
        for _ in range(MOST_ATTEMPTS):
            assert await deliver_due(gateway.tools) == 1
            gateway.clock.advance(hours=1)
        assert await deliver_due(gateway.tools) == 0
        (dead,) = (await outbox_state(gateway.tools)).dead_messages
        assert (dead.topic, dead.attempts) == ("password_changed", MOST_ATTEMPTS)
        assert dead.last_error
        assert "ada" not in dead.last_error

    async def test_tries_again_what_is_our_own_fault_and_delivers_the_rest(
        self, gateway: Gateway, sink: SmtpSink, caplog: pytest.LogCaptureFixture
    ) -> None:
        await queue(gateway.tools, "ada@example.com", template="no_such_template")
        await queue(gateway.tools, "bob@example.com")
        assert await deliver_due(gateway.tools) == 2
        assert sink.recipients == ["bob@example.com"]
        state = await outbox_state(gateway.tools)
        assert (state.waiting, state.failing) == (1, 1)
        assert [record.levelno for record in caplog.records if record.message == "not delivered"] == [logging.ERROR]

    async def test_gives_up_on_what_ends_every_worker(self, gateway: Gateway, sink: SmtpSink) -> None:
        await queue(gateway.tools, "ada@example.com")
        for _ in range(MOST_ATTEMPTS):
            async with unit_of_work(gateway.tools) as uow:
                assert await uow.outbox_queue.claim(uow.now, uow.now + LEASE, BATCH)
            gateway.clock.advance(seconds=LEASE.total_seconds())
        await gateway.deliver()
        assert (await outbox_state(gateway.tools)).dead == 1
        assert sink.accepted == []

    def test_waits_longer_after_each_failure_up_to_an_hour(self) -> None:
        waits = [delay_after(attempts).total_seconds() for attempts in (1, 2, 3, 10, 11, 24)]
        assert waits == [5, 10, 20, 2560, 3600, 3600]


class TestRetry:
    async def kill(self, gateway: Gateway, *recipients: str) -> list[str]:
        await queue(gateway.tools, *recipients)
        async with unit_of_work(gateway.tools) as uow:
            claimed = await uow.outbox_queue.claim(uow.now, uow.now + LEASE, BATCH)
            for message in claimed:
                await uow.outbox_queue.settle(message, dead_at=uow.now, last_error="The SMTP server answered 550")
        return [message.id for message in claimed]

    async def test_delivers_one_dead_message(self, gateway: Gateway, sink: SmtpSink) -> None:
        first, _ = await self.kill(gateway, "ada@example.com", "bob@example.com")
        assert await retry(gateway.tools, first) == 1
        await gateway.deliver()
        assert sink.recipients == ["ada@example.com"]
        assert (await outbox_state(gateway.tools)).dead == 1

    async def test_delivers_all_dead_messages(self, gateway: Gateway, sink: SmtpSink) -> None:
        await self.kill(gateway, "ada@example.com", "bob@example.com")
        assert await retry(gateway.tools) == 2
        await gateway.deliver()
        assert sorted(sink.recipients) == ["ada@example.com", "bob@example.com"]

    async def test_leaves_alone_what_is_not_dead(self, gateway: Gateway, sink: SmtpSink) -> None:
        await queue(gateway.tools, "ada@example.com")
        ((message_id,),) = await gateway.rows("SELECT id FROM outbox_message")
        await gateway.deliver()
        assert await retry(gateway.tools, message_id) == 0
        assert await retry(gateway.tools) == 0
        await gateway.deliver()
        assert sink.recipients == ["ada@example.com"]
