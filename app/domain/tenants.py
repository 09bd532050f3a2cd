"""A tenant: one shop with its sites, clients and rules, as its table in the tenants file says, checked."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum, unique
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StrictBool,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.domain.client_credentials import WELL_KNOWN_SECRET, fingerprint_key, fingerprint_secret, split_keys
from app.domain.emails import parse_email
from app.domain.errors import Refused
from app.domain.locales import parse_country, parse_currency, parse_language
from app.domain.operation_lists import read_operations
from app.domain.principal import Owner
from app.domain.profile import Profile
from app.domain.scopes import ScopeWord, permissions, words_within
from app.domain.sign_in import SecondFactorRule, SignInMethod
from app.domain.social import OWN_PARAMETERS, parse_max_age
from app.domain.tenant_rules import Entry, Lifetimes, Limits
from app.domain.tokens import hint_of, read_hint
from app.domain.topics import Topic, topics_matching
from app.domain.web_addresses import (
    check_mailed_link,
    check_origin,
    check_redirect_uri,
    check_target_url,
    check_web_url,
)
from app.domain.web_origins import Origins, RegisteredOrigin, check_client_origin, may_rely_on, spellings

Value = TypeVar("Value")

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")
_PATH = re.compile(r"/[\x21-\x3e\x40-\x7e]*")
_RP_ID = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
# What an Android app names as its origin: the SHA-256 of its signing certificate in base64url.
_ANDROID_ORIGIN = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}")
_DIRECTORY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_MAIL_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def _expect(form: re.Pattern[str], hint: str) -> AfterValidator:
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


def _not_empty(entries: tuple[Value, ...]) -> tuple[Value, ...]:
    # Not pydantic's minimum length: it counts only valid entries, and would call a list of wrong entries empty.
    if not entries:
        raise ValueError("must not be empty")
    return entries


def _loopback_allowed(info: ValidationInfo) -> bool:
    """Tell whether http on loopback may be registered: yes, unless the context is production."""
    context = info.context or {}
    return context.get("profile") is not Profile.PRODUCTION


def _site_url(text: str, info: ValidationInfo) -> str:
    return check_web_url(text, loopback=_loopback_allowed(info)).rstrip("/")


def _issuer(text: str, info: ValidationInfo) -> str:
    """Return the issuer unchanged: tokens must have exactly the same text (OpenID Connect Core section 3.1.3.7)."""
    return check_web_url(text, loopback=_loopback_allowed(info))


def _target_url(text: str, info: ValidationInfo) -> str:
    return check_target_url(text, loopback=_loopback_allowed(info))


def _origin(text: str, info: ValidationInfo) -> str:
    return check_client_origin(text, loopback=_loopback_allowed(info))


def _passkey_origin(text: str, info: ValidationInfo) -> str:
    """Return the origin unchanged: an app's own form, or that of a page."""
    if _ANDROID_ORIGIN.fullmatch(text):
        return text
    if text.startswith("android:"):
        raise ValueError("must be 'android:apk-key-hash:' and the certificate's SHA-256 in base64url without padding")
    return check_origin(text, loopback=_loopback_allowed(info))


def _redirect_uri(text: str, info: ValidationInfo) -> str:
    return check_redirect_uri(text, loopback=_loopback_allowed(info))


def _mailed_link(text: str, info: ValidationInfo) -> str:
    return check_mailed_link(text, loopback=_loopback_allowed(info))


