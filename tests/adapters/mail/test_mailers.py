"""Mail over SMTP, to a real server on loopback, and mail to a folder."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.adapters.mail.mailers import FileMailer
from app.adapters.mail.smtp import SmtpMailer
from app.domain.ports import MailMessage
from tests.adapters.mail.conftest import certificate
from tests.harness.postgresql import free_port

pytestmark = pytest.mark.anyio

NOW = datetime(2025, 3, 1, 12, 30, 15, tzinfo=UTC)
SENDER = "Demo shop <shop@example.com>"
MESSAGE = MailMessage(
    message_id="<0195-abc@gateway.example>",
    recipient="anna@example.org",
    subject="Confirm your address",
    text="Welcome: https://shop.example/confirm?token=cg_ot_abc",
    html='<p>Welcome, <a href="https://shop.example/confirm?token=cg_ot_abc">confirm</a></p>',
    link="https://shop.example/confirm?token=cg_ot_abc",
)


class StillClock:
    def now(self) -> datetime:
        return NOW


class Sink:
    """What has arrived."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.sessions: list[Session] = []

    @property
    def envelope(self) -> Envelope:
        (envelope,) = self.envelopes
        return envelope

    @property
    def content(self) -> bytes:
        assert self.envelope.original_content is not None
        return self.envelope.original_content

    @property
    def mail(self) -> EmailMessage:
        return parse(self.content)


