"""New customers that staff create, one by one or in an import."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.patches import Patch
from app.domain.problems import Problems
from app.domain.references import parse_customer_number, parse_shopper_reference
from app.domain.texts import is_blank
from app.models.credentials import Credential
from app.models.customers import Customer, CustomerStatus
from app.services.accounts.addresses import add_address, check_address
from app.services.accounts.legal_entities import Assignment, assign_legal_entities, check_assignments
from app.services.accounts.profiles import COMPANY_REGISTRATION_LINE, check_profile, find_company, imply_business_model
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class NewCustomer:
    """The values that staff give for a new customer, not checked yet."""

    email: str | None
    email_verified: bool = False
    customer_number: str | None = None
    shopper_reference: str | None = None
    active: bool = True
    on_hold: bool = False
    status: CustomerStatus = CustomerStatus.PROSPECT
    order_count: int = 0
    created_at: datetime | None = None
    profile: Patch = field(default_factory=dict)
    legal_entities: Sequence[Patch] = ()
    addresses: Sequence[Patch] = ()


@dataclass(frozen=True, slots=True, repr=False)
class CheckedCustomer:
    """A new customer with all fields checked."""

    given: NewCustomer
    email: EmailAddress
    customer_number: str | None
    shopper_reference: str | None
    columns: dict[str, Any]
    legal_entities: Sequence[Assignment]
    addresses: Sequence[dict[str, Any]]


def check_new_customer(uow: UnitOfWork, problems: Problems, new: NewCustomer) -> CheckedCustomer | None:
    """Return the customer ready to be written; faults are noted, and then it may be None."""
    countries = [address.get("country") for address in new.addresses]
    columns = check_profile(problems, uow.tenant, new.profile, site=None, mixins={}, countries=countries)
    email = _check_login_address(problems, new, columns)
    said = {**new.profile, **({"legal_entities": new.legal_entities} if new.legal_entities else {})}
    company, path = find_company(problems, said)
    columns["company_registration_id"] = problems.check(
        COMPANY_REGISTRATION_LINE, company.get("company_registration_id"), *path, "companyRegistrationId"
    )
    if email is not None and columns.get("contact_email") is None:
        columns["contact_email"] = email.address
    number, reference = new.customer_number or None, new.shopper_reference or None
    if number is not None:
        number = problems.check(parse_customer_number, number, "customerNumber")
    if reference is not None:
        reference = problems.check(parse_shopper_reference, reference, "shopperReference")
    legal_entities = check_assignments(problems, company.get("legal_entities"), (), *path, "legalEntities")
    imply_business_model(columns, legal_entities)
    most = uow.tenant.limits.addresses_per_customer
    if len(new.addresses) > most:
        problems.add(UserErrorCode.LIMIT_REACHED, f"Please give at most {most} addresses.", "addresses")
    if sum(bool(address.get("is_default")) for address in new.addresses) > 1:
        problems.add(UserErrorCode.INVALID, "Please make one address the default.", "addresses")
    addresses = [
        {**check_address(problems, address, "addresses", str(index)), "is_default": bool(address.get("is_default"))}
        for index, address in enumerate(new.addresses[:most])
    ]
    if email is None:
        return None
    return CheckedCustomer(new, email, number, reference, columns, legal_entities, addresses)


def _check_login_address(problems: Problems, new: NewCustomer, columns: dict[str, Any]) -> EmailAddress | None:
    """Return the login address: the contact address, if no other is given."""
    contact = columns.get("contact_email")
    if contact is not None and is_blank(new.email or ""):
        return parse_email(contact)
    return problems.check(parse_email, new.email, "email")


async def check_groups(uow: UnitOfWork, problems: Problems, group_ids: Collection[str], *path: str) -> list[str]:
    """Return the groups, each once; NOT_FOUND is noted under `path` for one that there is not."""
    wanted = list(dict.fromkeys(group_ids))
    if wanted and len(await uow.groups.find_existing(wanted)) < len(wanted):
        problems.add(UserErrorCode.NOT_FOUND, "The shop has no customer group with one of these ids.", *path)
    return wanted


async def join_groups(uow: UnitOfWork, customer_id: str, group_ids: Collection[str], *path: str) -> None:
    """Put a customer whose row is locked into groups; NOT_FOUND when one of them has just been deleted."""
    if not group_ids:
        return
    if len(await uow.groups.hold(sorted(group_ids))) < len(group_ids):
        raise refuse(UserErrorCode.NOT_FOUND, "The shop has no customer group with one of these ids.", *path)
    for group_id in group_ids:
        await uow.groups.add_member(group_id, customer_id)


async def write_new_customer(
    uow: UnitOfWork, checked: CheckedCustomer, password_hash: str | None, *, initial_password: bool
) -> str:
    """Write the customer and return the new id. Nothing is written when EMAIL_TAKEN or TAKEN is raised."""
    customer_id = uow.tools.random.new_id()
    credential = Credential(
        tenant_id=uow.tenant.id,
        customer_id=customer_id,
        email=checked.email.address,
        email_key=checked.email.key,
        email_verified_at=uow.now if checked.given.email_verified else None,
        password_hash=password_hash,
        initial_password=initial_password,
        changed_at=uow.now,
    )
    if not await uow.credentials.add_unless_email_taken(credential):
        raise refuse(UserErrorCode.EMAIL_TAKEN, "Another customer has this e-mail address.", "email")
    while not await uow.customers.add_unless_taken(_customer(uow, customer_id, checked)):
        taken = await _find_taken(uow, checked)
        if taken is not None:
            # An import goes on with the next customer in the same transaction.
            await uow.credentials.delete(customer_id)
            raise taken
    if checked.legal_entities:
        await assign_legal_entities(uow, customer_id, checked.legal_entities)
    for address in checked.addresses:
        columns = {name: value for name, value in address.items() if name != "is_default"}
        await add_address(uow, customer_id, columns, is_default=address["is_default"])
    return customer_id


def _customer(uow: UnitOfWork, customer_id: str, checked: CheckedCustomer) -> Customer:
    given = checked.given
    return Customer(
        tenant_id=uow.tenant.id,
        id=customer_id,
        customer_number=checked.customer_number or uow.tools.random.digits(8),
        shopper_reference=checked.shopper_reference or customer_id,
        **{
            **checked.columns,
            "preferred_language": checked.columns.get("preferred_language") or uow.tenant.default_site.language,
        },
        active=given.active,
        on_hold=given.on_hold,
        status=given.status.value,
        order_count=given.order_count,
        created_at=given.created_at or uow.now,
        updated_at=uow.now,
    )


async def _find_taken(uow: UnitOfWork, checked: CheckedCustomer) -> DomainError | None:
    """Return the error for what is taken; None if it was a number that we made ourselves."""
    reference, number = checked.shopper_reference, checked.customer_number
    if reference is not None and await uow.customers.find_by_shopper_reference(reference) is not None:
        return refuse(UserErrorCode.TAKEN, "Another customer has this shopper reference.", "shopperReference")
    if number is not None and await uow.customers.find_by_number(number) is not None:
        return refuse(UserErrorCode.TAKEN, "Another customer has this customer number.", "customerNumber")
    return None
