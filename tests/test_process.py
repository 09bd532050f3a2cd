"""A server process that ends, cleanly or not: what it had promised is kept by the next one."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.gateway import run_gateway
from tests.harness.postgresql import free_port
from tests.harness.server import PATIENCE, ServerClient, ServerProcess
from tests.harness.source import ROOT

pytestmark = pytest.mark.anyio

# What the first call that needs it imports.
NOT_AT_THE_START = {
    "aiosmtplib",
    "alembic",
    "authlib",
    "httpcore2",
    "httpx2",
    "jinja2",
    "jsonschema",
    "opentelemetry",
    "prometheus_client",
    "publicsuffixlist",
    "redis",
    "tqdm",
    "webauthn",
    "zxcvbn",
}


class SlowSink:
    """A mail server that takes a mail in, and leaves its sender without an answer until it is `released`."""

    def __init__(self) -> None:
        self.received = threading.Event()
        self.released = threading.Event()
        self.message_ids: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Note the mail; the sender may be gone before the answer."""
        self.message_ids.append(message_from_bytes(envelope.original_content or b"")["Message-ID"])
        self.received.set()
        await asyncio.to_thread(self.released.wait, PATIENCE)
        return "250 OK"


@pytest.fixture
def sink() -> SlowSink:
    return SlowSink()


@pytest.fixture
def smtp_url(sink: SlowSink) -> Iterator[str]:
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield f"smtp://127.0.0.1:{controller.port}"
    sink.released.set()
    controller.stop()


class TestStart:
    def test_loads_nothing_that_only_other_processes_need(self) -> None:
        """Each of these is megabytes in every process, and half a second of the start in all."""
        program = "import sys, app.commands.serving, app.main; print(*sys.modules)"
        loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT)
        assert set(loaded.stdout.split()) & NOT_AT_THE_START == set()

    @pytest.mark.parametrize("command", ["serve", "worker"])
    def test_is_not_ended_by_a_sighup_however_early(self, command: str, tmp_path: Path) -> None:
        """The signal comes with the first import of the program's own, long before anybody can take it."""
        program = f"""
import os, runpy, signal, sys

class Early:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("app.") and name != "app.__main__":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGHUP)
            sys.stderr.write("told early\\n")

sys.meta_path.insert(0, Early())
sys.argv = ["app", {command!r}]
runpy.run_module("app", run_name="__main__", alter_sys=True)
"""
        faulty = {"TENANTS_FILE": str(tmp_path / "missing.toml")}
        ended = subprocess.run([sys.executable, "-c", program], env=faulty, capture_output=True, text=True, cwd=ROOT)
        assert "told early" in ended.stderr
        assert "TENANTS_FILE" in ended.stderr
        assert ended.returncode == 2


class TestKill:
    async def test_loses_no_mail_between_the_commit_and_the_delivery(
        self, environment: dict[str, str], start_server: Callable[..., ServerProcess]
    ) -> None:
        before = start_server(WORKER="off")
        storefront = ServerClient(before)
        async with storefront.http:
            person = await storefront.signed_up()
        before.kill()
        assert storefront.mails() == []
        after = start_server()
        storefront = ServerClient(after)
        async with storefront.http:
            mail = await storefront.wait_for_mail(person.email)
            confirmed = await storefront.graphql(
                operations.CONFIRM_SIGNUP, {"input": {"token": mail.token}}, person.tokens.access
            )
            assert confirmed["confirmSignup"]["customerId"] == person.id
        after.stop()

    async def test_repeats_a_mail_that_was_under_way_under_its_old_message_id(
        self,
        environment: dict[str, str],
        start_server: Callable[..., ServerProcess],
        clock: MovableClock,
        sink: SlowSink,
        smtp_url: str,
    ) -> None:
        mail_server = {"SMTP_URL": smtp_url, "MAIL_FROM": "shop@example.com"}
        server = start_server(**mail_server)
        storefront = ServerClient(server)
        async with storefront.http:
            await storefront.signed_up()
            assert await asyncio.to_thread(sink.received.wait, PATIENCE)
        server.kill()
        sink.released.set()
        clock.advance(minutes=5)  # Until then the dead process counts as being about it.
        async with run_gateway({**environment, **mail_server, "PUBLIC_URL": server.url}, clock) as gateway:
            await gateway.deliver()
        first, second = sink.message_ids
        assert first == second


class TestTerminate:
    async def test_answers_what_is_under_way(self, start_server: Callable[..., ServerProcess]) -> None:
        server = start_server()
        storefront = ServerClient(server)
        async with storefront.http:
            person = await storefront.signed_up("open-storefront")
            sessions = await asyncio.gather(*(storefront.anonymous("open-storefront") for _ in range(4)))
            logins = [asyncio.create_task(storefront.login(person.email, token=session.access)) for session in sessions]
            await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
            server.signal(signal.SIGTERM)
            tokens = await asyncio.gather(*logins)
            assert len({each.access for each in tokens}) == len(sessions)
        server.wait_for_clean_end()

    async def test_leaves_sessions_alive_for_the_next_process(self, start_server: Callable[..., ServerProcess]) -> None:
        before = start_server()
        storefront = ServerClient(before)
        async with storefront.http:
            person = await storefront.signed_up("open-storefront")
            tokens = await storefront.login(person.email, client_id="open-storefront")
        before.stop()
        after = start_server()
        storefront = ServerClient(after)
        async with storefront.http:
            answer = await storefront.graphql("{ me { email } }", token=tokens.access)
            assert answer["me"] == {"email": person.email}
            assert (await storefront.refresh(tokens.refresh)).session_id == tokens.session_id
        after.stop()