class Handler:
    """Takes what arrives, but for one recipient and one subject."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return f"550 5.1.1 {address} is unknown here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._sink.sessions.append(session)
        if b"Subject: full" in (envelope.original_content or b""):
            return "452 4.3.1 the disk is full"
        self._sink.envelopes.append(envelope)
        return "250 OK"


def parse(content: bytes) -> EmailMessage:
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@contextmanager
def serving(sink: Sink, **options: Any) -> Iterator[str]:
    controller = Controller(Handler(sink), hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield f"127.0.0.1:{controller.port}"
    finally:
        controller.stop()


@pytest.fixture
def sink() -> Sink:
    return Sink()


async def send(url: str, message: MailMessage = MESSAGE, sender: str = SENDER) -> None:
    await SmtpMailer(url, sender, StillClock()).send(message)


class TestSend:
    async def test_delivers_text_and_html_as_alternatives(self, sink: Sink) -> None:
        with serving(sink) as address:
            await send(f"smtp://{address}")
        assert sink.mail.get_content_type() == "multipart/alternative"
        text, html = sink.mail.iter_parts()
        assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
        assert text.get_content().strip() == MESSAGE.text
        assert html.get_content().strip() == MESSAGE.html

    async def test_writes_the_headers_that_mail_servers_look_for(self, sink: Sink) -> None:
        with serving(sink) as address:
            await send(f"smtp://{address}")
        assert sink.mail["From"] == SENDER
        assert sink.mail["To"] == MESSAGE.recipient
        assert sink.mail["Subject"] == MESSAGE.subject
        assert sink.mail["Message-ID"] == MESSAGE.message_id
        assert sink.mail["Date"].datetime == NOW
        assert sink.mail["Auto-Submitted"] == "auto-generated"
        assert sink.envelope.mail_from == "shop@example.com"
        assert sink.envelope.rcpt_tos == [MESSAGE.recipient]

    async def test_carries_any_language_without_asking_for_smtputf8(self, sink: Sink) -> None:
        message = replace(MESSAGE, subject="Bestätige Größe 👋", text="Grüße", html="<p>Grüße</p>")
        with serving(sink, enable_SMTPUTF8=False) as address:
            await send(f"smtp://{address}", message, sender="Müller & Söhne <shop@example.com>")
        assert sink.content.isascii()
        assert sink.mail["Subject"] == message.subject
        assert sink.mail["From"].addresses[0].display_name == "Müller & Söhne"
        assert [part.get_content().strip() for part in sink.mail.iter_parts()] == [message.text, message.html]

    async def test_writes_a_domain_in_ascii_without_asking_for_smtputf8(self, sink: Sink) -> None:
        with serving(sink, enable_SMTPUTF8=False) as address:
            await send(f"smtp://{address}", replace(MESSAGE, recipient="anna@straße.example"))
        assert sink.envelope.rcpt_tos == ["anna@xn--strae-oqa.example"]
        assert "SMTPUTF8" not in (sink.envelope.mail_options or [])

    async def test_asks_for_smtputf8_for_a_local_part_that_needs_it(self, sink: Sink) -> None:
        with serving(sink, enable_SMTPUTF8=True) as address:
            await send(f"smtp://{address}", replace(MESSAGE, recipient="jürg@straße.example"))
        assert sink.envelope.rcpt_tos == ["jürg@xn--strae-oqa.example"]
        assert "SMTPUTF8" in sink.envelope.mail_options
        assert "To: jürg@xn--strae-oqa.example".encode() in sink.content

    async def test_fails_when_the_server_cannot_take_such_a_local_part(self, sink: Sink) -> None:
        with serving(sink, enable_SMTPUTF8=False) as address, pytest.raises(OSError, match="SMTPNotSupported"):
            await send(f"smtp://{address}", replace(MESSAGE, recipient="jürg@example.org"))

    @pytest.mark.parametrize("recipient", ["a..b@docomo.ne.jp", "a.@ezweb.ne.jp", "o'brien@shop.ie"])
    async def test_reaches_who_has_dots_that_the_standard_has_not(self, sink: Sink, recipient: str) -> None:
        with serving(sink, enable_SMTPUTF8=False) as address:
            await send(f"smtp://{address}", replace(MESSAGE, recipient=recipient))
        assert sink.envelope.rcpt_tos == [recipient]
        assert f"To: {recipient}".encode() in sink.content

    async def test_lets_no_subject_bring_a_header_of_its_own(self, sink: Sink) -> None:
        with serving(sink) as address:
            await send(f"smtp://{address}", replace(MESSAGE, subject="Hello\r\nBcc: eve@example.org\u2028\x85X: y"))
        assert sink.mail["Subject"] == "Hello Bcc: eve@example.org X: y"
        assert "Bcc" not in sink.mail
        assert sink.envelope.rcpt_tos == [MESSAGE.recipient]

    @pytest.mark.parametrize(
        "recipient",
        [
            "",
            "anna",
            "anna@example.org\r\nBcc: eve@example.org",
            "anna@example.org, eve@example.org",
            "anna@example.org> SIZE=1",
            "a nna@example.org",
            "änna\n@example.org",
            "anna@exämple..org",
        ],
    )
    async def test_refuses_a_recipient_that_is_more_or_less_than_one_address(self, sink: Sink, recipient: str) -> None:
        with serving(sink) as address, pytest.raises(OSError, match="could not be sent"):
            await send(f"smtp://{address}", replace(MESSAGE, recipient=recipient))
        assert sink.envelopes == []

    async def test_lets_no_message_id_bring_a_header_of_its_own(self, sink: Sink) -> None:
        with serving(sink) as address, pytest.raises(OSError, match="could not be sent"):
            await send(f"smtp://{address}", replace(MESSAGE, message_id="<a@b>\r\nBcc: eve@example.org"))
        assert sink.envelopes == []

    async def test_fails_when_the_recipient_is_refused_without_naming_them(self, sink: Sink) -> None:
        with serving(sink) as address, pytest.raises(OSError, match="refused the recipient") as error:
            await send(f"smtp://{address}", replace(MESSAGE, recipient="nobody@example.org"))
        assert "550" in str(error.value)
        assert "nobody" not in str(error.value)

    async def test_fails_when_the_server_does_not_take_the_message(self, sink: Sink) -> None:
        with serving(sink) as address, pytest.raises(OSError, match="answered 452"):
            await send(f"smtp://{address}", replace(MESSAGE, subject="full"))

    async def test_fails_when_nobody_listens(self) -> None:
        with pytest.raises(OSError, match="SMTPConnectError"):
            await send(f"smtp://127.0.0.1:{free_port()}")

    async def test_encrypts_before_it_sends_where_starttls_is_required(self, sink: Sink, authority: trustme.CA) -> None:
        with serving(sink, tls_context=certificate(authority), require_starttls=True) as address:
            await send(f"smtp://{address}?starttls=required")
        assert sink.sessions[0].ssl is not None
        assert sink.mail["Subject"] == MESSAGE.subject

    async def test_sends_nothing_where_starttls_is_required_and_not_offered(self, sink: Sink) -> None:
        with serving(sink) as address, pytest.raises(OSError, match="could not be used"):
            await send(f"smtp://{address}?starttls=required")
        assert sink.envelopes == []

    @pytest.mark.usefixtures("authority")
    async def test_sends_nothing_to_a_server_whose_authority_is_unknown(self, sink: Sink) -> None:
        stranger = certificate(trustme.CA())
        with (
            serving(sink, tls_context=stranger) as address,
            pytest.raises(OSError, match=r"could not be used|certificate"),
        ):
            await send(f"smtp://{address}?starttls=required")
        assert sink.envelopes == []

    async def test_sends_nothing_to_a_server_with_another_name(self, sink: Sink, authority: trustme.CA) -> None:
        other = certificate(authority, "mail.example.org")
        with (
            serving(sink, tls_context=other) as address,
            pytest.raises(OSError, match=r"could not be used|certificate"),
        ):
            await send(f"smtp://{address}?starttls=required")
        assert sink.envelopes == []

    async def test_talks_tls_from_the_start_to_an_smtps_server(self, sink: Sink, authority: trustme.CA) -> None:
        with serving(sink, ssl_context=certificate(authority)) as address:
            await send(f"smtps://{address}")
        assert sink.mail["Subject"] == MESSAGE.subject

    async def test_logs_in_with_the_user_and_password_of_the_url(self, sink: Sink, authority: trustme.CA) -> None:
        seen: list[LoginPassword] = []

        def authenticate(server: SMTP, session: Session, envelope: Envelope, kind: str, login: Any) -> AuthResult:
            seen.append(login)
            return AuthResult(success=True)

        options = {"tls_context": certificate(authority), "authenticator": authenticate, "auth_required": True}
        with serving(sink, **options) as address:
            await send(f"smtp://us%40er:p%2Fass@{address}?starttls=required")
        assert seen == [LoginPassword(b"us@er", b"p/ass")]
        assert sink.mail["Subject"] == MESSAGE.subject


class TestSmtpUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp://mail.example/path",
            "smtp://mail.example?starttls=maybe",
            "smtp://mail.example?starttls=",
            "smtp://mail.example?verify=no",
            "smtps://mail.example?starttls=required",
            "smtp://mail.example:port",
        ],
    )
    def test_is_refused_when_it_is_not_understood(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"^[^\n]+$"):
            SmtpMailer(url, SENDER, StillClock())

    def test_is_refused_without_showing_its_password(self) -> None:
        with pytest.raises(ValueError, match="SMTP URL") as error:
            SmtpMailer("smtp://user:geheim@mail.example/path", SENDER, StillClock())
        assert "geheim" not in str(error.value)


class TestSender:
    @pytest.mark.parametrize(
        "sender", ["", "shop", "a@example.com, b@example.com", "shop@example.com\r\nBcc: eve@example.org", "<>"]
    )
    def test_is_refused_when_it_is_not_one_address(self, sender: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="one e-mail address"):
            FileMailer(tmp_path, sender, StillClock())


class TestFileMailer:
    async def test_writes_a_file_that_mail_programs_read(self, tmp_path: Path) -> None:
        await FileMailer(tmp_path / "mail", SENDER, StillClock()).send(MESSAGE)
        (path,) = (tmp_path / "mail").iterdir()
        assert path.suffix == ".eml"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        mail = parse(path.read_bytes())
        assert mail["Message-ID"] == MESSAGE.message_id
        text, _ = mail.iter_parts()
        assert text.get_content().strip() == MESSAGE.text

    async def test_logs_one_line_with_the_link(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO, logger="app.adapters.mail.mailers"):
            await FileMailer(tmp_path, SENDER, StillClock()).send(MESSAGE)
        (record,) = caplog.records
        assert MESSAGE.link is not None
        assert MESSAGE.link in record.getMessage()
        assert "\n" not in record.getMessage()

    async def test_names_files_so_that_they_sort_by_time_and_never_collide(self, tmp_path: Path) -> None:
        mailer = FileMailer(tmp_path, SENDER, StillClock())
        await mailer.send(MESSAGE)
        await mailer.send(replace(MESSAGE, message_id="<other@gateway.example>"))
        names = names_in(tmp_path)
        assert len(names) == 2
        assert all(name.startswith("20250301T123015000000Z-") for name in names)

    async def test_fails_when_the_folder_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(OSError, match=r"File exists|Not a directory"):
            await FileMailer(tmp_path / "file", SENDER, StillClock()).send(MESSAGE)

    async def test_fails_for_a_recipient_that_is_no_address(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="could not be written"):
            await FileMailer(tmp_path, SENDER, StillClock()).send(replace(MESSAGE, recipient="anna"))
        assert names_in(tmp_path) == []
