"""The shops, as their tables in the tenants file say: a file for each kind of table, and all of them to import here."""

from app.domain.tenants.clients import Client, ClientKind, MailedLinks, OrganisationUser, SameSite
from app.domain.tenants.directory import TenantDirectory
from app.domain.tenants.receivers import Challenge, ChallengeProvider, PasswordHook, PhoneCodes, WebhookEndpoint
from app.domain.tenants.sites import Site, link_with
from app.domain.tenants.social import ClaimNames, SigningSecret, SocialProvider
from app.domain.tenants.tenant import (
    AddressCheck,
    AnonymizationRequester,
    MailMode,
    Mixin,
    SignupMode,
    SocialLinking,
    Tenant,
)

__all__ = [
    "AddressCheck",
    "AnonymizationRequester",
    "Challenge",
    "ChallengeProvider",
    "ClaimNames",
    "Client",
    "ClientKind",
    "MailMode",
    "MailedLinks",
    "Mixin",
    "OrganisationUser",
    "PasswordHook",
    "PhoneCodes",
    "SameSite",
    "SigningSecret",
    "SignupMode",
    "Site",
    "SocialLinking",
    "SocialProvider",
    "Tenant",
    "TenantDirectory",
    "WebhookEndpoint",
    "link_with",
]
