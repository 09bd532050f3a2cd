"""The forms of single values in a table of a shop: each is checked, and its error says what to write."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo

from app.domain.emails import parse_email
from app.domain.errors import Refused
from app.domain.locales import parse_country, parse_currency, parse_language
from app.domain.profile import Profile
from app.domain.topics import topics_matching
from app.domain.web_addresses import (
    check_mailed_link,
    check_origin,
    check_redirect_uri,
    check_target_url,
    check_web_url,
)
from app.domain.web_origins import check_client_origin

Value = TypeVar("Value")

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")
_PATH = re.compile(r"/[\x21-\x3e\x40-\x7e]*")
_RP_ID = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
# What an Android app names as its origin: the SHA-256 of its signing certificate in base64url.
_ANDROID_ORIGIN = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}")


def expect(form: re.Pattern[str], hint: str) -> AfterValidator:
    """Return the check that a text has this form. Its error says what to write."""

    def check(text: str) -> str:
        if form.fullmatch(text) is None:
            raise ValueError(hint)
        return text

    return AfterValidator(check)


def _read_by(rule: Callable[[str], str], hint: str) -> AfterValidator:
    """Return a check made of a rule for user input. Its error says what to write."""

    def check(text: str) -> str:
        try:
            return rule(text)
        except Refused as refusal:
            raise ValueError(hint) from refusal

    return AfterValidator(check)


def not_empty(entries: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the entries; raises `ValueError` where there are none."""
    # Not pydantic's minimum length: it counts only valid entries, and would call a list of wrong entries empty.
    if not entries:
        raise ValueError("must not be empty")
    return entries


def check_unique(ids: Iterable[str]) -> None:
    """Raise `ValueError`, which names the first id that is there twice."""
    seen: set[str] = set()
    for entry_id in ids:
        if entry_id in seen:
            raise ValueError(f"'{entry_id}' is here twice: give each its own")
        seen.add(entry_id)


def loopback_allowed(info: ValidationInfo) -> bool:
    """Tell whether http on loopback may be registered: yes, unless the context is production."""
    context = info.context or {}
    return context.get("profile") is not Profile.PRODUCTION


def _site_url(text: str, info: ValidationInfo) -> str:
    return check_web_url(text, loopback=loopback_allowed(info)).rstrip("/")


def _issuer(text: str, info: ValidationInfo) -> str:
    """Return the issuer unchanged: tokens must have exactly the same text (OpenID Connect Core section 3.1.3.7)."""
    return check_web_url(text, loopback=loopback_allowed(info))


def _target_url(text: str, info: ValidationInfo) -> str:
    return check_target_url(text, loopback=loopback_allowed(info))


def _origin(text: str, info: ValidationInfo) -> str:
    return check_client_origin(text, loopback=loopback_allowed(info))


def _passkey_origin(text: str, info: ValidationInfo) -> str:
    """Return the origin unchanged: an app's own form, or that of a page."""
    if _ANDROID_ORIGIN.fullmatch(text):
        return text
    if text.startswith("android:"):
        raise ValueError("must be 'android:apk-key-hash:' and the certificate's SHA-256 in base64url without padding")
    return check_origin(text, loopback=loopback_allowed(info))


def _redirect_uri(text: str, info: ValidationInfo) -> str:
    return check_redirect_uri(text, loopback=loopback_allowed(info))


def _mailed_link(text: str, info: ValidationInfo) -> str:
    return check_mailed_link(text, loopback=loopback_allowed(info))


def _topic_pattern(text: str) -> str:
    if not topics_matching(text):
        raise ValueError(f"'{text}' matches no event: write a topic such as 'customer.created', or 'customer.*'")
    return text


def _webhook_secret(secret: SecretStr) -> SecretStr:
    try:
        length = len(b64decode(secret.get_secret_value().removeprefix("whsec_"), validate=True))
    except ValueError:
        length = 0
    if not 24 <= length <= 64:
        raise ValueError("must hold 'whsec_' and then 24 to 64 random bytes in base64 (Standard Webhooks)")
    return secret


Identifier = Annotated[
    str, expect(_IDENTIFIER, "must be 1 to 64 letters, digits, '.', '_', '~' or '-', a letter or digit first")
]
Name = Annotated[str, Field(min_length=1, max_length=100)]
SiteUrl = Annotated[str, AfterValidator(_site_url)]
Issuer = Annotated[str, Field(max_length=300), AfterValidator(_issuer)]
TargetUrl = Annotated[str, Field(max_length=2000), AfterValidator(_target_url)]
Origin = Annotated[str, AfterValidator(_origin)]
RedirectUri = Annotated[str, AfterValidator(_redirect_uri)]
MailedLink = Annotated[str, Field(max_length=500), AfterValidator(_mailed_link)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
TopicPattern = Annotated[str, AfterValidator(_topic_pattern)]
SitePath = Annotated[str, expect(_PATH, "must begin with '/' and have no '?' and no spaces, such as '/reset-password'")]
Language = Annotated[str, _read_by(parse_language, "must be a BCP 47 tag such as 'en' or 'de-AT'")]
Currency = Annotated[str, _read_by(parse_currency, "must be an ISO 4217 code such as 'EUR'")]
Country = Annotated[str, _read_by(parse_country, "must be an ISO 3166-1 code of two letters such as 'DE'")]
StaffEmail = Annotated[
    str, _read_by(lambda text: parse_email(text).address, "must be an e-mail address such as 'staff@shop.example'")
]
RpId = Annotated[str, expect(_RP_ID, "must be a domain such as 'shop.example', without scheme and port")]
PasskeyOrigin = Annotated[str, Field(max_length=300), AfterValidator(_passkey_origin)]
