"""Mail by an SMTP server: one connection for each mail, and one login at a time until the server has taken one."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib

from app.adapters.deadlines import is_still_ahead
from app.adapters.mail.mailers import compose, read_sender
from app.adapters.mail.tokens import TokenCommand
from app.domain.ports import Clock, MailLineError, MailMessage, MailRefusedError

_TIMEOUT_SECONDS = 10
_PORTS = {"smtp": 587, "smtps": 465}
# How long after a login others log in at the same time; before, one at a time, so that a wrong password is tried once.
_PROVEN = timedelta(seconds=10)
# After a refused login no other connection is made for so long.
_SILENCE = timedelta(seconds=10)
_AUTHENTICATION_REQUIRED = 530
# What a server answers to an address that it cannot take (RFC 6531 section 3.5).
_MAILBOX_NAME_NOT_ALLOWED = 553
# Enhanced codes (RFC 3463) that are not about the recipient: of the server, the network, the protocol, the content, and
# policy.
_NOT_THE_ADDRESS = re.compile(r"5\.[34567]\.")


class SmtpMailer:
    """Sends through the server of an SMTP URL; each SMTP command may take ten seconds.

    `smtp://` is in clear text; with `?starttls=required` it sends only after STARTTLS (RFC 3207). `smtps://` uses TLS
    from the start (RFC 8314). Certificates are always verified, against the system's authorities (or those that
    OpenSSL's SSL_CERT_FILE names). With a `token_command` it logs in by XOAUTH2. Raises `ValueError`, in one line, if
    an argument is wrong.
    """

    def __init__(self, smtp_url: str, mail_from: str, clock: Clock, token_command: str | None = None) -> None:
        self._server = _Server.of(smtp_url)
        self._sender = read_sender(mail_from)
        self._clock = clock
        self._tls = ssl.create_default_context()
        self._token = TokenCommand(token_command, clock) if token_command is not None else None
        self._login = asyncio.Lock()
        self._proven_until: datetime | None = None
        self._silent_until: datetime | None = None
        self._refused_by = ""
        self._own_name: str | None = None

    async def send(self, message: MailMessage) -> None:
        """Send the message; see the port. No error names the recipient, for it is stored and may be logged."""
        try:
            await self._send(message)
        except aiosmtplib.SMTPException as error:
            raise _refusal(error) or OSError(_describe(error)) from None
        except OSError:
            # First, because the error of a bad certificate is a ValueError as well.
            raise
        except ValueError as error:
            raise OSError(f"The message could not be sent: {type(error).__name__}") from None

    async def forget(self, customer_id: str) -> None:
        """Do nothing: sent mail is not stored here."""

    async def _send(self, message: MailMessage) -> None:
        mail = compose(message, self._sender, self._clock)
        async with self._connection() as client:
            recipient = mail["To"].addresses[0].addr_spec
            try:
                await client.send_message(mail, sender=self._sender.addr_spec, recipients=[recipient])
            except aiosmtplib.SMTPNotSupported:
                if not self._sender.addr_spec.isascii():
                    raise
                reason = "The SMTP server takes no address outside ASCII (SMTPNotSupported)"
                raise MailRefusedError(reason, _MAILBOX_NAME_NOT_ALLOWED, bounced=True) from None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            local_hostname=await self._name(),
            use_tls=self._server.tls,
            start_tls=self._server.starttls,
            tls_context=self._tls,
            timeout=_TIMEOUT_SECONDS,
        )
        await self._connect(client)
        async with client:
            yield client

    async def _name(self) -> str:
        """Return what we call ourselves: some servers hang up on `localhost` and the names of containers."""
        if self._own_name is None:
            name = await asyncio.to_thread(socket.getfqdn)
            is_known = "." in name and not name.startswith("localhost")
            self._own_name = name if is_known else self._sender.domain
        return self._own_name

    async def _connect(self, client: aiosmtplib.SMTP) -> None:
        if self._server.username is None or is_still_ahead(self._proven_until, self._clock.now(), _PROVEN):
            await self._log_in(client)
            return
        async with self._login:
            await self._log_in(client)

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        """Connect and log in; raises `MailLineError` when the server refuses us, and for a while afterwards."""
        if is_still_ahead(self._silent_until, self._clock.now(), _SILENCE):
            # The one that was refused may not be the first to say so: all of them give its reason.
            raise MailLineError(self._refused_by)
        await client.connect()
        try:
            await self._authenticate(client)
        except MailLineError as error:
            client.close()
            raise self._fall_silent(error) from None
        except BaseException:
            client.close()
            raise
        self._proven_until = self._clock.now() + _PROVEN

    async def _authenticate(self, client: aiosmtplib.SMTP) -> None:
        """Say who we are; raises `MailLineError` in whatever way the server does not let us in."""
        if self._server.username is None:
            return
        try:
            if self._token is not None:
                await client.auth_xoauth2(self._server.username, await self._token.read())
            else:
                await client.login(self._server.username, self._server.password or "")
        except aiosmtplib.SMTPAuthenticationError as error:
            raise MailLineError(f"The SMTP server answered {error.code} to our login") from None
        except aiosmtplib.SMTPServerDisconnected:
            raise MailLineError("The SMTP server hung up at our login") from None
        except (aiosmtplib.SMTPResponseException, aiosmtplib.SMTPTimeoutError):
            raise
        except aiosmtplib.SMTPException:
            raise MailLineError("The SMTP server offers no login that we know") from None

    def _fall_silent(self, refusal: MailLineError) -> MailLineError:
        self._proven_until = None
        self._refused_by = str(refusal)
        self._silent_until = self._clock.now() + _SILENCE
        if self._token is not None:
            self._token.forget()
        return refusal


@dataclass(frozen=True, slots=True, repr=False)
class _Server:
    host: str
    port: int
    username: str | None
    password: str | None
    tls: bool
    starttls: bool

    @classmethod
    def of(cls, smtp_url: str) -> _Server:
        url = urlsplit(smtp_url)
        options = dict(parse_qsl(url.query, keep_blank_values=True))
        starttls = options.pop("starttls", None)
        if url.scheme not in _PORTS or not url.hostname or url.path.strip("/"):
            raise ValueError("The SMTP URL must look like smtp://[user:password@]host:port or smtps://…")
        if options or starttls not in {None, "required"} or (starttls and url.scheme == "smtps"):
            raise ValueError(
                "An smtp:// URL may have the option ?starttls=required and no other; smtps:// has no option"
            )
        return cls(
            host=url.hostname,
            port=url.port or _PORTS[url.scheme],
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password) if url.password else None,
            tls=url.scheme == "smtps",
            starttls=starttls == "required",
        )


def _refusal(error: aiosmtplib.SMTPException) -> OSError | None:
    """Return what the answer to a mail means, if it is more than that it has to be sent again."""
    refused = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
    if not isinstance(
        refused, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPSenderRefused | aiosmtplib.SMTPDataError
    ):
        return None
    if refused.code == _AUTHENTICATION_REQUIRED:
        return MailLineError(f"The SMTP server answered {refused.code}: it wants a login, or TLS before")
    if not 500 <= refused.code < 600:
        return None
    is_the_sender = isinstance(refused, aiosmtplib.SMTPSenderRefused)
    bounced = not is_the_sender and _NOT_THE_ADDRESS.match(refused.message) is None
    return MailRefusedError(_describe(error), refused.code, bounced=bounced)


def _describe(error: aiosmtplib.SMTPException) -> str:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = ", ".join(str(refusal.code) for refusal in error.recipients)
        return f"The SMTP server refused the recipient ({codes})"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"The SMTP server answered {error.code} ({type(error).__name__})"
    return f"The SMTP server could not be used ({type(error).__name__})"
