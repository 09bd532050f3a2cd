"""All ports together, which every unit of work gets; tests replace some of them."""

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
    """What a use case may use from the outside world. `public_url` is the issuer of our tokens.

    `test` is true outside of production, and tokens say so. `observers` are told of each request; `metrics` is one of
    them if metrics are on.
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
