"""Connects the adapters to the ports, as the settings say. Nothing else imports an adapter.

Alembic, OpenTelemetry and the Redis client are imported only where they are needed, because together they take 20 MiB
of memory.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from app.adapters.challenges import HttpChallenges
from app.adapters.clock import SystemClock, SystemRandom
from app.adapters.database.opening import open_database
from app.adapters.database.schema_version import newest_migration
from app.adapters.keys.assertions import JoseAssertions
from app.adapters.keys.passwords import Argon2Passwords
from app.adapters.keys.sealer import RotatingSealer
from app.adapters.keys.signer import Es256Signer
from app.adapters.keys.signing_keys import kid, read_keys, rotate_keys
from app.adapters.limits.counted import CountedLimiter
from app.adapters.limits.memory import MemoryLimiter
from app.adapters.mail.folder import MailFolder
from app.adapters.mail.mailers import FileMailer
from app.adapters.mail.previews import MailPreviews
from app.adapters.mail.smtp import SmtpMailer
from app.adapters.mail.texts import TEMPLATES, JinjaMailTexts
from app.adapters.metrics import PrometheusMetrics, serve_metrics
from app.adapters.social.demo_provider import run_demo_provider
from app.adapters.social.providers import SocialProviders
from app.adapters.tenants.file import TenantsFileError, load_tenants
from app.adapters.webhooks import HttpWebhookSender
from app.domain.ports import Clock, Limiter, Mailbox, Mailer, Observer, Previews
from app.domain.profile import Profile
from app.domain.tenants import TenantDirectory
from app.domain.tools import Tools
from app.settings import Settings, pass_on

__all__ = [
    "TenantsFileError",
    "build_tools",
    "check_migrated",
    "close_tools",
    "list_keys",
    "migrate",
    "open_mailbox",
    "open_previews",
    "read_tenants",
    "rotate",
    "run_demo_social",
    "run_metrics",
    "run_metrics_of_processes",
]

# Seconds that a database may take to say which migration it has.
_PATIENCE = 8.0
_DEVELOPMENT_SENDER = "Customer Gateway <no-reply@localhost.test>"


def read_tenants(settings: Settings) -> TenantDirectory:
    """Return the tenants; raises `TenantsFileError` with every fault of the file."""
    return load_tenants(settings.tenants_file, settings.environment, settings.profile)


def migrate(settings: Settings) -> None:
    """Migrate the database to the newest schema."""
    with suppress(OSError):
        if asyncio.run(_find_migration(settings.database_url)) == newest_migration():
            return
    from app.adapters.database.migrator import migrate as migrate_database

    migrate_database(settings.database_url)


def check_migrated(settings: Settings, *, may_be_away: bool = False) -> None:
    """Raise `ValueError`, with one line, if the database lacks a migration of this program.

    Changes nothing. A database that is newer than the program is accepted. With `may_be_away`, so is one that does not
    answer.
    """
    try:
        migration = asyncio.run(_find_migration(settings.database_url))
    except OSError as error:
        if may_be_away:
            return
        raise ValueError(f"DATABASE_URL names a database that does not answer: {_one_line(error)}") from error
    newest = newest_migration()
    if migration is None:
        raise ValueError("DATABASE_URL names a database without our tables: run python -m app migrate")
    if migration < newest:
        raise ValueError(
            f"DATABASE_URL names a database at migration {migration}, before {newest}: run python -m app migrate"
        )


async def _find_migration(database_url: str) -> str | None:
    database = open_database(database_url)
    try:
        return await asyncio.wait_for(database.find_migration(), _PATIENCE)
    finally:
        await database.close()


def _one_line(error: OSError) -> str:
    return " ".join(str(error).split()) or f"not within {_PATIENCE:.0f} seconds"


def build_tools(settings: Settings, clock: Clock | None = None) -> Tools:
    """Return the tools of one process. All use one clock: the given one, or else the system's.

    Raises `TenantsFileError`, or `ValueError` for a bad file of signing keys.
    """
    clock = clock or SystemClock()
    signer = _build_signer(settings, clock)
    metrics = PrometheusMetrics()
    return Tools(
        clock=clock,
        random=SystemRandom(),
        database=open_database(settings.database_url),
        passwords=Argon2Passwords(threads=len(os.sched_getaffinity(0))),
        signer=signer,
        assertions=JoseAssertions(),
        sealer=RotatingSealer(signer.key_material),
        limiter=CountedLimiter(_build_limiter(settings, clock), metrics.limit_hit),
        mailer=_build_mailer(settings, clock),
        webhooks=HttpWebhookSender(clock, loopback=settings.profile is Profile.DEVELOPMENT),
        social=SocialProviders(clock, loopback=settings.profile is Profile.DEVELOPMENT),
        challenges=HttpChallenges(loopback=settings.profile is Profile.DEVELOPMENT),
        mail_texts=JinjaMailTexts(TEMPLATES),
        tenants=read_tenants(settings),
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
    return MailPreviews(JinjaMailTexts(TEMPLATES))


def run_demo_social(settings: Settings) -> AbstractContextManager[None]:
    """Run the demo tenant's provider of social login on this machine; raises `ValueError` if it cannot run."""
    if settings.profile is Profile.PRODUCTION or settings.tenants_file is not None:
        raise ValueError("--demo-social works only with the built-in demo tenant, in development.")
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
    metrics = tools.metrics
    if settings.metrics_port is None or settings.processes > 1 or not isinstance(metrics, PrometheusMetrics):
        return nullcontext()
    return serve_metrics(settings.host, settings.metrics_port, metrics)


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
        with serve_metrics(settings.host, settings.metrics_port, Path(folder)):
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
        return Es256Signer.load(settings.signing_keys_file, clock)
    return Es256Signer.load_or_create(_keys_file(settings), clock)


def _build_limiter(settings: Settings, clock: Clock) -> Limiter:
    if settings.redis_url is None:
        return MemoryLimiter(clock)
    from app.adapters.limits.redis import RedisLimiter

    return RedisLimiter(settings.redis_url, clock)


def _build_observers(settings: Settings, metrics: PrometheusMetrics) -> tuple[Observer, ...]:
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
        sender = settings.mail_from or _DEVELOPMENT_SENDER
        return SmtpMailer(settings.smtp_url, sender, clock, settings.smtp_token_command)
    return FileMailer(_mail_folder(settings), settings.mail_from or _DEVELOPMENT_SENDER, clock)


def _mail_folder(settings: Settings) -> Path:
    return settings.state_dir / "mail"
