"""The providers of social login that a shop has."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from app.domain.errors import Refused
from app.domain.social import OWN_PARAMETERS, parse_max_age
from app.domain.tenants.forms import Identifier, Issuer, Name, TargetUrl, expect
from app.domain.tenants.rules import Entry

_DIRECTORY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_MAIL_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def _extra_parameter(text: str) -> str:
    if not _PARAMETER.fullmatch(text):
        raise ValueError("must be 1 to 100 letters, digits, '_', '.' and '-'")
    if text in OWN_PARAMETERS:
        raise ValueError(f"must not be '{text}', which we send ourselves")
    return text


MailDomain = Annotated[str, expect(_MAIL_DOMAIN, "must be the part of an address after '@', such as 'gmail.com'")]
ProviderClientId = Annotated[str, Field(min_length=1, max_length=300)]
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
DirectoryId = Annotated[str, expect(_DIRECTORY_ID, "must be the directory's id, a UUID in small letters")]
ExtraParameter = Annotated[str, AfterValidator(_extra_parameter)]
ExtraValue = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
OidcScope = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21\x23-\x5B\x5D-\x7E]+$")]


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
