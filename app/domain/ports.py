"""The ports: what the services need from the outside world, as protocols that the adapters implement."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Executable

from app.domain.foreign_hashes import HashSecrets, JudgedHash
from app.domain.passkeys import KeyUse, KnownKey, NewKey, PasskeyUser, RelyingParty, StoredKey
from app.domain.rows import Reading, RowT, Writing
from app.domain.social import AuthorizationGrant, AuthorizationRequest, NativeGrant, SocialProof
from app.domain.tenants import Challenge, PasswordHook, PhoneCodes, SocialProvider, Tenant


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""
        ...


class Random(Protocol):
    """Identifiers and secrets."""

    def new_id(self) -> str:
        """Return a new UUIDv7 (RFC 9562) in its canonical text form."""
        ...

    def secret(self) -> bytes:
        """Return 32 random bytes that nobody can guess."""
        ...

    def digits(self, count: int) -> str:
        """Return `count` random decimal digits; the first is not zero."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a password is the hashed one, and when that began to be found out, by a clock that only counts."""

    is_right: bool
    began: float


class Passwords(Protocol):
    """Password hashing in a bounded pool of threads, never on the event loop."""

    async def hash(self, password: str) -> str:
        """Return the encoded argon2id hash; raises `BusyError` when too many are waiting."""
        ...

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password fits the hash. `None` checks a dummy hash, so that it takes the same time."""
        ...

    async def compare(self, encoded: str | None, password: str) -> Comparison:
        """Do as `verify` does, and return with the answer what `level` wants."""
        ...

    async def level(self, comparison: Comparison, kinds: Collection[str], elsewhere: float = 0) -> None:
        """Wait so that a refusal takes as long whichever of these kinds of hash (`kind_of`) was compared, or ours.

        `elsewhere` is how many seconds it takes to ask somebody else about some of the passwords.
        """
        ...

    def kind_of(self, encoded: str) -> str | None:
        """Return the kind of a hash that was made elsewhere, and nothing else of it; None for one of ours."""
        ...

    def needs_rehash(self, encoded: str) -> bool:
        """Tell whether the hash was made by another system, or with old parameters."""
        ...

    def judge(self, written: str, secrets: HashSecrets) -> JudgedHash:
        """Tell what becomes of a hash that another system wrote; nothing is hashed, and nothing raised."""
        ...

    async def adopt(self, judged: JudgedHash) -> str:
        """Return what is stored of a hash that is taken; raises `BusyError` when too many are waiting."""
        ...

    @property
    def waiting(self) -> int:
        """How many calls are waiting for a thread now."""
        ...

    def close(self) -> None:
        """Finish the running hashes and end the threads."""
        ...


class Signer(Protocol):
    """Our JWTs (RFC 7519), signed ES256."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the compact JWS of these claims, with the current key's `kid` in its header."""
        ...

    def verify(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a JWT that one of our keys has signed, or None. The claims are not checked."""
        ...

    def jwks(self) -> dict[str, Any]:
        """Return the public JWK set (RFC 7517): current, next and previous key."""
        ...


class Assertions(Protocol):
    """The JWTs that clients sign (RFC 7523), to prove who they are or for whom they act."""

    def read_issuer(self, token: str) -> str | None:
        """Return the `iss` of a JWT, not verified, to find the right key; None if it is not a JWT."""
        ...

    def verify(self, token: str, key: str) -> dict[str, Any] | None:
        """Return the claims of a JWT signed by this public JWK (JSON text) with an algorithm of that key, or None."""
        ...

    def verify_with_secret(self, token: str, secret: str) -> dict[str, Any] | None:
        """Return the claims of a JWT with this secret's HMAC, or None."""
        ...


class Sealer(Protocol):
    """Encryption of what must be stored for a while and read again, such as a token to mail."""

    def seal(self, text: str) -> str:
        """Return the encrypted text, in printable characters."""
        ...

    def open(self, sealed: str) -> str:
        """Return the decrypted text; raises `ValueError` if none of our keys has encrypted it."""
        ...

    def fingerprint(self, text: str) -> str:
        """Return what the same text has in all processes, and from which nobody without our keys can find it."""
        ...


@dataclass(frozen=True, slots=True)
class MailMessage:
    """One mail, ready to be sent; `message_id` is stable over retries (RFC 5322, with its angle brackets).

    `customer_id` says whose personal data it has; it is not sent.
    """

    message_id: str
    recipient: str
    subject: str
    text: str
    html: str
    link: str | None = None
    customer_id: str | None = None


class MailRefusedError(OSError):
    """The server has refused this mail for good: its answer was 5yz (RFC 5321), and `code` is that number.

    `bounced`: it is the recipient's address that the server does not take.
    """

    def __init__(self, text: str, code: int, *, bounced: bool) -> None:
        super().__init__(text)
        self.code = code
        self.bounced = bounced


class MailLineError(OSError):
    """The server does not let us in: no mail can be sent at present, whoever it is to."""


class Mailer(Protocol):
    """How mail is sent."""

    async def send(self, message: MailMessage) -> None:
        """Send the message. Returns when the other side has accepted it.

        Raises `MailRefusedError` when it never will, `MailLineError` when it takes no mail of ours, else `OSError`.
        """
        ...

    async def forget(self, customer_id: str) -> None:
        """Delete the stored mails to a customer; raises `OSError` if it cannot."""
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
    """One connection to the database. Before `begin`, each statement runs alone and sees the latest commit."""

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        ...

    async def begin(self) -> None:
        """Open the transaction, unless it is open. If the database allows only one writer, it is this one."""
        ...

    def announce(self) -> None:
        """Wake the workers of all processes as soon as the transaction is committed: there is something for them."""
        ...

    async def commit(self) -> None:
        """Commit what was written.

        Raises `BusyError` with the outcome UNKNOWN if COMMIT was sent and its answer did not come. If the caller is
        cancelled meanwhile, the outcome is as unknown.
        """
        ...

    async def rollback(self) -> None:
        """Roll back what was written."""
        ...

    async def read(self, reading: Reading[RowT], parameters: Mapping[str, Any]) -> Sequence[RowT]:
        """Return all rows of a constant statement.

        It is compiled once and kept, so it must not be built for each call, and it must be short and use a key. The
        rows have the attributes of their type, but not its methods. A statement with a RETURNING clause runs inside the
        transaction, which is opened if need be, and can fail like `write`.
        """
        ...

    async def read_anew(self, reading: Reading[RowT]) -> Sequence[RowT]:
        """Like `read`, for a statement that is built for this call or may take long."""
        ...

    async def write(self, statement: Writing, parameters: Mapping[str, Any]) -> int:
        """Run a constant statement, of the same kind as for `read`, inside the transaction, which is opened if need be.

        Returns the number of rows that it changed; raises SQLAlchemy's `IntegrityError` if a key is taken or refers to
        nothing.
        """
        ...

    async def write_soon(self, statement: Writing, parameters: Mapping[str, Any]) -> None:
        """Like `write`, for whom the number of rows is nothing: it may be sent with the next statement or with COMMIT.

        That raises what comes of it. Whatever is read or written after it finds it done.
        """
        ...

    async def write_anew(self, statement: Executable) -> int:
        """Like `write`, for a statement that is built for this call or may take long."""
        ...

    async def close(self) -> None:
        """Give the connection back. What is not committed is rolled back."""
        ...


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """The migration that a database is at, and the lowest release of the gateway that may serve on it, if it says.

    `is_spread` is False where its tables are still to be distributed over the nodes that it has.
    """

    migration: str
    lowest_release: str | None
    is_spread: bool = True


class Database(Protocol):
    """The database, of any kind."""

    def connect(self) -> Connection:
        """Return a connection of its own; it is opened at the first statement."""
        ...

    def connect_to_read(self) -> Connection:
        """Return a connection for reads that take long and decide nothing: a standby may answer them.

        They see everything that was committed before the first of them, by any process.
        """
        ...

    async def forget(self) -> None:
        """Remove deleted data from the files of the database too; raises `OSError` if it cannot do so now."""
        ...

    @property
    def connections_in_use(self) -> int:
        """How many connections are in use now."""
        ...

    async def watch(self, wake: Callable[[], None], stop: asyncio.Event) -> None:
        """Call `wake` whenever there may be something for the worker, until told to stop.

        What this process announces it always hears of; of other processes, while `hears_others` is true. Even then a
        word can be lost, so look now and then.
        """
        ...

    @property
    def hears_others(self) -> bool:
        """Whether who watches now hears of what other processes announce."""
        ...

    @property
    def has_one_writer(self) -> bool:
        """Whether a transaction that writes keeps all others waiting that want to write, whatever they write."""
        ...

    async def divide_audit(self, now: datetime) -> str | None:
        """Divide the audit into months where the database can, while others write to it; again and again harmless.

        Return a line that says why it stays one table, if it has to. Raises `OSError` if the database does not answer.
        """
        ...

    async def keep_audit_months(self, now: datetime, before: datetime) -> int:
        """Drop the months of the audit that end `before` a moment, and return how many; make the next ones.

        Does nothing where the audit is not divided into months, or while others hold it.
        """
        ...

    async def find_migration(self) -> SchemaVersion | None:
        """Return the migration of the database, or None if it has no tables of ours.

        Changes nothing. Raises `OSError` if the database does not answer.
        """
        ...

    async def is_served_from(self, release: str) -> bool:
        """Tell whether the mark in the tables says that no release before that one serves on them any more.

        Until it does, the database is asked at most every ten seconds; then never again, because the mark stays.
        """
        ...

    async def is_ready(self) -> bool:
        """Tell whether the database answers and has the migrations of this program."""
        ...

    async def faults(self) -> Sequence[str]:
        """Return what does not work now, a line for each part (`database read: …`); an empty list is all well.

        Reads the version of the tables, and writes a row that is rolled back.
        """
        ...

    async def remarks(self) -> Sequence[str]:
        """Return what does not work now and keeps nobody from being served, a line for each part."""
        ...

    async def check_replica(self) -> str | None:
        """Return why the standby does not answer, or None where it does or there is none.

        Raises `OSError` where it answers and is of no use.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
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
    """Counts of attempts, which decide before anything else is checked."""

    async def hit(self, limit: Limit, *key: str) -> None:
        """Count one more for this key, atomically.

        Over the limit it raises `AccessError` RATE_LIMITED, with the seconds to wait (whole, at least 1), and does not
        count.
        """
        ...

    async def check(self, limit: Limit, *key: str) -> None:
        """Raise if `hit` would raise now, but count nothing."""
        ...

    async def give_back(self, limit: Limit, *key: str) -> None:
        """Take one hit back: where only failures count, each try is counted first and given back when it succeeds.

        Of a `distinct` limit, forget whoever the key names.
        """
        ...

    async def clear(self, limit: Limit, *key: str) -> None:
        """Forget every hit for this key."""
        ...

    async def faults(self) -> Sequence[str]:
        """Return what does not work now, a line for each part; an empty list is all well."""
        ...

    async def close(self) -> None:
        """Close what stores the counts."""
        ...


@dataclass(frozen=True, slots=True)
class MailText:
    """The text of a mail, in one language."""

    subject: str
    text: str
    html: str


class MailTexts(Protocol):
    """The texts of all mails."""

    def render(self, template: str, language: str, values: Mapping[str, Any], own: str | None = None) -> MailText:
        """Return the mail in this language (BCP 47), or in English if there is no text in this language.

        `own` has texts of the shop that take the place of ours: an object in JSON, by the names of the files.
        """
        ...


class Previews(Protocol):
    """The texts of mails with example values."""

    def list(self, tenant: Tenant) -> Sequence[tuple[str, str]]:
        """Return the name and the language of each mail that a shop can send."""
        ...

    def find(self, tenant: Tenant, name: str, language: str) -> MailText | None:
        """Return one of them, or None."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Webhook:
    """One event, ready to be sent; `id` is stable over retries, and every one of the `secrets` signs it."""

    id: str
    url: str
    body: str
    secrets: tuple[str, ...]


class PostponedError(OSError):
    """The other side is busy (429 or 503), and has said how long to leave it alone: `wait`."""

    def __init__(self, message: str, wait: timedelta) -> None:
        super().__init__(message)
        self.wait = wait


class WebhookSender(Protocol):
    """How events are sent (Standard Webhooks 1.0)."""

    async def send(self, webhook: Webhook) -> int:
        """Post the event and return the status of the answer; redirects are not followed.

        Raises `OSError` if there is no answer in time, or if we may not call the target, and `PostponedError` where the
        answer names a time before which it should not be tried again.
        """
        ...


@dataclass(frozen=True, slots=True, repr=False)
class PhoneCode:
    """A code for a phone, which works for `expires_in` more seconds; `id` is stable over retries."""

    id: str
    phone: str
    code: str
    expires_in: int


class PhoneCodeSender(Protocol):
    """Who sends codes to phones, for a shop that has that."""

    async def send(self, service: PhoneCodes, code: PhoneCode) -> None:
        """Hand the code over. Returns when the other side has accepted it, else raises `OSError`."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class PasswordQuestion:
    """Whether a password is right in the old shop; `id` names the question."""

    id: str
    email: str
    password: str


class PasswordHooks(Protocol):
    """The old shops of tenants, which know the passwords that we do not have yet."""

    async def is_right(self, hook: PasswordHook, question: PasswordQuestion) -> bool:
        """Ask the old shop. Raises `OSError` where it does not tell within three seconds."""
        ...

    def seconds(self, hook: PasswordHook) -> float:
        """Return how long an answer takes, as it was seen by this process."""
        ...


class Social(Protocol):
    """The providers of social login.

    The calls raise `Refused`: PROVIDER_UNAVAILABLE if the provider does not answer properly within the tenant's
    `social_timeout_seconds`, PROVIDER_REFUSED if its answer proves nothing.
    """

    async def authorization_url(self, tenant: Tenant, provider: SocialProvider, request: AuthorizationRequest) -> str:
        """Return the provider's address that the person is sent to (RFC 6749 section 4.1.1)."""
        ...

    async def prove(self, tenant: Tenant, provider: SocialProvider, grant: AuthorizationGrant) -> SocialProof:
        """Trade the code for what the provider knows about the person. The code is sent only once."""
        ...

    async def prove_natively(self, tenant: Tenant, provider: SocialProvider, grant: NativeGrant) -> SocialProof:
        """Return what an id token says about the person. The provider is asked for nothing but its keys."""
        ...

    async def revoke(self, tenant: Tenant, provider: SocialProvider, refresh_token: str) -> None:
        """Have a refresh token revoked (RFC 7009); one that is not valid any more is.

        Raises `OSError`, and nothing else, where the provider has not done it.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
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


class Passkeys(Protocol):
    """The ceremonies of passkeys (WebAuthn Level 3): user verification is required, attestation is not asked for.

    Options are as browsers take them (`parseCreationOptionsFromJSON`, `parseRequestOptionsFromJSON`), answers as
    `credential.toJSON()` gives them. Raises `Refused` with PASSKEY_INVALID for whatever is wrong with an answer.
    """

    async def creation_options(
        self, party: RelyingParty, user: PasskeyUser, challenge: bytes, exclude: Sequence[KnownKey], seconds: int
    ) -> dict[str, Any]:
        """Return the options to make a passkey by; a device that has one of `exclude` makes none."""
        ...

    async def request_options(
        self, party: RelyingParty, challenge: bytes, allow: Sequence[KnownKey], seconds: int
    ) -> dict[str, Any]:
        """Return the options to sign in by one of `allow`, or where that is empty by any passkey of the party."""
        ...

    async def verify_registration(self, party: RelyingParty, challenge: bytes, answer: Any) -> NewKey:
        """Return the passkey that was made (section 7.1)."""
        ...

    async def verify_use(self, party: RelyingParty, challenge: bytes, answer: Any, key: StoredKey) -> KeyUse:
        """Return what the use of a passkey proves (section 7.2); the counter must have risen, unless it is always 0."""
        ...


@dataclass(slots=True)
class ServedRequest:
    """What observers may know of a request: nothing personal, and no text that the caller has chosen.

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
    """Is told of each request after its answer was sent. It must be quick and must not fail."""

    def request_served(self, request: ServedRequest) -> None:
        """Record a request."""
        ...

    def close(self) -> None:
        """Pass on what is recorded but not sent yet."""
        ...


class Metrics(Observer, Protocol):
    """Metrics for operators."""

    def show_process(self, *, passwords_waiting: int, connections: int) -> None:
        """Set how much work this process has now."""
        ...

    def show_outbox(self, *, oldest_seconds: float, dead: int) -> None:
        """Set how much the outbox holds."""
        ...

    def password_hook_asked(self, outcome: str, seconds: float) -> None:
        """Count one question to an old shop: `right`, `wrong` or `unavailable`, and how long the answer took."""
        ...

    def login_attacked(self, target: str) -> None:
        """Count one more attack on logins: at an `account` by many tries, or at many accounts by one `password`."""
        ...

    def conflict_met(self, outcome: str) -> None:
        """Count one more transaction that another one was in the way of: `repeated`, or `given_up`."""
        ...
