"""The services of others that the gateway calls for a shop: they hear of events, or decide what it cannot know."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, model_validator

from app.domain.tenants.forms import TargetUrl, TopicPattern, WebhookSecret, loopback_allowed, not_empty
from app.domain.tenants.rules import Entry
from app.domain.topics import Topic, topics_matching


class WebhookEndpoint(Entry):
    """Where events go, signed with `secret`, and with `previous_secret` too while the receiver changes over."""

    url: TargetUrl
    """Where the events are posted; https, or http on loopback in development."""
    topics: Annotated[tuple[TopicPattern, ...], AfterValidator(not_empty)]
    """The events that go there: topics such as `customer.created`, or patterns such as `customer.*`."""
    secret: WebhookSecret
    """The secret that signs the events (Standard Webhooks): `whsec_` and 24 to 64 bytes in base64."""
    previous_secret: WebhookSecret | None = None
    """The secret of before, which signs as well while the receiver changes over."""

    def wants(self, topic: Topic) -> bool:
        """Tell whether one of the topics, or of the patterns such as `customer.*`, is this one."""
        return any(topic in topics_matching(pattern) for pattern in self.topics)

    def names(self, topic: Topic) -> bool:
        """Tell whether the topic is meant more closely than by `*` alone."""
        return any(topic in topics_matching(pattern) for pattern in self.topics if pattern != "*")


class PasswordHook(Entry):
    """Who is asked, once for each customer, whether the password of a first login is right: the old shop."""

    url: TargetUrl
    """Where `{"email": …, "password": …}` is posted, signed; https, or http on loopback in development. It answers 200
    if the password is right, 401 if it is wrong, within three seconds."""
    secret: WebhookSecret
    """The secret that signs it (Standard Webhooks): `whsec_` and 24 to 64 bytes in base64."""


class PhoneCodes(Entry):
    """Who sends codes to phones for the shop: a service of its own that calls its SMS provider (Standard Webhooks)."""

    url: TargetUrl
    """Where a code to send is posted, signed; https, or http on loopback in development."""
    secret: WebhookSecret
    """The secret that signs it (Standard Webhooks): `whsec_` and 24 to 64 bytes in base64."""


@unique
class ChallengeProvider(StrEnum):
    """Who tells people from programs; `demo` is a word that the gateway itself knows, and not for production."""

    TURNSTILE = "turnstile"
    HCAPTCHA = "hcaptcha"
    RECAPTCHA = "recaptcha"
    DEMO = "demo"


class Challenge(Entry):
    """What somebody on a device that an account does not know may do instead of waiting, when it is guessed at."""

    provider: ChallengeProvider
    """Who tells people from programs: Cloudflare Turnstile, hCaptcha, Google reCAPTCHA, or for trying it `demo`, whose
    only right answer is `demo`."""
    site_key: Annotated[str, Field(min_length=1, max_length=200)]
    """What the provider calls your site; storefronts are told it."""
    secret: SecretStr | None = None
    """Your secret at the provider; `demo` has none."""
    verify_url: TargetUrl | None = None
    """Where the provider is asked whether an answer is right, where it is not the usual address."""

    @model_validator(mode="after")
    def _fits_its_provider(self, info: ValidationInfo) -> Self:
        if self.provider is not ChallengeProvider.DEMO:
            if self.secret is None:
                raise ValueError("needs secret_env: the variable with your secret at the provider")
            return self
        if not loopback_allowed(info):
            raise ValueError("must name a real provider in production: turnstile, hcaptcha or recaptcha")
        if self.secret is not None or self.verify_url is not None:
            raise ValueError("needs neither secret_env nor verify_url for the provider demo")
        return self
