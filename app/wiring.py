"""Connects the adapters to the ports, as the settings say. Nothing else imports an adapter.

What not every process needs is imported only where it is needed: Alembic, OpenTelemetry, Jinja and the clients of
Prometheus, Redis, HTTP and SMTP together take 35 MiB of memory, and half a second of the start.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import TYPE_CHECKING, Any

from app.adapters.clock import SystemClock, SystemRandom
from app.adapters.database.faults import StandbyUrlError, UnusableDatabaseError
from app.adapters.database.opening import open_database
from app.adapters.database.schema_version import newest_migration, raise_mark
from app.adapters.folders import close_to_others
from app.adapters.keys.assertions import JoseAssertions
from app.adapters.keys.passwords import Argon2Passwords
from app.adapters.keys.sealer import RotatingSealer
from app.adapters.keys.signer import Es256Signer
from app.adapters.keys.signing_keys import kid, read_keys, rotate_keys
from app.adapters.limits.counted import CountedLimiter
from app.adapters.limits.memory import MemoryLimiter
from app.adapters.mail.folder import MailFolder
from app.adapters.mail.mailers import FileMailer, NoMailer
from app.adapters.no_metrics import NoMetrics
from app.adapters.passkeys import WebAuthnPasskeys
from app.adapters.password_hooks import WebhookPasswordHooks
from app.adapters.phone_codes import WebhookPhoneCodes
from app.adapters.social.demo_provider import run_demo_provider
from app.adapters.tenants.file import Reading, TenantFiles, TenantsFileError
from app.adapters.when_needed import (
    ChallengesWhenNeeded,
    MailTextsWhenNeeded,
    PreviewsWhenNeeded,
    SocialWhenNeeded,
    WebhooksWhenNeeded,
)
from app.domain import rows
from app.domain.errors import BusyError
from app.domain.ports import (
    Challenges,
    Clock,
    Database,
    Limiter,
    Mailbox,
    Mailer,
    Metrics,
    Observer,
    Previews,
    SchemaVersion,
    Social,
    WebhookSender,
)
from app.domain.profile import Profile
from app.domain.releases import RELEASE, is_served_by
from app.domain.sharding import Sharding
from app.domain.tenants import MailMode, Tenant, TenantDirectory
from app.domain.tools import Tools
from app.settings import Settings, pass_on

if TYPE_CHECKING:
    from app.adapters.mail.texts import JinjaMailTexts
    from app.adapters.metrics import PrometheusMetrics

__all__ = [
    "Reading",
    "TenantFiles",
    "TenantsFileError",
    "build_tools",
    "check_metrics_port",
    "check_migrated",
    "check_state_dir",
    "close_tools",
    "faults_of_mail",
    "list_keys",
    "migrate",
    "open_mailbox",
    "open_previews",
    "open_tenants",
    "read_tenants",
    "rotate",
    "run_demo_social",
    "run_metrics",
    "run_metrics_of_processes",
]

logger = logging.getLogger(__name__)

# Seconds that a database may take to say which migration it has.
_PATIENCE = 8.0
# Seconds that an old shop has to tell whether a password is right.
_PASSWORD_HOOK_SECONDS = 3.0
_DEVELOPMENT_SENDER = "Customer Gateway <no-reply@localhost.test>"


def read_tenants(settings: Settings) -> TenantDirectory:
    """Return the tenants; raises `TenantsFileError` with every fault of the file."""
    return open_tenants(settings).reading.tenants


def open_tenants(settings: Settings, reading: Reading | None = None) -> TenantFiles:
    """Return the tenants' files, read; or as another process has read them, so that this costs next to nothing.

    Raises `TenantsFileError` with every fault of the files.
    """
    files = TenantFiles(
        settings.tenants_file, settings.environment, settings.profile, reading, address=settings.storefront_address
    )
    if reading is None:
        files.read_all()
    return files


def faults_of_mail(tenants: Iterable[Tenant], settings: Settings) -> Sequence[str]:
    """Return what the environment lacks if the gateway is to send the mails of one of these shops."""
    if settings.missing_for_mail and any(tenant.mail is MailMode.SMTP for tenant in tenants):
        return settings.missing_for_mail
    return ()


def migrate(settings: Settings) -> str | None:
    """Migrate the database to the newest schema; raises `ValueError`, with one line, where that cannot be.

    Return a line to be told where a newer release has migrated it already: then nothing is changed.
    """
    newest = newest_migration()
    try:
        found = asyncio.run(_find_migration(settings))
        if found is not None and found.migration > newest:
            return f"The database is at migration {found.migration}, later than {newest}: there is nothing to do."
        if found is not None and found.migration == newest and found.is_spread:
            return None
    except OSError as error:
        if not settings.database_url.startswith("sqlite:"):
            raise _database_fault(settings, error) from error
    from app.adapters.database.migrator import migrate as migrate_database

    try:
        migrate_database(
            settings.database_url,
            settings.database_limits,
            settings.profile,
            plaintext=settings.database_plaintext is not None,
            sharding=settings.database_sharding,
            on_nodes=_read_on_nodes(settings),
        )
    except OSError as error:
        raise _database_fault(settings, error) from error
    return None


def check_migrated(settings: Settings) -> None:
    """Raise `ValueError`, with one line, if the database lacks a migration of this program, or does not answer.

    Changes nothing. A database that is newer than the program is accepted, unless it says that it needs a newer one.
    """
    try:
        found = asyncio.run(_find_migration(settings))
    except OSError as error:
        raise _database_fault(settings, error) from error
    newest = newest_migration()
    if found is None:
        raise ValueError("DATABASE_URL names a database without our tables: run python -m app migrate")
    if found.migration < newest:
        raise ValueError(
            f"DATABASE_URL names a database at migration {found.migration}, before {newest}: run python -m app migrate"
        )
    if not found.is_spread:
        raise ValueError("DATABASE_URL names a database whose tables are not distributed: run python -m app migrate")
    if not is_served_by(found.lowest_release):
        raise ValueError(
            f"DATABASE_URL names a database that needs release {found.lowest_release} of the gateway, "
            f"and this is {RELEASE}"
        )
    _check_replica(settings)


def _check_replica(settings: Settings) -> None:
    """Raise `ValueError`, with one line, for a standby of no use; one that does not answer is a line of the log."""
    if settings.database_read_url is None:
        return
    try:
        fault = asyncio.run(_find_replica_fault(settings))
    except UnusableDatabaseError as error:
        raise ValueError(f"DATABASE_READ_URL names a database that {error}") from error
    if fault is not None:
        logger.warning("DATABASE_READ_URL names a database that %s. DATABASE_URL is read until it does.", fault)


async def _find_replica_fault(settings: Settings) -> str | None:
    database = _open_database(settings)
    try:
        return await asyncio.wait_for(database.check_replica(), _PATIENCE)
    except TimeoutError:
        return f"does not answer: not within {_PATIENCE:.0f} seconds"
    finally:
        await database.close()


def finish_upgrade(settings: Settings) -> str | None:
    """Write into the database that every host runs this release by now: no older one serves any more.

    On PostgreSQL the audit is divided into months then. Return a line to be told where it stays one table.

    Raises `ValueError`, with one line, as `check_migrated` does.
    """
    check_migrated(settings)
    try:
        return asyncio.run(_finish_upgrade(settings))
    except UnusableDatabaseError as error:
        raise ValueError(f"DATABASE_URL names a database that {error}") from error
    except (OSError, BusyError) as error:
        raise ValueError(f"DATABASE_URL names a database that cannot be written: {error}") from error


async def _finish_upgrade(settings: Settings) -> str | None:
    database = _open_database(settings)
    connection = database.connect()
    try:
        await raise_mark(connection)
        return await database.divide_audit(SystemClock().now())
    finally:
        await connection.close()
        await database.close()


async def _find_migration(settings: Settings) -> SchemaVersion | None:
    database = _open_database(settings)
    try:
        return await asyncio.wait_for(database.find_migration(), _PATIENCE)
    finally:
        await database.close()


def _open_database(settings: Settings) -> Database:
    """Return the database; raises `ValueError`, with one line, for certificates that cannot be used."""
    try:
        return open_database(
            settings.database_url,
            settings.database_limits,
            settings.profile,
            plaintext=settings.database_plaintext is not None,
            read_url=settings.database_read_url,
            sharding=settings.database_sharding,
            on_nodes=_read_on_nodes(settings),
        )
    except StandbyUrlError as error:
        raise ValueError(f"DATABASE_READ_URL {error}") from error
    except ValueError as error:
        raise ValueError(f"DATABASE_URL {error}") from error


def _read_on_nodes(settings: Settings) -> Sequence[rows.Reading[Any]]:
    """Return what is read by functions on the nodes of a cluster."""
    if settings.database_sharding is not Sharding.CITUS:
        return ()
    from app.repositories.sessions import READ_ON_NODES

    return READ_ON_NODES


def _database_fault(settings: Settings, error: OSError) -> ValueError:
    """Return the line for a database that we cannot work with; it begins with the variable that names it."""
    if isinstance(error, UnusableDatabaseError):
        fault = str(error)
    else:
        fault = f"does not answer: {' '.join(str(error).split()) or f'not within {_PATIENCE:.0f} seconds'}"
    variable = "STATE_DIR" if settings.keeps_database else "DATABASE_URL"
    return ValueError(f"{variable} names a database that {fault}")


def check_state_dir(settings: Settings) -> None:
    """Raise `ValueError`, with one line, if something is to be kept in STATE_DIR that cannot be written there."""
    keeps_mail = settings.smtp_url is None and settings.profile is not Profile.PRODUCTION
    if settings.signing_keys_file is not None and not keeps_mail and not settings.keeps_database:
        return
    # Where the folder would be made, if it is not there yet: nothing is left behind.
    try:
        folder = next(each for each in (settings.state_dir, *settings.state_dir.absolute().parents) if each.exists())
        with NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(f"STATE_DIR names '{settings.state_dir}', where nothing can be written: {error}") from error
    close_to_others(settings.state_dir)


def build_tools(settings: Settings, clock: Clock | None = None, tenants: TenantDirectory | None = None) -> Tools:
    """Return the tools of one process. All use one clock: the given one, or else the system's.

    `tenants` are those of the file, if they are read already.

    Raises `TenantsFileError`, or `ValueError` for a bad file of signing keys.
    """
    clock = clock or SystemClock()
    signer = _build_signer(settings, clock)
    metrics = _build_metrics(settings)
    webhooks = WebhooksWhenNeeded(partial(_build_webhooks, settings, clock))
    password_questions = WebhooksWhenNeeded(partial(_build_password_questions, settings, clock))
    return Tools(
        clock=clock,
        random=SystemRandom(),
        database=_open_database(settings),
        passwords=Argon2Passwords(threads=len(os.sched_getaffinity(0))),
        signer=signer,
        assertions=JoseAssertions(),
        sealer=RotatingSealer(signer.key_material),
        limiter=CountedLimiter(_build_limiter(settings, clock), metrics.limit_hit),
        mailer=_build_mailer(settings, clock),
        webhooks=webhooks,
        phone_codes=WebhookPhoneCodes(webhooks, clock),
        password_hooks=WebhookPasswordHooks(password_questions),
        social=SocialWhenNeeded(partial(_build_social, settings, clock)),
        challenges=ChallengesWhenNeeded(partial(_build_challenges, settings)),
        passkeys=WebAuthnPasskeys(),
        mail_texts=MailTextsWhenNeeded(_build_mail_texts),
        tenants=tenants if tenants is not None else read_tenants(settings),
        public_url=settings.public_url,
        test=settings.profile is Profile.DEVELOPMENT,
        metrics=metrics,
        observers=_build_observers(settings, metrics),
    )


def open_mailbox(settings: Settings) -> Mailbox | None:
    """Return the mails that were written to files; None in production, and if mail is sent by SMTP."""
    if settings.profile is Profile.PRODUCTION or settings.smtp_url is not None:
        return None
    return MailFolder(_mail_folder(settings))


def open_previews() -> Previews:
    """Return the texts of mails with example values."""
    return PreviewsWhenNeeded(_build_previews)


def run_demo_social(settings: Settings) -> AbstractContextManager[None]:
    """Run the provider of social login of the built-in demo on this machine; nothing for other tenants.

    Raises `ValueError` if it is not installed.
    """
    if settings.profile is Profile.PRODUCTION or settings.tenants_file is not None:
        return nullcontext()
    provider = read_tenants(settings).tenant("demo").social[0]
    return run_demo_provider(provider.issuer, settings.environment)


def list_keys(settings: Settings, file: Path | None) -> Sequence[str]:
    """Return the `kid` of each signing key, in the order current, next, previous; raises `ValueError`."""
    return [kid(key) for key in read_keys(file or _keys_file(settings))]


def rotate(settings: Settings, file: Path | None) -> Sequence[str]:
    """Rotate the signing keys and return them as `list_keys` does; raises `ValueError`."""
    return rotate_keys(file or _keys_file(settings))


def run_metrics(settings: Settings, tools: Tools) -> AbstractContextManager[None]:
    """Answer Prometheus for this process alone, if METRICS_PORT is set; raises `ValueError` if the port is in use."""
    if settings.metrics_port is None or settings.processes > 1:
        return nullcontext()
    from app.adapters.metrics import PrometheusMetrics

    if not isinstance(tools.metrics, PrometheusMetrics):
        return nullcontext()
    return _serve_metrics(settings, settings.metrics_port, tools.metrics)


def check_metrics_port(settings: Settings) -> None:
    """Raise `ValueError` if METRICS_PORT is in use; `run_metrics` would find that out within the running server."""
    if settings.metrics_port is not None:
        from app.adapters.metrics import check_port

        for address in settings.addresses:
            check_port(address, settings.metrics_port)


@contextmanager
def run_metrics_of_processes(settings: Settings) -> Iterator[None]:
    """Answer Prometheus for the processes that this one starts, if METRICS_PORT is set.

    Raises `ValueError` if the port is in use.
    """
    if settings.metrics_port is None:
        yield
        return
    with TemporaryDirectory(prefix="gateway-metrics-") as folder:
        pass_on("PROMETHEUS_MULTIPROC_DIR", folder)
        with _serve_metrics(settings, settings.metrics_port, Path(folder)):
            yield


@contextmanager
def _serve_metrics(settings: Settings, port: int, source: PrometheusMetrics | Path) -> Iterator[None]:
    from app.adapters.metrics import serve_metrics

    with ExitStack() as servers:
        for address in settings.addresses:
            servers.enter_context(serve_metrics(address, port, source))
        yield


async def close_tools(tools: Tools) -> None:
    """Close everything that the tools have open."""
    for observer in tools.observers:
        await asyncio.to_thread(observer.close)
    await tools.limiter.close()
    await tools.social.close()
    await tools.challenges.close()
    tools.passwords.close()
    await tools.database.close()


def _build_signer(settings: Settings, clock: Clock) -> Es256Signer:
    if settings.signing_keys_file is not None:
        try:
            return Es256Signer.load(settings.signing_keys_file, clock)
        except ValueError as error:
            raise ValueError(f"SIGNING_KEYS_FILE names {error}") from error
    return Es256Signer.load_or_create(_keys_file(settings), clock)


def _build_webhooks(settings: Settings, clock: Clock) -> WebhookSender:
    from app.adapters.webhooks import HttpWebhookSender

    return HttpWebhookSender(clock, loopback=settings.profile is Profile.DEVELOPMENT)


def _build_password_questions(settings: Settings, clock: Clock) -> WebhookSender:
    from app.adapters.webhooks import HttpWebhookSender

    loopback = settings.profile is Profile.DEVELOPMENT
    return HttpWebhookSender(clock, loopback=loopback, timeout=_PASSWORD_HOOK_SECONDS)


def _build_social(settings: Settings, clock: Clock) -> Social:
    from app.adapters.social.providers import SocialProviders

    return SocialProviders(clock, loopback=settings.profile is Profile.DEVELOPMENT)


def _build_challenges(settings: Settings) -> Challenges:
    from app.adapters.challenges import HttpChallenges

    return HttpChallenges(loopback=settings.profile is Profile.DEVELOPMENT)


def _build_limiter(settings: Settings, clock: Clock) -> Limiter:
    if settings.redis_url is None:
        return MemoryLimiter(clock)
    from app.adapters.limits.redis import RedisLimiter

    return RedisLimiter(settings.redis_url, clock)


def _build_metrics(settings: Settings) -> PrometheusMetrics | NoMetrics:
    if settings.metrics_port is None:
        return NoMetrics()
    from app.adapters.metrics import PrometheusMetrics

    return PrometheusMetrics()


def _build_mail_texts() -> JinjaMailTexts:
    from app.adapters.mail.texts import TEMPLATES, JinjaMailTexts

    return JinjaMailTexts(TEMPLATES)


def _build_previews() -> Previews:
    from app.adapters.mail.previews import MailPreviews

    return MailPreviews(_build_mail_texts())


def _build_observers(settings: Settings, metrics: Metrics) -> tuple[Observer, ...]:
    """Return only the observers that are in use, because each one costs every request some microseconds."""
    observers: list[Observer] = []
    if settings.metrics_port is not None:
        observers.append(metrics)
    if settings.otel_exporter_otlp_endpoint is not None:
        from app.adapters.traces import OpenTelemetryTraces

        observers.append(OpenTelemetryTraces())
    return tuple(observers)


def _keys_file(settings: Settings) -> Path:
    return settings.signing_keys_file or settings.state_dir / "signing-keys.json"


def _build_mailer(settings: Settings, clock: Clock) -> Mailer:
    if settings.smtp_url is not None:
        from app.adapters.mail.smtp import SmtpMailer

        sender = settings.mail_from or _DEVELOPMENT_SENDER
        return SmtpMailer(settings.smtp_url, sender, clock, settings.smtp_token_command)
    if settings.profile is Profile.PRODUCTION:
        return NoMailer()
    return FileMailer(_mail_folder(settings), settings.mail_from or _DEVELOPMENT_SENDER, clock)


def _mail_folder(settings: Settings) -> Path:
    return settings.state_dir / "mail"
