"""New customers that staff create, one by one or in an import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import DomainError, FieldError, UserErrorCode, refuse
from app.domain.origins import ALL, Origin, pointers_of
from app.domain.patches import Patch
from app.domain.problems import Problems
from app.domain.references import parse_customer_number, parse_shopper_reference
from app.domain.texts import is_blank
from app.models.credentials import Credential, Maker
from app.models.customers import CustomerStatus
from app.services.accounts.addresses import check_address
from app.services.accounts.legal_entities import Assignment, assign_legal_entities, assignments_to
from app.services.accounts.making_way import make_way_for_staff
from app.services.accounts.new_customers import add_customer
from app.services.accounts.ownership import Proof, prove_ownership
from app.services.accounts.profiles import PROFILE, check_profile, situation_of
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class NewCustomer:
    """The values that staff give for a new customer, not checked yet.

    `left_empty` are columns that stay empty where otherwise something would be made.
    """

    email: str | None
    email_verified: bool = False
    customer_number: str | None = None
    shopper_reference: str | None = None
    active: bool = True
    on_hold: bool = False
    status: str = CustomerStatus.PROSPECT.value
    order_count: int = 0
    created_at: datetime | None = None
    profile: Patch = field(default_factory=dict)
    legal_entities: Sequence[Patch] = ()
    addresses: Sequence[Patch] = ()
    left_empty: Collection[str] = ()

    @classmethod
    def of(cls, said: Patch) -> NewCustomer:
        """Return what was said: what is no field here belongs to the profile, whose rules must know it."""
        own = {each.name for each in fields(cls)} - {"profile"}
        profile = {name: value for name, value in said.items() if name not in own}
        return cls(**{name: value for name, value in said.items() if name in own}, profile=profile)


@dataclass(frozen=True, slots=True, repr=False)
class CheckedCustomer:
    """A new customer with all fields checked; `remarks` is what of the addresses does not fit their countries."""

    email: EmailAddress
    email_verified: bool
    shopper_reference: str | None
    columns: dict[str, Any]
    legal_entities: Sequence[Assignment]
    addresses: Sequence[dict[str, Any]]
    remarks: Sequence[FieldError] = ()
    left_empty: Collection[str] = ()


def check_new_customer(uow: UnitOfWork, problems: Problems, new: NewCustomer) -> CheckedCustomer | None:
    """Return the customer ready to be written; faults are noted, and then it may be None."""
    countries = [address.get("country") for address in new.addresses]
    said = {**new.profile, **({"legal_entities": new.legal_entities} if new.legal_entities else {})}
    situation = situation_of(uow, said, None, countries=countries)
    columns = check_profile(problems, said, PROFILE, assignments_to(()), situation)
    legal_entities: list[Assignment] = columns.pop("legal_entities", None) or []
    email = _check_login_address(problems, new, columns)
    if email is not None and columns.get("contact_email") is None and "contact_email" not in new.left_empty:
        columns["contact_email"] = email.address
    number, reference = new.customer_number or None, new.shopper_reference or None
    if number is not None:
        number = problems.check(parse_customer_number, number, "customerNumber")
    if reference is not None:
        reference = problems.check(parse_shopper_reference, reference, "shopperReference")
    columns |= {
        "customer_number": number,
        "shopper_reference": reference,
        "active": new.active,
        "on_hold": new.on_hold,
        "status": new.status,
        "order_count": new.order_count,
        "created_at": new.created_at,
    }
    most = uow.tenant.limits.addresses_per_customer
    if len(new.addresses) > most:
        problems.add(UserErrorCode.LIMIT_REACHED, f"Please give at most {most} addresses.", "addresses")
    if sum(bool(address.get("is_default")) for address in new.addresses) > 1:
        problems.add(UserErrorCode.INVALID, "Please make one address the default.", "addresses")
    taken = Counter(purpose for address in new.addresses for purpose in set(address.get("default_for") or ()))
    for purpose in (purpose for purpose, times in taken.items() if times > 1):
        problems.add(UserErrorCode.INVALID, f"Please make one address the default for {purpose}.", "addresses")
    remarks = Problems()
    addresses = [
        check_address(uow, problems, address, "addresses", str(index), remarks=remarks)
        for index, address in enumerate(new.addresses[:most])
    ]
    if email is None:
        return None
    return CheckedCustomer(
        email,
        new.email_verified,
        reference,
        columns,
        legal_entities,
        addresses,
        remarks=remarks.errors,
        left_empty=new.left_empty,
    )


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
    uow: UnitOfWork,
    checked: CheckedCustomer,
    password_hash: str | None,
    *,
    initial_password: bool,
    made_by: Maker = Maker.STAFF,
) -> str:
    """Write the customer and return the new id. Nothing is written when EMAIL_TAKEN or TAKEN is raised."""
    customer_id = uow.tools.random.new_id()
    credential = Credential(
        tenant_id=uow.tenant.id,
        customer_id=customer_id,
        email=checked.email.address,
        email_key=checked.email.key,
        email_verified_at=uow.now if checked.email_verified else None,
        password_hash=password_hash,
        initial_password=initial_password,
        changed_at=uow.now,
        made_by=made_by.value,
    )
    if not await _takes_address(uow, credential):
        raise refuse(UserErrorCode.EMAIL_TAKEN, "There is a customer with this e-mail address already.", "email")
    if checked.email_verified:
        await prove_ownership(uow, credential, Proof.STAFF)
    columns = {**checked.columns, "shop_fields": [ALL, *sorted(pointers_of(checked.columns))]}
    try:
        await add_customer(
            uow,
            customer_id,
            columns,
            checked.addresses,
            email=checked.email.address,
            origin=Origin.SHOP,
            left_empty=checked.left_empty,
        )
    except DomainError:
        # An import goes on with the next customer in the same transaction.
        await uow.credentials.delete(customer_id)
        raise
    if checked.legal_entities:
        await assign_legal_entities(uow, customer_id, checked.legal_entities)
    return customer_id


async def _takes_address(uow: UnitOfWork, credential: Credential) -> bool:
    """Write the credential; False when its address is somebody's who does not have to make way."""
    if await uow.credentials.add_unless_email_taken(credential):
        return True
    email_key, is_proved = credential.email_key or "", credential.email_verified_at is not None
    if not await make_way_for_staff(uow, email_key, credential.customer_id, is_proved=is_proved):
        return False
    return await uow.credentials.add_unless_email_taken(credential)
