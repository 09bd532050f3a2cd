"""How mail is written down: as a message of the Internet (RFC 5322), and in development as a file in a folder."""

from __future__ import annotations

import asyncio
import logging
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP, SMTPUTF8
from email.utils import getaddresses
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

import idna

from app.domain.ports import Clock, MailMessage

_CUSTOMER_HEADER = "X-Customer-Id"
_LOCAL_PART = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x20\x7f-\x9f]+")
_DOMAIN = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")

logger = logging.getLogger(__name__)


class FileMailer:
    """Writes each message to a file that mail programs can open, and its link to the log; only for development.

    A header says whose personal data are in it, so that it can be erased with them.
    """

    def __init__(self, folder: Path, mail_from: str, clock: Clock) -> None:
        self._folder = folder
        self._sender = read_sender(mail_from)
        self._clock = clock

    async def send(self, message: MailMessage) -> None:
        """Write `<moment>-<hash of the message id>.eml`, complete or not at all; raises `OSError` if it cannot."""
        try:
            mail = compose(message, self._sender, self._clock)
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


class NoMailer:
    """Sends nothing: all shops have mailers of their own. What was written before that waits, and ends as dead."""

    async def send(self, message: MailMessage) -> None:
        """Raise `OSError`."""
        raise OSError("SMTP_URL is not set, and this mail was written to be sent by SMTP.")

    async def forget(self, customer_id: str) -> None:
        """Do nothing: nothing is stored here."""


def read_sender(mail_from: str) -> Address:
    """Return the sender; raises `ValueError` unless it is one e-mail address."""
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


def compose(message: MailMessage, sender: Address, clock: Clock) -> EmailMessage:
    """Return the mail as it is sent or written; raises `ValueError` for what is no address."""
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
