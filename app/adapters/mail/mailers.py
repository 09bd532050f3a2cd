"""How mail is sent: by an SMTP server, or in development to a folder of files."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP, SMTPUTF8
from email.utils import getaddresses
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib
import idna

from app.domain.ports import Clock, MailMessage

_TIMEOUT_SECONDS = 10
_CUSTOMER_HEADER = "X-Customer-Id"
_LOCAL_PART = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x20\x7f-\x9f]+")
_DOMAIN = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")

logger = logging.getLogger(__name__)


class SmtpMailer:
    """Sends through the server of an SMTP URL; each SMTP command may take ten seconds.

    `smtp://` is in clear text; with `?starttls=required` it sends only after STARTTLS (RFC 3207). `smtps://` uses TLS
    from the start (RFC 8314). Certificates are always verified, against the system's authorities (or those that
    OpenSSL's SSL_CERT_FILE names). Raises `ValueError`, in one line, if an argument is wrong.
    """

    def __init__(self, smtp_url: str, mail_from: str, clock: Clock) -> None:
        self._server = _Server.of(smtp_url)
        self._sender = _read_sender(mail_from)
        self._clock = clock
        self._tls = ssl.create_default_context()

    async def send(self, message: MailMessage) -> None:
        """Send the message.

        Returns when the server has accepted it, else raises `OSError`. The error never names the recipient, because it
        is stored with the message and may be logged.
        """
        try:
            await self._send(message)
        except aiosmtplib.SMTPException as error:
            raise OSError(_describe(error)) from None
        except OSError:
            # First, because the error of a bad certificate is a ValueError as well.
            raise
        except ValueError as error:
            raise OSError(f"The message could not be sent: {type(error).__name__}") from None

    async def forget(self, customer_id: str) -> None:
        """Do nothing: sent mail is not stored here."""

    async def _send(self, message: MailMessage) -> None:
        mail = _compose(message, self._sender, self._clock)
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.username,
            password=self._server.password,
            use_tls=self._server.tls,
            start_tls=self._server.starttls,
            tls_context=self._tls,
            timeout=_TIMEOUT_SECONDS,
        )
        async with client:
            await client.send_message(
                mail, sender=self._sender.addr_spec, recipients=[mail["To"].addresses[0].addr_spec]
            )


class FileMailer:
    """Writes each message to a file that mail programs can open, and its link to the log; only for development.

    A header says whose personal data are in it, so that it can be erased with them.
    """

    def __init__(self, folder: Path, mail_from: str, clock: Clock) -> None:
        self._folder = folder
        self._sender = _read_sender(mail_from)
        self._clock = clock

    async def send(self, message: MailMessage) -> None:
        """Write `<moment>-<hash of the message id>.eml`, complete or not at all; raises `OSError` if it cannot."""
        try:
            mail = _compose(message, self._sender, self._clock)
            if message.customer_id is not None:
                mail[_CUSTOMER_HEADER] = message.customer_id
            content = mail.as_bytes()
        except ValueError as error:
            raise OSError(f"The message could not be written: {type(error).__name__}") from None
        digest = sha256(message.message_id.encode()).hexdigest()[:12]
        path = self._folder / f"{self._clock.now():%Y%m%dT%H%M%S%f}Z-{digest}.eml"
        await asyncio.to_thread(_write, path, content)
        logger.info("mail written to %s: %s", path, message.link or "no link in it")

    async def forget(self, customer_id: str) -> None:
        """Remove the files of the customer's mails."""
        await asyncio.to_thread(_remove, self._folder, customer_id)


@dataclass(frozen=True, slots=True, repr=False)
class _Server:
    host: str
    port: int | None
    username: str | None
    password: str | None
    tls: bool
    starttls: bool

    @classmethod
    def of(cls, smtp_url: str) -> _Server:
        url = urlsplit(smtp_url)
        options = dict(parse_qsl(url.query, keep_blank_values=True))
        starttls = options.pop("starttls", None)
        if url.scheme not in {"smtp", "smtps"} or not url.hostname or url.path.strip("/"):
            raise ValueError("The SMTP URL must look like smtp://[user:password@]host:port or smtps://…")
        if options or starttls not in {None, "required"} or (starttls and url.scheme == "smtps"):
            raise ValueError(
                "An smtp:// URL may have the option ?starttls=required and no other; smtps:// has no option"
            )
        return cls(
            host=url.hostname,
            port=url.port,
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            tls=url.scheme == "smtps",
            starttls=starttls == "required",
        )


def _read_sender(mail_from: str) -> Address:
    try:
        ((name, address),) = getaddresses([mail_from])
        return _deliverable(address, name)
    except ValueError:
        raise ValueError('The sender must be one e-mail address, such as "Shop <shop@example.com>"') from None


def _deliverable(address: str, name: str = "") -> Address:
    """Return the address with its domain in ASCII (IDNA 2008), so that only a local part can need SMTPUTF8."""
    local_part, _, domain = address.rpartition("@")
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True).decode("ascii")
    if not _LOCAL_PART.fullmatch(local_part) or not _DOMAIN.fullmatch(domain):
        raise ValueError("This is not one e-mail address.")
    return Address(name, username=local_part, domain=domain)


def _compose(message: MailMessage, sender: Address, clock: Clock) -> EmailMessage:
    recipient = _deliverable(message.recipient)
    mail = EmailMessage(policy=SMTP if recipient.addr_spec.isascii() else SMTPUTF8)
    mail["From"] = sender
    mail["To"] = recipient
    # A shop's or a person's name may have a line break, which would be refused below in a subject.
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = clock.now()
    mail["Message-ID"] = message.message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text, cte="quoted-printable")
    mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return mail


def _describe(error: aiosmtplib.SMTPException) -> str:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = ", ".join(str(refusal.code) for refusal in error.recipients)
        return f"The SMTP server refused the recipient ({codes})"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"The SMTP server answered {error.code} ({type(error).__name__})"
    return f"The SMTP server could not be used ({type(error).__name__})"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as draft:
        draft.write(content)
    Path(draft.name).replace(path)


def _remove(folder: Path, customer_id: str) -> None:
    parser = BytesHeaderParser()
    for path in folder.glob("*.eml"):
        with path.open("rb") as file:
            headers = parser.parse(file)
        if headers[_CUSTOMER_HEADER] == customer_id:
            path.unlink(missing_ok=True)
