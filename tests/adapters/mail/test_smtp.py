"""What a mail server answers, and how the gateway logs in: real servers on loopback, with TLS, passwords and tokens."""

from __future__ import annotations

import asyncio
import base64
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.adapters.mail.smtp import SmtpMailer
from app.domain.ports import MailLineError, MailMessage, MailRefusedError
from tests.adapters.mail.conftest import certificate
from tests.fakes import MovableClock
from tests.harness.postgresql import free_port

pytestmark = pytest.mark.anyio

MESSAGE = MailMessage("<1@gateway.test>", "anna@example.org", "Hello", "Hello", "<p>Hello</p>")
SENDER = "shop@example.com"
# Ports of system services, on an address of this machine that nothing else uses.
LOOPBACK = "127.0.0.77"


class Server:
    """A mail server that answers as the test says; `logins` has the passwords and tokens that it was shown."""

    def __init__(self) -> None:
        self.mail = self.recipient = self.data = "250 OK"
        self.logins: list[str] = []
        self.right = "right"
        self.accepted: list[str] = []
        self.connections = 0
        self.greeted_by = ""
        self.lacks: tuple[str, ...] = ()
        self.hangs_up = False

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = self.greeted_by = hostname
        return [each for each in responses if not each[4:].startswith(self.lacks)]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.mail

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data.startswith("2"):
            self.accepted += envelope.rcpt_tos
        return self.data

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        said = base64.b64decode(args[1]).decode()
        self.logins.append(said)
        return AuthResult(success=said == f"user=us@er\x01auth=Bearer {self.right}\x01\x01", handled=False)

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, kind: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        self.logins.append(login.password.decode())
        if self.hangs_up and server.transport is not None:
            server.transport.close()
        return AuthResult(success=login.password.decode() == self.right, handled=False)


@pytest.fixture
def server() -> Server:
    return Server()


@contextmanager
def serving(server: Server, host: str = "127.0.0.1", port: int | None = None, **options: Any) -> Iterator[str]:
    controller = Controller(server, hostname=host, port=port or free_port(), **options)
    controller.start()
    try:
        yield f"{host}:{controller.port}"
    finally:
        controller.stop()


@contextmanager
def serving_with_login(server: Server) -> Iterator[str]:
    options: dict[str, Any] = {"authenticator": server.authenticate, "auth_require_tls": False}
    with serving(server, **options) as address:
        yield address


def mailer(url: str, command: str | None = None, clock: MovableClock | None = None) -> SmtpMailer:
    return SmtpMailer(url, SENDER, clock or MovableClock(), command)


def write(file: Path, text: str) -> None:
    file.write_text(text)


class TestAnswer:
    @pytest.mark.parametrize(
        ("step", "answer", "bounced"),
        [
            ("recipient", "550 5.1.1 anna is unknown here", True),
            ("recipient", "550 no", True),
            ("recipient", "552 5.2.2 the mailbox is full", True),
            ("recipient", "550 5.7.1 we relay for nobody", False),
            ("data", "554 5.1.1 anna is unknown here", True),
            ("data", "554 5.7.1 this looks like spam", False),
            ("mail", "550 5.1.8 we do not know this sender", False),
        ],
    )
    async def test_5yz_is_for_good(self, server: Server, step: str, answer: str, bounced: bool) -> None:
        setattr(server, step, answer)
        with serving(server) as address, pytest.raises(MailRefusedError) as error:
            await mailer(f"smtp://{address}").send(MESSAGE)
        assert (error.value.code, error.value.bounced) == (int(answer[:3]), bounced)
        assert "anna" not in str(error.value)

    @pytest.mark.parametrize("step", ["recipient", "data", "mail"])
    async def test_4yz_is_for_now(self, server: Server, step: str) -> None:
        setattr(server, step, "451 4.7.1 later")
        with serving(server) as address, pytest.raises(OSError, match="451") as error:
            await mailer(f"smtp://{address}").send(MESSAGE)
        assert not isinstance(error.value, MailRefusedError | MailLineError)

    async def test_530_means_that_we_have_to_log_in(self, server: Server) -> None:
        server.mail = "530 5.7.0 authentication required"
        with serving(server) as address, pytest.raises(MailLineError, match="530"):
            await mailer(f"smtp://{address}").send(MESSAGE)

    async def test_an_address_that_the_server_cannot_write_is_refused_for_good(self, server: Server) -> None:
        server.lacks = ("SMTPUTF8",)
        with serving(server) as address, pytest.raises(MailRefusedError, match="SMTPNotSupported") as error:
            await mailer(f"smtp://{address}").send(replace(MESSAGE, recipient="ännä@example.org"))
        assert (error.value.code, error.value.bounced) == (553, True)
        assert "example.org" not in str(error.value)


class TestGreeting:
    @pytest.mark.parametrize(
        ("name", "greeting"), [("localhost", "example.com"), ("f3a9c1", "example.com"), ("a.b.test", "a.b.test")]
    )
    async def test_names_us_by_a_domain(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, name: str, greeting: str
    ) -> None:
        monkeypatch.setattr(socket, "getfqdn", lambda: name)
        with serving(server) as address:
            await mailer(f"smtp://{address}").send(MESSAGE)
        assert server.greeted_by == greeting


