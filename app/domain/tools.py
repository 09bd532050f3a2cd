"""The ports in one box, given to every unit of work; tests put others in."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.ports import (
    Assertions,
    Challenges,
    Clock,
    Database,
    Limiter,
    Mailer,
    MailTexts,
    Metrics,
    Observer,
    Passwords,
    Random,
    Sealer,
    Signer,
    Social,
    WebhookSender,
)
from app.domain.tenants import TenantDirectory


@dataclass(frozen=True, slots=True)
class Tools:
    """What a use case may reach of the outside world. `public_url` is the issuer of our tokens.

    `test` says that this is no production, as tokens tell others; `observers` are told of each request, and `metrics`
    is one of them where somebody reads it.
    """

    clock: Clock
    random: Random
    database: Database
    passwords: Passwords
    signer: Signer
    assertions: Assertions
    sealer: Sealer
    limiter: Limiter
    mailer: Mailer
    webhooks: WebhookSender
    social: Social
    challenges: Challenges
    mail_texts: MailTexts
    tenants: TenantDirectory
    public_url: str
    test: bool
    metrics: Metrics
    observers: tuple[Observer, ...]
