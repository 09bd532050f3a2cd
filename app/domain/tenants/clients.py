"""The programs that call the gateway for a shop, and the people in whose name they may."""

from __future__ import annotations

from enum import StrEnum, unique
from functools import cached_property
from typing import Self

from pydantic import Field, SecretStr, StrictBool, model_validator

from app.domain.client_credentials import WELL_KNOWN_SECRET, fingerprint_key, fingerprint_secret, split_keys
from app.domain.scopes import ScopeWord
from app.domain.tenants.forms import Identifier, MailedLink, Origin, RedirectUri
from app.domain.tenants.rules import Entry
from app.domain.web_origins import spellings


@unique
class ClientKind(StrEnum):
    """A storefront is public, even if its server knows a secret; an integration is confidential (RFC 6749, 2.1)."""

    STOREFRONT = "storefront"
    INTEGRATION = "integration"


@unique
class SameSite(StrEnum):
    """When a browser sends a cookie: from pages of the same site only, or from every site that is let in."""

    LAX = "lax"
    NONE = "none"


class MailedLinks(Entry):
    """Where the links of mails lead that a client has caused, where that is not a page of the site.

    https addresses that open the app: universal links (iOS), app links (Android). In development also an app's own
    scheme. The token, or the code, is put into the query.
    """

    reset: MailedLink | None = None
    """What takes the token of a password reset to `resetPassword`."""
    confirm: MailedLink | None = None
    """What takes the token of a sign-up to `confirmSignup`."""
    email_change: MailedLink | None = None
    """What takes the token of another e-mail address to `confirmEmailChange`."""
    email_revert: MailedLink | None = None
    """What takes the token of the old e-mail address to `revertEmailChange`."""
    anonymization_cancel: MailedLink | None = None
    """What takes the token of an asked anonymization to `cancelAnonymization`."""
    login_code: MailedLink | None = None
    """What takes the mailed code to `completeLogin`."""
    sign_in_revert: MailedLink | None = None
    """What takes the token of an added or removed way to sign in to `revertSignInMethod`."""


class Client(Entry):
    """A program that calls us. `jwks` is the text of its public JWK set (RFC 7517)."""

    id: Identifier
    """What the client calls itself: `clientId` of `anonymousLogin`, `client_id` of OAuth 2. No two shops share one."""
    kind: ClientKind
    """`storefront`: pages and apps, in which no secret can be kept. `integration`: a system that proves who it is at
    `/oauth/token`."""
    origins: tuple[Origin, ...] = ()
    """Origins whose browsers may call the gateway (CORS), to the letter; storefronts only. `https://*.preview.example`
    lets in one label before a domain of your own; apps are `capacitor://localhost`, `ionic://localhost`,
    `tauri://localhost`, and on Windows and Android `http://tauri.localhost`."""
    redirect_uris: tuple[RedirectUri, ...] = ()
    """Where social logins may come back to, to the letter: https, or an app's own scheme as in
    `com.example.shop:/callback`, in development also of one word as in `myapp:/callback`; storefronts only."""
    links: MailedLinks = MailedLinks()
    """Where mailed links lead if this client has caused the mail: the table `links`; storefronts only."""
    refresh_cookie: StrictBool = False
    """Whether the refresh token leaves in a cookie only, which no script can read; for pages, which call with
    `Gateway-Client`. Storefronts only."""
    cookie_same_site: SameSite = SameSite.LAX
    """`lax` where the gateway and the pages are one site, such as `id.shop.example` and `shop.example`; `none` where
    they are not, which some browsers refuse."""
    secret: SecretStr | None = None
    """The client's secret. An integration's is for HTTP Basic and for assertions signed by HMAC. By a storefront's, in
    the header `Storefront-Secret`, its own server speaks for visitors; it opens nothing else."""
    jwks: str | None = Field(default=None, repr=False)
    """The client's public keys, a JWK set (RFC 7517), for `private_key_jwt` and for assertions; integrations only."""
    scopes: frozenset[ScopeWord] = frozenset()
    """What its tokens may do; integrations only. `customers.manage` is `customers.read`, `customers.write`,
    `customers.impersonate` and `customers.credentials`; `customers.anonymize` is the older word for
    `customers.privacy`."""

    @property
    def is_storefront(self) -> bool:
        """Whether it is a public client, which begins anonymous sessions."""
        return self.kind is ClientKind.STOREFRONT

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The public keys that are registered for it, each a JWK as JSON text."""
        return split_keys(self.jwks)

    def lets_in(self, origin: str) -> bool:
        """Tell whether this is the origin of one of its pages."""
        return any(spelling in self.origins for spelling in spellings(origin))

    @property
    def has_well_known_secret(self) -> bool:
        """Whether its secret is one of the demo's, which everybody knows."""
        return self.secret is not None and self.secret.get_secret_value().startswith(WELL_KNOWN_SECRET)

    @cached_property
    def credential_fingerprints(self) -> frozenset[bytes]:
        """The fingerprints of its secret and of its keys. A token that came from none of them is not accepted."""
        fingerprints = {fingerprint_key(key) for key in self.keys}
        if self.secret is not None:
            fingerprints.add(fingerprint_secret(self.id, self.secret.get_secret_value()))
        return frozenset(fingerprints)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind is ClientKind.STOREFRONT and (self.jwks or self.scopes):
            raise ValueError("a storefront is public: leave jwks_file and scopes out")
        if self.refresh_cookie and not self.origins:
            raise ValueError("refresh_cookie needs origins: only pages of theirs get a cookie")
        if not self.refresh_cookie and "cookie_same_site" in self.model_fields_set:
            raise ValueError("cookie_same_site needs refresh_cookie = true")
        if self.kind is ClientKind.INTEGRATION:
            if self.secret is None and self.jwks is None:
                raise ValueError("an integration needs secret_env or jwks_file")
            if self.origins or self.redirect_uris or self.refresh_cookie:
                raise ValueError("an integration does not run in a browser: leave origins and redirect_uris out")
            if self.links != MailedLinks():
                raise ValueError("an integration opens no mailed links: leave links out")
        return self


class OrganisationUser(Entry):
    """A person of the organisation, whom an assertion may name as its owner.

    In the person's name a client may do only what is both in `scopes` and in the client's own scopes.
    """

    id: Identifier
    """What an assertion calls the person, in its `owner`."""
    scopes: frozenset[ScopeWord] = frozenset()
    """What may be done in the person's name."""