class TestRefusedLogin:
    async def test_is_no_fault_of_the_mail(self, server: Server) -> None:
        with serving_with_login(server) as address, pytest.raises(MailLineError, match="535"):
            await mailer(f"smtp://us%40er:wrong@{address}").send(MESSAGE)

    async def test_does_not_silence_us_for_longer_when_the_clock_is_set_back(self, server: Server) -> None:
        clock = MovableClock()
        with serving_with_login(server) as address:
            sender = mailer(f"smtp://us%40er:wrong@{address}", clock=clock)
            with pytest.raises(MailLineError):
                await sender.send(MESSAGE)
            server.right = "wrong"
            clock.advance(hours=-1)
            await sender.send(MESSAGE)
        assert len(server.accepted) == 1

    async def test_by_hanging_up_stops_the_line(self, server: Server) -> None:
        server.hangs_up = True
        with serving_with_login(server) as address:
            sender = mailer(f"smtp://us%40er:wrong@{address}")
            for _ in range(3):
                with pytest.raises(MailLineError, match="hung up at our login"):
                    await sender.send(MESSAGE)
        assert server.connections == 1

    async def test_by_offering_none_stops_the_line(self, server: Server) -> None:
        server.lacks = ("AUTH",)
        with serving_with_login(server) as address, pytest.raises(MailLineError, match="offers no login"):
            await mailer(f"smtp://us%40er:right@{address}").send(MESSAGE)

    async def test_of_thirty_mails_at_once_is_one_connection_in_ten_seconds(self, server: Server) -> None:
        clock = MovableClock()
        with serving_with_login(server) as address:
            sender = mailer(f"smtp://us%40er:wrong@{address}", clock=clock)
            ends = await asyncio.gather(*(sender.send(MESSAGE) for _ in range(30)), return_exceptions=True)
            # Each may be the first to report it, so each knows what the server has said.
            assert {type(end) for end in ends} == {MailLineError}
            assert {str(end) for end in ends} == {"The SMTP server answered 535 to our login"}
            assert server.connections == 1
            clock.advance(seconds=10)
            server.right = "wrong"
            await asyncio.gather(*(sender.send(MESSAGE) for _ in range(30)))
        assert len(server.accepted) == 30


class TestTokenCommand:
    @pytest.fixture
    def token(self, tmp_path: Path) -> Path:
        """Return the file whose text the command prints, and to which it adds nothing."""
        (tmp_path / "token").write_text("right\n")
        return tmp_path / "token"

    async def test_logs_in_with_what_it_prints(self, server: Server, authority: trustme.CA, token: Path) -> None:
        with serving(server, ssl_context=certificate(authority), auth_require_tls=False) as address:
            await mailer(f"smtps://us%40er@{address}", f"cat '{token}'").send(MESSAGE)
        assert server.accepted == [MESSAGE.recipient]
        assert server.logins == ["user=us@er\x01auth=Bearer right\x01\x01"]

    async def test_is_asked_anew_after_a_refusal_and_after_a_minute(self, server: Server, token: Path) -> None:
        clock = MovableClock()
        with serving(server, auth_require_tls=False) as address:
            sender = mailer(f"smtp://us%40er@{address}", f"cat '{token}'", clock)
            await sender.send(MESSAGE)
            write(token, "newer")
            await sender.send(MESSAGE)
            server.right = "newer"
            with pytest.raises(MailLineError, match="answered 5"):
                await sender.send(MESSAGE)
            clock.advance(seconds=10)
            await sender.send(MESSAGE)
            write(token, "newest")
            server.right = "newest"
            clock.advance(seconds=60)
            await sender.send(MESSAGE)
            write(token, "last")
            server.right = "last"
            clock.advance(hours=-1)
            await sender.send(MESSAGE)
        assert len(server.accepted) == 5

    @pytest.mark.parametrize(
        ("command", "reason"),
        [
            ("false", "ended with exit code 1"),
            ("true", "printed no token"),
            ("printf 'one\\ntwo'", "printed no token"),
            ("/no/such/program", "could not be run"),
        ],
    )
    async def test_that_prints_none_stops_the_line_and_says_why(
        self, server: Server, command: str, reason: str
    ) -> None:
        with (
            serving(server, auth_require_tls=False) as address,
            pytest.raises(MailLineError, match=f"SMTP_TOKEN_COMMAND {reason}"),
        ):
            await mailer(f"smtp://us%40er@{address}", command).send(MESSAGE)

    async def test_may_take_ten_seconds(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.adapters.mail.tokens._PATIENCE", 0.2)
        command = f"{sys.executable} -c 'import time; time.sleep(60)'"
        with (
            serving(server, auth_require_tls=False) as address,
            pytest.raises(MailLineError, match="took longer"),
        ):
            await mailer(f"smtp://us%40er@{address}", command).send(MESSAGE)


class TestPort:
    @pytest.fixture(autouse=True)
    def _may_listen(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, 587))
            except PermissionError:
                pytest.skip("this user may not listen on such a port")

    async def test_is_587_of_smtp(self, server: Server) -> None:
        with serving(server, LOOPBACK, 587):
            await mailer(f"smtp://{LOOPBACK}").send(MESSAGE)
        assert server.accepted == [MESSAGE.recipient]

    async def test_is_465_of_smtps(self, server: Server, authority: trustme.CA) -> None:
        with serving(server, LOOPBACK, 465, ssl_context=certificate(authority, LOOPBACK)):
            await mailer(f"smtps://{LOOPBACK}").send(replace(MESSAGE, recipient="bob@example.org"))
        assert server.accepted == ["bob@example.org"]
