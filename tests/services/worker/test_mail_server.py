"""Mails that the server refuses, and a server that refuses us: the worker with a real mail server."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.domain.requests import RequestFacts
from app.domain.tools import LiveTools
from app.domain.topics import Topic
from app.services.caller import Caller
from app.services.outgoing.events import emit
from app.services.outgoing.mail_server import pause_after
from app.services.outgoing.mails import send_mail
from app.services.outgoing.outbox import outbox_state, retry
from app.services.unit_of_work import UnitOfWork
from app.services.worker.delivery import deliver_due
from app.worker import work
from tests.harness.gateway import Gateway
from tests.harness.integrations import SECRET as BACKEND_SECRET
from tests.harness.postgresql import free_port
from tests.harness.receiver import Receiver, run_receiver
from tests.harness.server import PATIENCE, ServerClient, ServerProcess
from tests.harness.staff import Staff
from tests.harness.tenants import integration, shop, storefront

pytestmark = pytest.mark.anyio

SECRET = "whsec_" + b64encode(b"the secret of these tests, now").decode()


class Server:
    """Takes mail of who logs in with `right`; `answers` has the answers to single recipients."""

    def __init__(self) -> None:
        self.port = free_port()
        self.right = "right"
        self.answers: dict[str, str] = {}
        self.accepted: list[str] = []
        self.tried: list[str] = []
        self.connections = 0
        self.moments: list[float] = []

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        self.moments.append(time.monotonic())
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.tried.append(address)
        envelope.rcpt_tos.append(address)
        return self.answers.get(address, "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.accepted += envelope.rcpt_tos
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, kind: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        return AuthResult(success=login.password.decode() == self.right, handled=False)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    controller = Controller(
        server, hostname="127.0.0.1", port=server.port, authenticator=server.authenticate, auth_require_tls=False
    )
    controller.start()
    yield server
    controller.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


@pytest.fixture
def settings_environment(tmp_path: Path, server: Server, receiver: Receiver) -> dict[str, str]:
    webhook = f'[[tenants.demo.webhooks]]\nurl = "{receiver.url}"\ntopics = ["mail.*"]\nsecret_env = "HOOK_SECRET"\n'
    clients = storefront("demo", "demo-storefront") + integration("demo", "demo-backend", secret_env="BACKEND_SECRET")
    (tmp_path / "tenants.toml").write_text(shop("demo") + clients + webhook)
    return {
        "TENANTS_FILE": str(tmp_path / "tenants.toml"),
        "HOOK_SECRET": SECRET,
        "BACKEND_SECRET": BACKEND_SECRET,
        "SMTP_URL": f"smtp://shop:right@127.0.0.1:{server.port}",
        "MAIL_FROM": "Demo shop <shop@example.com>",
    }


async def queue(gateway: Gateway, customer_id: str, *recipients: str) -> None:
    async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
        uow.enter(gateway.tools.tenants.tenant("demo"))
        for recipient in recipients:
            await send_mail(uow, "password_changed", customer_id, recipient)


async def is_bounced(gateway: Gateway, customer_id: str) -> bool:
    staff = await Staff.of(gateway)
    answer = await staff.graphql(f'{{ customer(id: "{customer_id}") {{ emailBounced }} }}')
    bounced: bool = answer["customer"]["emailBounced"]
    return bounced


class TestRefusedMail:
    async def test_ends_at_once_and_tells_the_shop(self, gateway: Gateway, server: Server, receiver: Receiver) -> None:
        person = await gateway.signed_up(email="ada@example.com")
        server.answers["ada@example.com"] = "550 5.1.1 nobody of this name"
        await queue(gateway, person.id, "ada@example.com")
        await gateway.deliver()
        (dead,) = (await outbox_state(gateway.tools)).dead_messages
        assert (dead.topic, dead.attempts) == ("password_changed", 1)
        (event,) = [delivery.verify(SECRET) for delivery in receiver.deliveries]
        assert event["type"] == "mail.failed"
        assert event["data"] == {"customerId": person.id, "template": "password_changed", "code": 550}
        assert await is_bounced(gateway, person.id)

    async def test_is_forgotten_when_a_mail_arrives_again(self, gateway: Gateway, server: Server) -> None:
        person = await gateway.signed_up(email="ada@example.com")
        server.answers["ada@example.com"] = "550 5.1.1 nobody of this name"
        await queue(gateway, person.id, "ada@example.com")
        await gateway.deliver()
        del server.answers["ada@example.com"]
        assert await retry(gateway.tools) == 1
        await gateway.deliver()
        assert server.accepted == ["ada@example.com"]
        assert not await is_bounced(gateway, person.id)

    async def test_to_an_address_of_before_says_nothing_of_the_one_of_today(
        self, gateway: Gateway, server: Server
    ) -> None:
        person = await gateway.signed_up(email="ada@example.com")
        server.answers["old@example.com"] = "550 5.1.1 nobody of this name"
        await queue(gateway, person.id, "old@example.com")
        await gateway.deliver()
        assert not await is_bounced(gateway, person.id)

    async def test_is_tried_again_where_the_answer_is_4yz(
        self, gateway: Gateway, server: Server, receiver: Receiver
    ) -> None:
        person = await gateway.signed_up(email="ada@example.com")
        server.answers["ada@example.com"] = "451 4.2.1 come again later"
        await queue(gateway, person.id, "ada@example.com")
        await gateway.deliver()
        del server.answers["ada@example.com"]
        gateway.clock.advance(seconds=5)
        await gateway.deliver()
        assert (server.accepted, receiver.deliveries) == (["ada@example.com"], [])


class TestRefusedLogin:
    async def test_stops_the_line_and_not_the_mail(self, gateway: Gateway, server: Server) -> None:
        server.right = "another one"
        await queue(gateway, "a-customer", *(f"a{number}@example.com" for number in range(30)))
        for _ in range(20):
            await deliver_due(gateway.tools)
        assert server.connections == 1
        rows = await gateway.rows("SELECT attempts FROM outbox_message WHERE dead_at IS NULL")
        assert [row.attempts for row in rows] == [0] * 30
        server.right = "right"
        gateway.clock.advance(seconds=10)
        await gateway.deliver()
        assert len(server.accepted) == 30

    async def test_is_repeated_by_a_single_mail_ever_more_seldom(self, gateway: Gateway, server: Server) -> None:
        server.right = "another one"
        await queue(gateway, "a-customer", *(f"a{number}@example.com" for number in range(30)))
        moments = []
        for second in range(0, 160, 5):
            before = server.connections
            await asyncio.gather(*(deliver_due(gateway.tools) for _ in range(4)))
            assert server.connections <= before + 1
            moments += [second] * (server.connections - before)
            gateway.clock.advance(seconds=5)
        assert moments == [0, 10, 30, 70, 150]
        assert pause_after(100).total_seconds() == 300

    async def test_is_tried_at_once_when_an_operator_says_so(self, gateway: Gateway, server: Server) -> None:
        server.right = "another one"
        await queue(gateway, "a-customer", "ada@example.com")
        for _ in range(10):
            await gateway.deliver()
            gateway.clock.advance(minutes=5)
        await gateway.deliver()
        server.right = "right"
        gateway.clock.advance(seconds=10)
        await retry(gateway.tools)
        await gateway.deliver()
        assert server.accepted == ["ada@example.com"]

    async def test_does_not_hold_up_events(self, gateway: Gateway, server: Server, receiver: Receiver) -> None:
        server.right = "another one"
        person = await gateway.signed_up(email="ada@example.com")
        await queue(gateway, person.id, "ada@example.com")
        async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
            uow.enter(gateway.tools.tenants.tenant("demo"))
            await emit(uow, Topic.MAIL_FAILED, person.id)
        stop = asyncio.Event()
        worker = asyncio.create_task(work(LiveTools(gateway.tools), stop))
        try:
            await receiver.wait_for(1)
        finally:
            stop.set()
            await worker
        assert server.accepted == []


class TestRunningServer:
    """The worker inside a process of its own, by the clock on the wall."""

    @pytest.fixture
    def settings_environment(self, tmp_path: Path, server: Server) -> dict[str, str]:
        (tmp_path / "tenants.toml").write_text(
            shop("demo", signup="confirm_email") + storefront("demo", "demo-storefront")
        )
        return {
            "TENANTS_FILE": str(tmp_path / "tenants.toml"),
            "SMTP_URL": f"smtp://shop:right@127.0.0.1:{server.port}",
            "MAIL_FROM": "Demo shop <shop@example.com>",
        }

    @pytest.fixture
    def process(self, environment: dict[str, str]) -> Iterator[ServerProcess]:
        process = ServerProcess(environment)
        try:
            process.start()
            yield process
        finally:
            process.end()

    async def test_tries_a_mail_once_that_is_refused_for_good(self, process: ServerProcess, server: Server) -> None:
        server.answers["ada@example.com"] = "550 5.1.1 nobody of this name"
        await sign_up(process, "ada@example.com")
        await until(lambda: "ada@example.com" in server.tried)
        await sign_up(process, "bob@example.com")
        await until(lambda: server.accepted == ["bob@example.com"])
        # Longer than the first pause before a mail is tried again.
        await asyncio.sleep(7)
        assert server.tried == ["ada@example.com", "bob@example.com"]

    async def test_connects_once_in_ten_seconds_while_its_login_is_refused(
        self, process: ServerProcess, server: Server
    ) -> None:
        server.right = "another one"
        emails = [f"a{number}@example.com" for number in range(5)]
        await sign_up(process, emails[0])
        told = "no mail is sent for 10 seconds: The SMTP server answered 535 to our login"
        await until(lambda: told in process.log)
        server.right = "right"
        await sign_up(process, *emails[1:])
        await until(lambda: sorted(server.accepted) == emails)
        first, second, *_ = server.moments
        assert second - first > 5
        assert process.log.count(told) == 1


async def sign_up(process: ServerProcess, *emails: str) -> None:
    client = ServerClient(process)
    for email in emails:
        await client.signed_up(email=email)
    await client.http.aclose()


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("It has not come to pass.")
