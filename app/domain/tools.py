"""All ports together, which every unit of work gets; tests replace some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    Passkeys,
    PasswordHooks,
    Passwords,
    PhoneCodeSender,
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
    phone_codes: PhoneCodeSender
    password_hooks: PasswordHooks
    social: Social
    challenges: Challenges
    passkeys: Passkeys
    mail_texts: MailTexts
    tenants: TenantDirectory
    public_url: str
    test: bool
    metrics: Metrics
    observers: tuple[Observer, ...]


class LiveTools:
    """The tools of this moment: when the shops change, others take their place.

    Take `now` once at the beginning of a request or a job, so that it sees the same shops to its end.
    """

    __slots__ = ("now",)

    def __init__(self, tools: Tools) -> None:
        self.now = tools

    def take_up(self, tenants: TenantDirectory) -> None:
        """Have all that begins from now on see these tenants."""
        self.now = replace(self.now, tenants=tenants)