def _extra_parameter(text: str) -> str:
    if not _PARAMETER.fullmatch(text):
        raise ValueError("must be 1 to 100 letters, digits, '_', '.' and '-'")
    if text in OWN_PARAMETERS:
        raise ValueError(f"must not be '{text}', which we send ourselves")
    return text


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
    str, _expect(_IDENTIFIER, "must be 1 to 64 letters, digits, '.', '_', '~' or '-', a letter or digit first")
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
SitePath = Annotated[
    str, _expect(_PATH, "must begin with '/' and have no '?' and no spaces, such as '/reset-password'")
]
Language = Annotated[str, _read_by(parse_language, "must be a BCP 47 tag such as 'en' or 'de-AT'")]
Currency = Annotated[str, _read_by(parse_currency, "must be an ISO 4217 code such as 'EUR'")]
Country = Annotated[str, _read_by(parse_country, "must be an ISO 3166-1 code of two letters such as 'DE'")]
StaffEmail = Annotated[
    str, _read_by(lambda text: parse_email(text).address, "must be an e-mail address such as 'staff@shop.example'")
]
MailDomain = Annotated[str, _expect(_MAIL_DOMAIN, "must be the part of an address after '@', such as 'gmail.com'")]
ProviderClientId = Annotated[str, Field(min_length=1, max_length=300)]
RpId = Annotated[str, _expect(_RP_ID, "must be a domain such as 'shop.example', without scheme and port")]
PasskeyOrigin = Annotated[str, Field(max_length=300), AfterValidator(_passkey_origin)]
ClaimName = Annotated[str, Field(min_length=1, max_length=100)]
ResponseMode = Literal["query", "form_post"]
Preset = Literal[
    "apple",
    "auth0",
    "discord",
    "facebook",
    "github",
    "google",
    "kakao",
    "line",
    "linkedin",
    "microsoft",
    "tiktok",
    "x",
]
TokenEndpointAuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
SigningAlgorithm = Literal[
    "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "Ed25519", "EdDSA"
]
DirectoryId = Annotated[str, _expect(_DIRECTORY_ID, "must be the directory's id, a UUID in small letters")]
ExtraParameter = Annotated[str, AfterValidator(_extra_parameter)]
ExtraValue = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
OidcScope = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21\x23-\x5B\x5D-\x7E]+$")]


@unique
class SignupMode(StrEnum):
    """What stands between signing up and the first login: nothing, a mailed link, or a person at the shop."""

    OPEN = "open"
    CONFIRM_EMAIL = "confirm_email"
    EMPLOYEE_ACTIVATION = "employee_activation"


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


@unique
class SocialLinking(StrEnum):
    """What a verified social identity with a customer's address needs before it is linked to that customer."""

    CONFIRM = "confirm"
    AUTOMATIC = "automatic"


@unique
class AddressCheck(StrEnum):
    """What becomes of an address that does not fit its country."""

    OFF = "off"
    WARN = "warn"
    STRICT = "strict"


@unique
class MailMode(StrEnum):
    """Who sends mails: the gateway, by SMTP, or the shop's own mailer, which is told by an event."""

    SMTP = "smtp"
    EVENT = "event"


@unique
class AnonymizationRequester(StrEnum):
    """Who may ask for a customer's anonymization."""

    INTEGRATION = "integration"
    CUSTOMER = "customer"


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
        if not _loopback_allowed(info):
            raise ValueError("must name a real provider in production: turnstile, hcaptcha or recaptcha")
        if self.secret is not None or self.verify_url is not None:
            raise ValueError("needs neither secret_env nor verify_url for the provider demo")
        return self


def link_with(address: str, name: str, value: str) -> str:
    """Return the address to mail, with this parameter in its query, behind what is there already."""
    return f"{address}{'&' if '?' in address else '?'}{name}={quote(value, safe='')}"


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


