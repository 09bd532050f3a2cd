"""The ports: what the services need of the outside world, as protocols that the adapters fulfil."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Executable

from app.domain.rows import Reading, RowT, Writing
from app.domain.social import AuthorizationGrant, AuthorizationRequest, SocialProof
from app.domain.tenants import Challenge, SocialProvider, Tenant


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        ...


class Random(Protocol):
    """Identifiers and secrets."""

    def new_id(self) -> str:
        """Return a new UUIDv7 (RFC 9562) in its canonical text form."""
        ...

    def secret(self) -> bytes:
        """Return 32 unguessable bytes."""
        ...

    def digits(self, count: int) -> str:
        """Return `count` decimal digits, the first of which is not zero."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a password is the hashed one, and when that began to be found out, by a clock that only counts."""

    is_right: bool
    began: float


class Passwords(Protocol):
    """Password hashing in its own bounded pool: never on the event loop."""

    async def hash(self, password: str) -> str:
        """Return the encoded argon2id hash; raises `AccessError` SERVICE_BUSY when too many are waiting."""
        ...

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password is the hashed one. `None` verifies a dummy, so that it takes as long."""
        ...

    async def compare(self, encoded: str | None, password: str) -> Comparison:
        """Do as `verify` does, and return with the answer what `level` wants."""
        ...

    async def level(self, comparison: Comparison, kinds: Collection[str]) -> None:
        """Wait so that a refusal takes as long whichever of these kinds of hash (`kind_of`) was compared, or ours."""
        ...

    def kind_of(self, encoded: str) -> str | None:
        """Return the kind of a hash that was made elsewhere, and nothing else of it; None for one of ours."""
        ...

    def needs_rehash(self, encoded: str) -> bool:
        """Tell whether the hash was made by another system, or with other parameters than today's."""
        ...

    def can_verify(self, encoded: str) -> bool:
        """Tell whether `verify` takes a hash that was made elsewhere, at a cost within bounds."""
        ...

    @property
    def waiting(self) -> int:
        """How many calls wait for a thread at this moment."""
        ...

    def close(self) -> None:
        """Finish the hashes under way and end the threads."""
        ...


