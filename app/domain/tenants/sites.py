"""The web sites of a shop, where its mailed links lead."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from pydantic import ValidationInfo, field_validator

from app.domain.tenants.forms import Country, Currency, Identifier, Language, PasskeyOrigin, RpId, SitePath, SiteUrl
from app.domain.tenants.rules import Entry
from app.domain.web_origins import may_rely_on


def link_with(address: str, name: str, value: str) -> str:
    """Return the address to mail, with this parameter in its query, behind what is there already."""
    return f"{address}{'&' if '?' in address else '?'}{name}={quote(value, safe='')}"


class Site(Entry):
    """One of the shop's web sites, where mailed links lead."""

    id: Identifier
    """The name of the table: what `anonymousLogin(site:)` and `preferredSite` call the site."""
    url: SiteUrl
    """Where the site is; mailed links are this, a path of those below, and `?token=…`. https, or http on loopback in
    development."""
    language: Language
    """The language (BCP 47) of mails to customers who have not chosen one."""
    currency: Currency | None = None
    """The currency (ISO 4217) that storefronts are told."""
    country: Country | None = None
    """The country (ISO 3166-1) whose phone numbers customers of this site may write without `+`."""
    reset_path: SitePath = "/reset-password"
    """The page that takes the token of a password reset to `resetPassword`."""
    confirm_path: SitePath = "/confirm-signup"
    """The page that takes the token of a sign-up to `confirmSignup`."""
    email_change_path: SitePath = "/confirm-email"
    """The page that takes the token of another e-mail address to `confirmEmailChange`."""
    email_revert_path: SitePath = "/revert-email"
    """The page that takes the token of the old e-mail address to `revertEmailChange`."""
    anonymization_cancel_path: SitePath = "/cancel-anonymization"
    """The page that takes the token of an asked anonymization to `cancelAnonymization`."""
    login_code_path: SitePath = "/login-code"
    """The page that takes the mailed `code` to `completeLogin`, together with the ticket that the page itself keeps."""
    sign_in_revert_path: SitePath = "/revert-sign-in-method"
    """The page that takes the token of an added or removed way to sign in to `revertSignInMethod`."""
    rp_id: RpId | None = None
    """The relying party id of passkeys (WebAuthn Level 3): the host of `url`, or a domain above it that has several of
    the shop's sites. Without it the host of `url`."""
    passkey_origins: tuple[PasskeyOrigin, ...] = ()
    """The origins whose pages and apps may use the passkeys: `https://shop.example`, for an Android app
    `android:apk-key-hash:…`. Without it the origin of `url`."""

    @field_validator("rp_id")
    @classmethod
    def _is_above_the_host(cls, rp_id: str | None, info: ValidationInfo) -> str | None:
        # A browser refuses any other, so that no passkey could be made.
        host = urlsplit(info.data.get("url", "")).hostname
        if rp_id is not None and host is not None and not may_rely_on(rp_id, host):
            raise ValueError(f"must be {host}, the host of url, or a domain of your own above it")
        return rp_id

    @property
    def relying_party_id(self) -> str:
        """The relying party id of the site's passkeys."""
        return self.rp_id or urlsplit(self.url).hostname or ""

    @property
    def origins_of_passkeys(self) -> tuple[str, ...]:
        """The origins that a passkey's answer may name."""
        parts = urlsplit(self.url)
        return self.passkey_origins or (f"{parts.scheme}://{parts.netloc}",)

    def link(self, path: str, value: str, parameter: str = "token") -> str:
        """Return the address to mail: this site's page at `path`, with the one-time token or a code in its query."""
        return link_with(f"{self.url}{path}", parameter, value)
