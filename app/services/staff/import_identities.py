"""The accounts at providers of social login that an import brings: customers go on logging in by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.customer_lines import IdentityLine
from app.domain.errors import FieldError, UserErrorCode
from app.domain.problems import Problems
from app.domain.tenants import SocialProvider, Tenant
from app.models.social import EMAIL_LENGTH, ISSUER_LENGTH, SUBJECT_LENGTH, SocialIdentity
from app.services.unit_of_work import UnitOfWork

_FIELD = "socialIdentities"
# Its subjects belong to a directory each, whose issuer a file of another system does not tell.
_MANY_ISSUERS = "microsoft"


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """Who a customer is at one of the shop's providers; `index` is the place in the file."""

    index: int
    provider: str
    issuer: str
    subject: str
    email: str | None


def find_identities(tenant: Tenant, problems: Problems, told: Sequence[IdentityLine]) -> list[Identity]:
    """Return the identities at providers of the shop; what is wrong with the others is noted."""
    found = []
    for index, each in enumerate(told):
        provider = _find_provider(tenant, each.provider)
        issuer = None if provider is None else each.issuer or _issuer(provider)
        if provider is None:
            problems.add(
                UserErrorCode.NOT_FOUND,
                "The shop has no such provider of social login.",
                _FIELD,
                str(index),
                "provider",
            )
        elif issuer is None:
            problems.add(
                UserErrorCode.REQUIRED, "The issuer of this account is not known.", _FIELD, str(index), "issuer"
            )
        elif not each.subject or len(each.subject) > SUBJECT_LENGTH or len(issuer) > ISSUER_LENGTH:
            problems.add(UserErrorCode.INVALID, "No provider has such an account.", _FIELD, str(index), "subject")
        else:
            email = each.email if each.email is not None and len(each.email) <= EMAIL_LENGTH else None
            found.append(Identity(index, provider.provider, issuer, each.subject, email))
    return found


def _find_provider(tenant: Tenant, name: str) -> SocialProvider | None:
    """Return the provider that the shop calls so, or else the well-known one of this name."""
    return tenant.find_social_provider(name) or next((each for each in tenant.social if each.preset == name), None)


def _issuer(provider: SocialProvider) -> str | None:
    return None if provider.preset == _MANY_ISSUERS else provider.issuer


async def find_taken(uow: UnitOfWork, identities: Sequence[Identity]) -> tuple[FieldError, ...]:
    """Return an error for each identity that is another customer's."""
    found = [each for each in identities if await uow.social_identities.find(each.provider, each.issuer, each.subject)]
    return tuple(map(_taken, found))


async def add_identities(uow: UnitOfWork, customer_id: str, identities: Sequence[Identity]) -> tuple[FieldError, ...]:
    """Write the identities of a new customer; returns an error for each that is another's."""
    remarks = []
    for each in identities:
        identity = SocialIdentity(
            tenant_id=uow.tenant.id,
            id=uow.tools.random.new_id(),
            customer_id=customer_id,
            provider=each.provider,
            issuer=each.issuer,
            subject=each.subject,
            email=each.email,
            created_at=uow.now,
        )
        if not await uow.social_identities.add_unless_taken(identity):
            remarks.append(_taken(each))
    return tuple(remarks)


def _taken(identity: Identity) -> FieldError:
    message = "Another customer logs in with this social account."
    return FieldError(UserErrorCode.SOCIAL_ACCOUNT_TAKEN, (_FIELD, str(identity.index)), message)