class Signer(Protocol):
    """Our JWTs (RFC 7519), signed ES256."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the compact JWS of these claims, with the current key's `kid` in its header."""
        ...

    def verify(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a JWT signed by one of our keys, or None; the claims themselves are not judged."""
        ...

    def jwks(self) -> dict[str, Any]:
        """Return the public JWK set (RFC 7517): current, next and previous key."""
        ...


class Assertions(Protocol):
    """The JWTs that clients sign (RFC 7523): to prove who they are, or in whose name they act."""

    def read_issuer(self, token: str) -> str | None:
        """Return the `iss` that a JWT claims, unverified, to know whose key to look for; None for what is no JWT."""
        ...

    def verify(self, token: str, key: str) -> dict[str, Any] | None:
        """Return the claims of a JWT signed by this public JWK (JSON text) with an algorithm of that key, or None."""
        ...

    def verify_with_secret(self, token: str, secret: str) -> dict[str, Any] | None:
        """Return the claims of a JWT with this secret's HMAC, or None."""
        ...


class Sealer(Protocol):
    """Encryption of the little that must wait in the database and be read again, such as a token to be mailed."""

    def seal(self, text: str) -> str:
        """Return the encrypted text, printable."""
        ...

    def open(self, sealed: str) -> str:
        """Return the text again; raises `ValueError` for what was not sealed here."""
        ...

    def fingerprint(self, text: str) -> str:
        """Return what the same text has in all processes, and from which nobody without our keys can find it."""
        ...


@dataclass(frozen=True, slots=True)
class MailMessage:
    """One mail, ready to be sent; `message_id` is stable over retries (RFC 5322, with its angle brackets).

    `customer_id` is whose personal data it holds; it does not leave with the mail.
    """

    message_id: str
    recipient: str
    subject: str
    text: str
    html: str
    link: str | None = None
    customer_id: str | None = None


class Mailer(Protocol):
    """Where mail leaves."""

    async def send(self, message: MailMessage) -> None:
        """Hand the message over; returns when the other side has taken responsibility, else raises `OSError`."""
        ...

    async def forget(self, customer_id: str) -> None:
        """Remove what is kept here of the mails to a customer; raises `OSError` when it cannot."""
        ...


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail that was written to a file; `sent` is the text of its Date header."""

    name: str
    sent: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str


class Mailbox(Protocol):
    """The mails that a development gateway has written to files."""

    def list(self, most: int) -> Sequence[KeptMail]:
        """Return the latest mails, the newest first."""
        ...

    def find(self, name: str) -> KeptMail | None:
        """Return one mail, or None."""
        ...


class Connection(Protocol):
    """One conversation with the database. Until `begin`, each statement stands alone and sees the latest commit."""

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        ...

    async def begin(self) -> None:
        """Open the transaction, as the only writer where the database knows just one; does nothing when open."""
        ...

    async def commit(self) -> None:
        """Keep what was written."""
        ...

    async def rollback(self) -> None:
        """Forget what was written."""
        ...

    async def read(self, reading: Reading[RowT], parameters: Mapping[str, Any]) -> Sequence[RowT]:
        """Return all rows of a constant, which is compiled once and kept: it must not be made anew for each call.

        It must be a short one, by a key. The rows have the attributes of their type, and nothing else of it. What has
        a RETURNING clause is read inside the transaction, which is opened when it is not, and fails as `write` does.
        """
        ...

    async def read_anew(self, reading: Reading[RowT]) -> Sequence[RowT]:
        """Return all rows as `read` does, of a statement built for this call or one that may take its time."""
        ...

    async def write(self, statement: Writing, parameters: Mapping[str, Any]) -> int:
        """Run a constant, of which the same is asked as by `read`, inside the transaction, which is opened if need be.

        Returns the number of rows that it touched; raises SQLAlchemy's `IntegrityError` when a key is taken or
        refers to nothing.
        """
        ...

    async def write_anew(self, statement: Executable) -> int:
        """Write as `write` does, by a statement built for this call or one that may take its time."""
        ...

    async def close(self) -> None:
        """Give the connection back; what was not committed is rolled back."""
        ...


class Database(Protocol):
    """The database, whichever it is."""

    def connect(self) -> Connection:
        """Return a conversation of its own; nothing is opened before its first statement."""
        ...

    async def forget(self) -> None:
        """Remove what was deleted from the database's own files too; raises `OSError` when it cannot for now."""
        ...

    @property
    def connections_in_use(self) -> int:
        """How many connections are busy at this moment."""
        ...

    async def find_migration(self) -> str | None:
        """Return the migration that the database is at, or None where it has no tables of ours; nothing is made.

        Raises `OSError` for a database that does not answer.
        """
        ...

    async def is_ready(self) -> bool:
        """Tell whether the database answers and its migrations are those of this program."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` within any `seconds`, counted under `name`.

    With `delays`, going over it is answered by waiting times in seconds instead: after each of them one more try is let
    through, and the next wait is the next longer one. The longest stays, until it has been quiet long enough.
    With `distinct`, the last part of the key says who it is, and only different ones count: once there are `amount` of
    them everybody is refused, they as well, until the first of them was quiet for `seconds`.
    """

    name: str
    amount: int
    seconds: int = 60
    delays: tuple[int, ...] = ()
    distinct: bool = False


class Limiter(Protocol):
    """Counts that decide before anything is checked."""

    async def hit(self, limit: Limit, *key: str) -> None:
        """Count one more for this key, atomically.

        Raises `AccessError` RATE_LIMITED with the whole seconds to wait (at least 1) when over it; what is refused is
        not counted.
        """
        ...

    async def check(self, limit: Limit, *key: str) -> None:
        """Raise as `hit` would at this moment, and count nothing."""
        ...

    async def give_back(self, limit: Limit, *key: str) -> None:
        """Take one hit back: where only failures count, each try is counted first and given back when it succeeds.

        Of a `distinct` limit, forget whoever the key names.
        """
        ...

    async def clear(self, limit: Limit, *key: str) -> None:
        """Forget every hit for this key."""
        ...

    async def close(self) -> None:
        """Let go of what the counts are kept in."""
        ...


@dataclass(frozen=True, slots=True)
class MailText:
    """What a mail says, in one language."""

    subject: str
    text: str
    html: str


class MailTexts(Protocol):
    """The texts of our mails."""

    def render(self, template: str, language: str, values: Mapping[str, Any]) -> MailText:
        """Return the mail in this language (BCP 47), or in English where we have no text in it."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Webhook:
    """One event, ready to be sent; `id` is stable over retries, and every one of the `secrets` signs it."""

    id: str
    url: str
    body: str
    secrets: tuple[str, ...]


class WebhookSender(Protocol):
    """Where events leave, as Standard Webhooks 1.0 says."""

    async def send(self, webhook: Webhook) -> int:
        """Post the event and return the status of the answer; redirects are not followed.

        Raises `OSError` when there is no answer in time, or when the target is none that we may call.
        """
        ...


class Social(Protocol):
    """The providers of social login.

    Both calls raise `Refused`: PROVIDER_UNAVAILABLE when the provider does not answer as it has to within the tenant's
    `social_timeout_seconds`, PROVIDER_REFUSED when what it answers proves nothing.
    """

    async def authorization_url(self, tenant: Tenant, provider: SocialProvider, request: AuthorizationRequest) -> str:
        """Return the provider's address that the person is sent to (RFC 6749 section 4.1.1)."""
        ...

    async def prove(self, tenant: Tenant, provider: SocialProvider, grant: AuthorizationGrant) -> SocialProof:
        """Trade the code for what the provider knows about the person; the code goes out once."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


class Challenges(Protocol):
    """The providers of challenges, which tell people from programs."""

    async def verify(self, challenge: Challenge, answer: str) -> bool:
        """Tell whether the answer, which the person's browser has got, is right; each is good for one call.

        Raises `OSError` when the provider does not tell within five seconds.
        """
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


@dataclass(slots=True)
class ServedRequest:
    """What may be known of a request outside of it: nothing of the person, and no text that the caller has chosen.

    `route` is the pattern that the path fits, or None; `fields` are root fields of GraphQL; `outcome` is the code of
    the first error, that of a payload included, or None. `trace_parent` is the caller's (W3C Trace Context), unchecked.
    """

    request_id: str
    method: str
    route: str | None
    status: int
    seconds: float
    fields: tuple[str, ...]
    outcome: str | None
    tenant: str | None
    caller: str | None
    trace_parent: str | None


class Observer(Protocol):
    """Who takes notice of each request once its answer has left, at once and without fail."""

    def request_served(self, request: ServedRequest) -> None:
        """Take notice of a request."""
        ...

    def close(self) -> None:
        """Hand on what was noticed and not yet told."""
        ...


class Metrics(Observer, Protocol):
    """Numbers for operators."""

    def show_process(self, *, passwords_waiting: int, connections: int) -> None:
        """Show what this process has under way."""
        ...

    def show_outbox(self, *, oldest_seconds: float, dead: int) -> None:
        """Show what the outbox holds."""
        ...

    def login_attacked(self, target: str) -> None:
        """Count one more attack on logins: at an `account` by many tries, or at many accounts by one `password`."""
        ...
