"""A tenant: one shop with its sites, clients and rules, as its table in the tenants file says, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum, unique
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StrictBool, field_validator, model_validator

from app.domain.operation_lists import read_operations
from app.domain.principal import Owner
from app.domain.scopes import permissions, words_within
from app.domain.sign_in import SecondFactorRule, SignInMethod
from app.domain.tenants.clients import Client, OrganisationUser
from app.domain.tenants.forms import Identifier, Name, StaffEmail, check_unique, expect, not_empty
from app.domain.tenants.receivers import Challenge, PasswordHook, PhoneCodes, WebhookEndpoint
from app.domain.tenants.rules import Entry, Lifetimes, Limits
from app.domain.tenants.sites import Site
from app.domain.tenants.social import SocialProvider
from app.domain.topics import Topic


@unique
class SignupMode(StrEnum):
    """What stands between signing up and the first login: nothing, a mailed link, or a person at the shop."""

    OPEN = "open"
    CONFIRM_EMAIL = "confirm_email"
    EMPLOYEE_ACTIVATION = "employee_activation"


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
        str, expect(re.compile(r"[a-z0-9][a-z0-9_-]{0,62}"), "must be 1 to 63 of a to z, 0 to 9, '_' and '-'")
    ]
    """The name of the table: what tokens, logs and commands call the shop."""
    name: Name
    """What mails and storefronts call the shop."""
    signup: SignupMode
    """What stands between signing up and the first login: nothing, a mailed link, or a person at the shop."""
    sites: Annotated[tuple[Site, ...], AfterValidator(not_empty)]
    """The shop's web sites, a table each; the first is the default."""
    clients: Annotated[tuple[Client, ...], AfterValidator(not_empty)]
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
        check_unique(entry.id for entry in entries)
        return entries

    @field_validator("social")
    @classmethod
    def _no_provider_twice(cls, social: tuple[SocialProvider, ...]) -> tuple[SocialProvider, ...]:
        check_unique(entry.provider for entry in social)
        return social

    @field_validator("webhooks")
    @classmethod
    def _no_webhook_twice(cls, webhooks: tuple[WebhookEndpoint, ...]) -> tuple[WebhookEndpoint, ...]:
        check_unique(endpoint.url for endpoint in webhooks)
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