class SigningSecret(Entry):
    """The key that we sign with where a provider wants that instead of a secret: `private_key` is a PEM text."""

    team_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Who signs, where the provider wants a secret that is signed, as Apple does: the `iss` of the secret. Without it
    we sign an assertion instead (`private_key_jwt`)."""
    key_id: Annotated[str, Field(min_length=1, max_length=100)]
    """Which key signs: the `kid` of what is signed."""
    private_key: SecretStr
    """The private key in PEM."""
    algorithm: SigningAlgorithm = "ES256"
    """What the key signs with; the key must fit."""


class ClaimNames(Entry):
    """What a provider calls that which we want to know; the defaults are those of OpenID Connect.

    A claim within a claim is a path with dots, such as `kakao_account.email`.
    """

    subject: ClaimName = "sub"
    """The claim that tells who the person is: a text, or a whole number."""
    email: ClaimName = "email"
    """The claim that tells the e-mail address."""
    email_verified: ClaimName = "email_verified"
    """The claim that tells whether that address is verified: it counts as JSON `true` only."""
    first_name: ClaimName = "given_name"
    """The claim that tells the first name."""
    last_name: ClaimName = "family_name"
    """The claim that tells the last name."""
    name: ClaimName = "name"
    """The claim that tells the whole name, where neither first nor last name is told: what follows its last blank is
    the last name."""


class SocialProvider(Entry):
    """A provider of social login; it vouches for addresses of `trusted_email_domains` only.

    An OpenID provider tells by its discovery document where its endpoints are. For an OAuth 2 provider without OpenID
    they stand here, and `issuer` is only the name that tells its subjects from others'.
    """

    provider: Identifier
    """What `beginSocialLogin` calls the provider."""
    preset: Preset | None = None
    """The well-known provider that this is: it fills in what the table of presets shows, and its rules hold even where
    other endpoints are written here. By default the one that `provider` names, if there is one."""
    name: Name
    """What customers read on its button."""
    issuer: Issuer
    """The provider's issuer, as its tokens have it; its discovery document (OpenID Connect) is found there."""
    client_id: ProviderClientId
    """What the provider calls us."""
    client_ids: tuple[ProviderClientId, ...] = ()
    """What else the provider calls us: the ids of our apps, for native sign-in. Every value of `aud`, and `azp`, of an
    id token must be one of all these (OpenID Connect Core 3.1.3.7)."""
    client_id_parameter: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] = "client_id"
    """What the provider calls the parameter with our id."""
    client_secret: SecretStr | None = None
    """Our secret at the provider; this or `signing`."""
    signing: SigningSecret | None = None
    """What we sign with where the provider wants that; this or `client_secret_env`."""
    token_endpoint_auth_method: TokenEndpointAuthMethod | None = None
    """How we authenticate where codes are traded (RFC 6749 section 2.3, OpenID Connect Core section 9); by default as
    the provider announces it. `none`: by PKCE alone, without any secret."""
    trusted_email_domains: frozenset[MailDomain] = frozenset()
    """The mail domains about whose addresses the provider is believed."""
    trusted_tenants: tuple[DirectoryId, ...] = ()
    """Microsoft only: the directories (`tid`) whose addresses are taken as verified."""
    scopes: tuple[OidcScope, ...] = ("openid", "email", "profile")
    """What we ask the provider for."""
    response_mode: ResponseMode | None = None
    """How the provider is to answer; without it, as it does by itself. With `form_post` it posts to the gateway's
    `/social/form_post`, which is the redirect URI to register there; the gateway sends the browser on."""
    authorization_parameters: dict[ExtraParameter, ExtraValue] = Field(default_factory=dict)
    """Parameters that every person is sent to the provider with."""
    allowed_parameters: tuple[ExtraParameter, ...] = ("prompt", "login_hint", "ui_locales", "acr_values", "max_age")
    """Parameters that a call of `beginSocialLogin` may add to those, or replace them with."""
    authorization_endpoint: TargetUrl | None = None
    """Where people log in. OAuth 2 without OpenID needs all three endpoints."""
    token_endpoint: TargetUrl | None = None
    """Where codes are traded."""
    userinfo_endpoint: TargetUrl | None = None
    """Where the person is told of."""
    emails_endpoint: TargetUrl | None = None
    """Where the person's addresses are listed, if somewhere else, as at GitHub: each has `email`, `verified` and
    `primary`."""
    revocation_endpoint: TargetUrl | None = None
    """Where a refresh token is revoked (RFC 7009), if no discovery document says so. With one, the latest refresh token
    of each customer is kept encrypted, and revoked when the account is unlinked or the customer erased."""
    jwks_uri: TargetUrl | None = None
    """Where the keys are that id tokens are signed with, if no discovery document says so."""
    claim_names: ClaimNames = ClaimNames()
    """What the provider calls that which we want to know."""

    @property
    def is_openid(self) -> bool:
        """Whether it is an OpenID provider, which answers a code with an id token."""
        if "openid" not in self.scopes:
            return False
        return self.preset is not None or not self._has_endpoints or self.jwks_uri is not None

    @property
    def has_id_tokens(self) -> bool:
        """Whether an app can bring an id token of it; some that answer a code without one have them for apps."""
        return self.is_openid or self.jwks_uri is not None

    @property
    def _has_endpoints(self) -> bool:
        return None not in (self.authorization_endpoint, self.token_endpoint, self.userinfo_endpoint)

    @cached_property
    def own_client_ids(self) -> frozenset[str]:
        """All that the provider knows us by: the sites and the apps of the shop."""
        return frozenset({self.client_id, *self.client_ids})

    @model_validator(mode="after")
    def _can_authenticate(self) -> Self:
        method, secret, signing = self.token_endpoint_auth_method, self.client_secret, self.signing
        if method == "none":
            if secret is not None or signing is not None:
                raise ValueError("must have no secret with token_endpoint_auth_method = 'none': leave it out")
            return self
        if (secret is None) == (signing is None):
            raise ValueError("needs client_secret_env, or signing if the provider asks for signed secrets")
        if method == "private_key_jwt" and signing is None:
            raise ValueError("needs signing with token_endpoint_auth_method = 'private_key_jwt'")
        if signing is not None and signing.team_id is None and method not in {None, "private_key_jwt"}:
            raise ValueError("needs team_id in signing, or token_endpoint_auth_method = 'private_key_jwt'")
        return self

    @model_validator(mode="after")
    def _has_all_endpoints_or_none(self) -> Self:
        endpoints = (self.authorization_endpoint, self.token_endpoint, self.userinfo_endpoint)
        # The others of a well-known OpenID provider are in its discovery document.
        is_known = self.preset is not None and "openid" in self.scopes
        if any(endpoints) and not all(endpoints) and not is_known:
            raise ValueError(
                "needs authorization_endpoint, token_endpoint and userinfo_endpoint, or none of them with OpenID"
            )
        if not any(endpoints) and "openid" not in self.scopes:
            raise ValueError("must ask for the scope 'openid', or name the endpoints of OAuth 2 without OpenID")
        return self

    @field_validator("authorization_parameters")
    @classmethod
    def _asks_for_an_age(cls, parameters: dict[str, str]) -> dict[str, str]:
        try:
            parse_max_age(parameters.get("max_age", "0"))
        except Refused as refusal:
            raise ValueError("has a max_age that is no number of seconds: write 'max_age = \"3600\"'") from refusal
        return parameters

    @model_validator(mode="after")
    def _trusts_directories_of_microsoft(self) -> Self:
        if self.trusted_tenants and self.preset != "microsoft":
            raise ValueError("has trusted_tenants, which are for the preset 'microsoft' alone: leave them out")
        return self

    def trusts(self, mail_domain: str) -> bool:
        """Tell whether the provider is believed about addresses of this domain (in its ASCII form)."""
        return mail_domain in self.trusted_email_domains


