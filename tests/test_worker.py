"""Worker processes: two share an outbox, and the sudden end of one loses nothing and repeats nothing unrecognizably."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from app.domain.requests import RequestFacts
from app.models.outbox import OutboxKind
from app.services.caller import Caller
from app.services.outgoing.mails import send_mail
from app.services.outgoing.outbox import outbox_state
from app.services.unit_of_work import UnitOfWork
from app.services.worker.delivery import LEASE
from app.settings import Settings
from tests.fakes import MovableClock
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.receiver import Receiver, run_receiver
from tests.harness.smtp_sink import PATIENCE, SmtpSink
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[1]
MAILS = 80

StartWorker = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    sink = SmtpSink(delay=0.05)
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def settings_environment(sink: SmtpSink) -> dict[str, str]:
    return {"SMTP_URL": sink.url, "MAIL_FROM": "Demo shop <shop@example.com>"}


@pytest.fixture
def start_worker(environment: dict[str, str]) -> Iterator[StartWorker]:
    """Start `python -m app worker`; all are gone after the test."""
    workers: list[subprocess.Popen[bytes]] = []
    others = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}

    def start() -> subprocess.Popen[bytes]:
        workers.append(subprocess.Popen([sys.executable, "-m", "app", "worker"], cwd=ROOT, env=others | environment))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait(PATIENCE)


def run_command(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    others = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=others | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


async def queue(gateway: Gateway, amount: int) -> dict[str, str]:
    """Have mails wait, and return the Message-ID that each recipient's has to have."""
    tools = gateway.tools
    async with UnitOfWork(tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
        uow.enter(tools.tenants.tenant("demo"))
        for number in range(amount):
            await send_mail(uow, "password_changed", f"customer-{number}", f"a{number}@example.com")
    rows = await gateway.rows("SELECT id, customer_id FROM outbox_message")
    return {f"a{row.customer_id.removeprefix('customer-')}@example.com": f"<{row.id}@127.0.0.1>" for row in rows}


class TestTwoWorkers:
    async def test_deliver_each_mail_once(
        self, environment: dict[str, str], clock: MovableClock, sink: SmtpSink, start_worker: StartWorker
    ) -> None:
        async with run_gateway(environment, clock) as gateway:
            message_ids = await queue(gateway, MAILS)
            workers = [start_worker(), start_worker()]
            await sink.wait_for(MAILS)
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
            assert [worker.wait(PATIENCE) for worker in workers] == [0, 0]
            assert (await outbox_state(gateway.tools)).waiting == 0
        assert sorted(sink.accepted) == sorted(message_ids.items())

    async def test_deliver_everything_when_one_is_killed_in_the_middle(
        self, environment: dict[str, str], clock: MovableClock, sink: SmtpSink, start_worker: StartWorker
    ) -> None:
        async with run_gateway(environment, clock) as gateway:
            message_ids = await queue(gateway, MAILS)
            victim, other = start_worker(), start_worker()
            await sink.wait_for(MAILS // 4)
            victim.kill()
            victim.wait(PATIENCE)
            await sink.wait_for(MAILS // 2)
            other.send_signal(signal.SIGTERM)
            assert other.wait(PATIENCE) == 0
            # Whatever the one that was killed had claimed is free when its lease has ended.
            clock.advance(seconds=LEASE.total_seconds() + PATIENCE)
            await gateway.deliver()
            assert (await outbox_state(gateway.tools)).waiting == 0
        assert set(sink.accepted) == set(message_ids.items())
        # At most what was on its way at that moment comes twice, and then under one Message-ID.
        assert len(sink.accepted) <= MAILS + 20


class TestReceiverThatWasAway:
    @pytest.fixture
    async def receiver(self) -> AsyncIterator[Receiver]:
        async with run_receiver() as running:
            yield running

    @pytest.fixture
    def settings_environment(self, tmp_path: Path, receiver: Receiver) -> dict[str, str]:
        webhook = f"""[[tenants.demo.webhooks]]
url = "{receiver.url}"
topics = ["customer.created"]
secret_env = "HOOK_SECRET"
"""
        (tmp_path / "tenants.toml").write_text(shop("demo") + storefront("demo", "demo-storefront") + webhook)
        secret = "whsec_" + b64encode(b"the secret of these tests, now").decode()
        return {"TENANTS_FILE": str(tmp_path / "tenants.toml"), "HOOK_SECRET": secret}

    async def test_for_a_second_has_all_thirty_events_ten_seconds_after_its_return(
        self, environment: dict[str, str], clock: MovableClock, receiver: Receiver, start_worker: StartWorker
    ) -> None:
        receiver.hangs_up = True
        async with run_gateway(environment, clock) as gateway:
            for number in range(30):
                gateway.ip = f"192.0.2.{number}"
                await gateway.signed_up()
            start_worker()
            start_worker()
            await receiver.wait_for(1)
            await asyncio.sleep(1)
            receiver.hangs_up = False
            before, back = len(receiver.deliveries), time.monotonic()
            while len({delivery.id for delivery in receiver.deliveries[before:]}) < 30:
                assert time.monotonic() < back + 10
                await asyncio.sleep(0.05)
            assert len(receiver.deliveries) == before + 30


class TestOutboxCommand:
    async def test_shows_what_was_given_up_and_puts_it_back(
        self, environment: dict[str, str], clock: MovableClock
    ) -> None:
        async with run_gateway(environment, clock) as gateway:
            await queue(gateway, 3)
            async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
                first, second = await uow.outbox_queue.claim(uow.now, uow.now, 2, OutboxKind.MAIL)
                for message in (first, second):
                    await uow.outbox_queue.settle(message, dead_at=uow.now, last_error="The SMTP server answered 550")
            shown = run_command(environment, "outbox")
            assert (shown.returncode, shown.stderr) == (0, "")
            assert shown.stdout.splitlines()[0] == "1 waiting (0 of them failing), 2 dead"
            assert f"{first.id}  password_changed  1 attempts  The SMTP server answered 550" in shown.stdout
            assert run_command(environment, "outbox", "retry", first.id).stdout == "1 will be tried again\n"
            again = run_command(environment, "outbox", "retry", first.id)
            assert (again.returncode, again.stdout) == (2, "")
            assert first.id in again.stderr
            assert run_command(environment, "outbox", "retry", "--all").stdout == "1 will be tried again\n"
            assert (await outbox_state(gateway.tools)).waiting == 3
