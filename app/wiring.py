"""Puts the adapters behind the ports, as the settings say; nothing else imports an adapter."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from app.adapters.assertions import JoseAssertions
from app.adapters.clock import SystemClock, SystemRandom
from app.adapters.database import open_database
from app.adapters.demo_provider import run_demo_provider
from app.adapters.mail import FileMailer, SmtpMailer
from app.adapters.mail_folder import MailFolder
from app.adapters.mail_texts import JinjaMailTexts
from app.adapters.migrator import migrate as migrate_database
from app.adapters.passwords import Argon2Passwords
from app.adapters.rate_limits import MemoryLimiter, RedisLimiter
from app.adapters.sealer import FernetSealer
from app.adapters.signer import Es256Signer
from app.adapters.social import SocialProviders
from app.adapters.tenants_file import TenantsFileError, load_tenants
from app.adapters.webhooks import HttpWebhookSender
from app.domain.ports import Clock, Mailbox, Mailer
from app.domain.profile import Profile
from app.domain.tenants import TenantDirectory
from app.domain.tools import Tools
from app.settings import Settings

__all__ = [
    "TenantsFileError",
    "build_tools",
    "close_tools",
    "migrate",
    "open_mailbox",
    "read_tenants",
    "run_demo_social",
]

_DEVELOPMENT_SENDER = "Customer Gateway <no-reply@localhost.test>"


def read_tenants(settings: Settings) -> TenantDirectory:
    """Return the tenants; raises `TenantsFileError` with every fault of the file."""
    return load_tenants(settings.tenants_file, settings.environment, settings.profile)


def migrate(settings: Settings) -> None:
    """Bring the database to the newest migration."""
    migrate_database(settings.database_url)


def build_tools(settings: Settings, clock: Clock | None = None) -> Tools:
    """Return the tools of one process, all on one clock, which is the system's unless another one is given.

    Raises `TenantsFileError`, or `ValueError` for a bad file of signing keys.
    """
    clock = clock or SystemClock()
    signer = _build_signer(settings)
    return Tools(
        clock=clock,
        random=SystemRandom(),
        database=open_database(settings.database_url),
        passwords=Argon2Passwords(threads=len(os.sched_getaffinity(0))),
        signer=signer,
        assertions=JoseAssertions(),
        sealer=FernetSealer(signer.key_material()),
        limiter=RedisLimiter(settings.redis_url, clock) if settings.redis_url else MemoryLimiter(clock),
        mailer=_build_mailer(settings, clock),
        webhooks=HttpWebhookSender(clock, loopback=settings.profile is Profile.DEVELOPMENT),
        social=SocialProviders(clock, loopback=settings.profile is Profile.DEVELOPMENT),
        mail_texts=JinjaMailTexts(Path(__file__).with_name("templates")),
        tenants=read_tenants(settings),
        public_url=settings.public_url,
    )


def open_mailbox(settings: Settings) -> Mailbox | None:
    """Return the mails that were written to files; None in production, and where mail leaves by SMTP."""
    if settings.profile is Profile.PRODUCTION or settings.smtp_url is not None:
        return None
    return MailFolder(_mail_folder(settings))


def run_demo_social(settings: Settings) -> AbstractContextManager[None]:
    """Run the demo tenant's provider of social login on this machine; raises `ValueError` where there can be none."""
    if settings.profile is Profile.PRODUCTION or settings.tenants_file is not None:
        raise ValueError("--demo-social is for the built-in demo tenant, in development.")
    provider = read_tenants(settings).tenant("demo").social[0]
    return run_demo_provider(provider.issuer, settings.environment)


async def close_tools(tools: Tools) -> None:
    """Let go of everything that the tools hold open."""
    await tools.limiter.close()
    await tools.social.close()
    tools.passwords.close()
    await tools.database.close()


def _build_signer(settings: Settings) -> Es256Signer:
    if settings.signing_keys_file is not None:
        return Es256Signer.load(settings.signing_keys_file)
    return Es256Signer.load_or_create(settings.state_dir / "signing-keys.json")


def _build_mailer(settings: Settings, clock: Clock) -> Mailer:
    if settings.smtp_url is not None:
        return SmtpMailer(settings.smtp_url, settings.mail_from or _DEVELOPMENT_SENDER, clock)
    return FileMailer(_mail_folder(settings), settings.mail_from or _DEVELOPMENT_SENDER, clock)


def _mail_folder(settings: Settings) -> Path:
    return settings.state_dir / "mail"