class WebhookEndpoint(Entry):
    """Where events go, signed with `secret`, and with `previous_secret` too while the receiver changes over."""

    url: TargetUrl
    """Where the events are posted; https, or http on loopback in development."""
    topics: Annotated[tuple[TopicPattern, ...], AfterValidator(_not_empty)]
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


class Mixin(Entry):
    """A named part of a customer's free data; `json_schema` is the text of its JSON Schema (draft 2020-12)."""

    name: Identifier
    """The name of the table: the key in a customer's `mixins`."""
    json_schema: str = Field(repr=False)
    """What the value has to be: a JSON Schema (draft 2020-12)."""


class Tenant(Lifetimes):
    """One shop.

    The lifetimes are fields of it, as they are keys of its table. `operation_list` is the JSON text of the operations
    that its storefronts may run; without it they may run any operation.
    """

    id: Annotated[
        str, _expect(re.compile(r"[a-z0-9][a-z0-9_-]{0,62}"), "must be 1 to 63 of a to z, 0 to 9, '_' and '-'")
    ]
    """The name of the table: what tokens, logs and commands call the shop."""
    name: Name
    """What mails and storefronts call the shop."""
    signup: SignupMode
    """What stands between signing up and the first login: nothing, a mailed link, or a person at the shop."""
    sites: Annotated[tuple[Site, ...], AfterValidator(_not_empty)]
    """The shop's web sites, a table each; the first is the default."""
    clients: Annotated[tuple[Client, ...], AfterValidator(_not_empty)]
    """The programs that may call the gateway for this shop."""
    users: tuple[OrganisationUser, ...] = ()
    """The people of the organisation whom an assertion may name as its owner."""
    social: tuple[SocialProvider, ...] = ()
    """The providers of social login."""
    webhooks: tuple[WebhookEndpoint, ...] = ()
    """Where events go."""
    mixins: tuple[Mixin, ...] = ()
    """The named parts of a customer's free data, a table each."""
    operation_list: str | None = Field(default=None, repr=False)
    """The operations that storefronts may run, by their hash; without it they may run any."""
    password_login: StrictBool = True
    """Whether customers have passwords. Without them none is asked for, set or reset anywhere."""
    login_code: StrictBool = True
    """Whether customers may sign in with a mailed code."""
    password_hook: PasswordHook | None = None
    """Who is asked whether a password is right that is still in the old shop: the table `password_hook`. Without it
    nobody is asked."""
    login_code_signup: StrictBool = False
    """Whether a mailed code makes a new customer of who has proved an address that nobody has. In a shop with
    `employee_activation` the customer waits for the activation."""
    passkeys: StrictBool = True
    """Whether customers may sign in with passkeys."""
    require_second_factor: SecondFactorRule = SecondFactorRule.OPTIONAL
    """Who needs a second factor to sign in: `off` nobody, and none can be enrolled; `optional` who has enrolled TOTP;
    `staff_marked` these, and those of whom staff say so (`secondFactorRequired`); `all` everybody."""
    phone_codes: PhoneCodes | None = None
    """Who sends codes to phones: the table `phone_codes`. Without it no phone number can be proved."""
    challenge: Challenge | None = None
    """What to ask before a wait: the table `challenge`."""
    limits: Limits = Limits()
    """How much is too much: the table `limits`."""
    password_min_length: Annotated[int, Field(strict=True, ge=8, le=15)] = 8
    """How long a password must be."""
    login_tells_status: StrictBool = True
    """Whether a login with the right password tells that the account is inactive or on hold, rather than that the
    credentials are wrong."""
    social_linking: SocialLinking = SocialLinking.CONFIRM
    """What a social login with a customer's proven address needs before it is linked: the password or a mailed code, or
    nothing."""
    social_tokens: StrictBool = False
    """Whether `socialLogin` hands out the provider's own tokens."""
    initial_password_gate: StrictBool = True
    """Whether a customer whose password somebody else has chosen may do nothing but change it, read `me`, refresh and
    log out."""
    address_check: AddressCheck = AddressCheck.WARN
    """What becomes of an address whose postal code, state or other fields do not fit its country: `warn`, it is stored,
    and the payload has `remarks`; `strict`, it is refused; `off`, nobody looks. A city is needed wherever there are
    some."""
    mail: MailMode = MailMode.SMTP
    """Who sends mails: `smtp`, the gateway; `event`, the shop's own mailer, which gets each as a webhook of the topic
    `mail.requested` with `to`, `subject`, `text` and `link`. Its endpoint names that topic, or `mail.*`."""
    own_texts: str | None = Field(default=None, repr=False)
    """Texts of mails in the place of ours, and in further languages: files named as in `app/templates`, as many or few
    as you like. They are tried at the start; `/dev/mail/texts` shows them."""
    staff_email: StaffEmail | None = None
    """Where the shop is told of a registration that waits for somebody to activate it."""
    invitations: StrictBool = True
    """Whether customers whom staff make without a password get a mail with a link to choose one; in a shop without
    passwords, with a link to the site, to sign in there."""
    security_mails: StrictBool = True
    """Whether customers are warned by mail: new device, changed password or address, added or removed way to
    sign in, copied token."""
    anonymization_by: frozenset[AnonymizationRequester] = frozenset({AnonymizationRequester.INTEGRATION})
    """Who may ask for a customer's anonymization."""

    @field_validator("clients", "users")
    @classmethod
    def _no_id_twice(cls, entries: tuple[Client | OrganisationUser, ...]) -> tuple[Client | OrganisationUser, ...]:
        _check_unique(entry.id for entry in entries)
        return entries

    @field_validator("social")
    @classmethod
    def _no_provider_twice(cls, social: tuple[SocialProvider, ...]) -> tuple[SocialProvider, ...]:
        _check_unique(entry.provider for entry in social)
        return social

    @field_validator("webhooks")
    @classmethod
    def _no_webhook_twice(cls, webhooks: tuple[WebhookEndpoint, ...]) -> tuple[WebhookEndpoint, ...]:
        _check_unique(endpoint.url for endpoint in webhooks)
        return webhooks

    @model_validator(mode="after")
    def _has_one_mailer(self) -> Self:
        if self.mail is MailMode.EVENT and self.mail_endpoint is None:
            raise ValueError("needs exactly one webhook whose topics name mail.requested where mail is 'event'")
        return self

    @cached_property
    def mail_endpoint(self) -> WebhookEndpoint | None:
        """Where mails go as events; None where the gateway sends them, or no single endpoint is meant."""
        if self.mail is not MailMode.EVENT:
            return None
        named = [endpoint for endpoint in self.webhooks if endpoint.names(Topic.MAIL_REQUESTED)]
        meant = named or [endpoint for endpoint in self.webhooks if endpoint.wants(Topic.MAIL_REQUESTED)]
        return meant[0] if len(meant) == 1 else None

    @cached_property
    def mixin_schemas(self) -> Mapping[str, Mapping[str, Any]]:
        """The JSON Schemas of the mixins, by name."""
        return MappingProxyType({mixin.name: json.loads(mixin.json_schema) for mixin in self.mixins})

    @cached_property
    def operations(self) -> Mapping[str, str] | None:
        """The texts of all that its storefronts may run, by their hash; None where they may run anything."""
        if self.operation_list is None:
            return None
        return MappingProxyType(read_operations(json.loads(self.operation_list)))

    @property
    def default_site(self) -> Site:
        """The first site of the table, for whoever names none."""
        return self.sites[0]

    @cached_property
    def sign_in_methods(self) -> tuple[SignInMethod, ...]:
        """The ways to sign in that the shop has on."""
        has_second_factors = self.require_second_factor is not SecondFactorRule.OFF
        is_on = {
            SignInMethod.PASSWORD: self.password_login,
            SignInMethod.EMAIL_CODE: self.login_code,
            SignInMethod.PHONE_CODE: self.phone_codes is not None,
            SignInMethod.PASSKEY: self.passkeys,
            SignInMethod.TOTP: has_second_factors,
            SignInMethod.RECOVERY_CODE: has_second_factors,
            SignInMethod.SOCIAL: bool(self.social),
        }
        return tuple(method for method in SignInMethod if is_on[method])

    def find_site(self, site_id: str) -> Site | None:
        """Return the site with this id, or else the only one whose id differs only in case (`DE`); or None."""
        alike = [site for site in self.sites if site.id.lower() == site_id.strip().lower()]
        exact = next((site for site in alike if site.id == site_id), None)
        return exact or (alike[0] if len(alike) == 1 else None)

    def find_client(self, client_id: str) -> Client | None:
        """Return the client of this id, or None."""
        return next((client for client in self.clients if client.id == client_id), None)

    def scopes_of(self, client: Client, owner: Owner | None) -> frozenset[str]:
        """Return what a client may do by itself, or in the name of a user of the organisation: then what both may.

        It is told in the words of the file where they fit. In the name of a user that there is not it may do nothing.
        """
        if owner is None:
            return frozenset(client.scopes)
        user = self.find_user(owner.id)
        if user is None:
            return frozenset()
        return words_within(client.scopes | user.scopes, permissions(client.scopes) & permissions(user.scopes))

    def find_user(self, user_id: str) -> OrganisationUser | None:
        """Return the organisation's user of this id, or None."""
        return next((user for user in self.users if user.id == user_id), None)

    def find_social_provider(self, provider: str) -> SocialProvider | None:
        """Return the social provider of this id, or None."""
        return next((entry for entry in self.social if entry.provider == provider), None)


class TenantDirectory:
    """All tenants, in the order of the file. A client belongs to one tenant, so the client id tells which.

    It never changes: a change of the file makes another one, and whoever has this one goes on with it.
    """

    def __init__(self, tenants: Iterable[Tenant]) -> None:
        """Index the tenants; raises `ValueError` when two of them share a client id."""
        self._tenants: dict[str, Tenant] = {}
        self._clients: dict[str, tuple[Tenant, Client]] = {}
        # How many tenants list each operation.
        self._operations: Counter[tuple[str, str]] = Counter()
        self._texts: dict[str, str] = {}
        # The tenants whose tokens have each hint: one, unless two tenants have the same by chance.
        self._hinted: dict[str, tuple[str, ...]] = {}
        for tenant in tenants:
            self._add(tenant)
        self.origins = Origins(each for tenant in self for each in _origins(tenant))

    def __iter__(self) -> Iterator[Tenant]:
        return iter(self._tenants.values())

    def __len__(self) -> int:
        return len(self._tenants)

    def with_changes(self, changed: Collection[Tenant], gone: Collection[str] = ()) -> TenantDirectory:
        """Return the directory with these tenants, new or changed, and without those that are gone.

        It costs what has changed, whatever the number of all. Raises `ValueError` when two tenants share a client id.
        """
        later = TenantDirectory(())
        later._tenants = self._tenants.copy()
        later._clients = self._clients.copy()
        later._operations = self._operations.copy()
        later._texts = self._texts.copy()
        later._hinted = self._hinted.copy()
        before = [
            tenant for each in (*gone, *(t.id for t in changed)) if (tenant := self._tenants.get(each)) is not None
        ]
        later.origins = self.origins.with_changes(
            (each for tenant in changed for each in _origins(tenant)),
            (each for tenant in before for each in _origins(tenant)),
        )
        for tenant_id in (*gone, *(tenant.id for tenant in changed)):
            later._take_out(tenant_id)
        for tenant_id in gone:
            if later._tenants.pop(tenant_id, None) is not None:
                later._forget_hint(tenant_id)
        for tenant in changed:
            later._add(tenant)
        return later

    def _add(self, tenant: Tenant) -> None:
        for client in tenant.clients:
            if client.id in self._clients:
                raise ValueError(f"'{client.id}' is here twice: give each its own")
            self._clients[client.id] = (tenant, client)
        if tenant.operations is not None:
            self._operations.update(tenant.operations.items())
            self._texts.update(tenant.operations)
        if tenant.id not in self._tenants:
            hint = hint_of(tenant.id)
            self._hinted[hint] = (*self._hinted.get(hint, ()), tenant.id)
        self._tenants[tenant.id] = tenant

    def _forget_hint(self, tenant_id: str) -> None:
        hint = hint_of(tenant_id)
        others = tuple(each for each in self._hinted[hint] if each != tenant_id)
        if others:
            self._hinted[hint] = others
        else:
            del self._hinted[hint]

    def _take_out(self, tenant_id: str) -> None:
        """Remove what was indexed of a tenant; its place in the order stays."""
        tenant = self._tenants.get(tenant_id)
        if tenant is None:
            return
        for client in tenant.clients:
            del self._clients[client.id]
        for listed in (tenant.operations or {}).items():
            self._operations[listed] -= 1
            if not self._operations[listed]:
                del self._operations[listed]
                self._texts.pop(listed[0], None)

    def tenant(self, tenant_id: str) -> Tenant:
        """Return the tenant of this id; raises `LookupError` when the file no longer has it."""
        return self._tenants[tenant_id]

    def find_tenant(self, tenant_id: str) -> Tenant | None:
        """Return the tenant of this id, or None."""
        return self._tenants.get(tenant_id)

    def hinted(self, token: str) -> Sequence[str]:
        """Return the ids of the tenants that a token's hint means: one, by chance several, or none that we know.

        Without one it may be a token of any tenant, from before there were hints. That the random beginning of such a
        token is by chance a tenant's hint (2^-48 for each tenant) is left out of account: it is found no more.
        """
        return self._hinted.get(read_hint(token), ())

    def find_first_storefront(self) -> tuple[Tenant, Client] | None:
        """Return the storefront to try the gateway with, and its shop: one that runs any operation, if there is one."""
        found = [(tenant, client) for tenant in self for client in tenant.clients if client.is_storefront]
        return min(found, key=lambda pair: pair[0].operation_list is not None, default=None)

    def find_client(self, client_id: str) -> tuple[Tenant, Client] | None:
        """Return the client of this id and the tenant that it belongs to, or None."""
        return self._clients.get(client_id)

    def find_operation(self, known_as: str) -> str | None:
        """Return the text with this hash that is on a tenant's list of operations, or None."""
        return self._texts.get(known_as)

    def find_integration(self, client_id: str) -> tuple[Tenant, Client] | None:
        """Return the confidential client of this id and its tenant; a storefront with a secret is none."""
        found = self._clients.get(client_id)
        return None if found is None or found[1].is_storefront else found


def _origins(tenant: Tenant) -> Iterator[RegisteredOrigin]:
    return (
        RegisteredOrigin(origin, tenant.id, client.id, client.refresh_cookie)
        for client in tenant.clients
        for origin in client.origins
    )


def _check_unique(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for entry_id in ids:
        if entry_id in seen:
            raise ValueError(f"'{entry_id}' is here twice: give each its own")
        seen.add(entry_id)
