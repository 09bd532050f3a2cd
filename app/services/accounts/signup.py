"""Sign-up: a new customer, in the three modes of a shop."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any

from app.domain.audit import AuditAction
from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.patches import Patch
from app.domain.problems import Problems
from app.domain.tenants import SignupMode, Tenant
from app.domain.topics import Topic
from app.models.credentials import Credential
from app.services.accounts.addresses import check_address
from app.services.accounts.confirmations import send_confirmation
from app.services.accounts.legal_entities import Claim, check_claims, claim_legal_entities
from app.services.accounts.new_customers import add_customer
from app.services.accounts.passwords import check_password
from app.services.accounts.profiles import PROFILE, check_profile, situation_of
from app.services.accounts.ways_back import tell_of_way_back
from app.services.audit import record, record_failure
from app.services.limits import guard_signup, guard_signup_form, may_mail
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_mail
from app.services.unit_of_work import UnitOfWork


@unique
class SignupStatus(StrEnum):
    """What has to happen before the first login."""

    ACTIVE = "ACTIVE"
    CONFIRMATION_SENT = "CONFIRMATION_SENT"
    AWAITING_ACTIVATION = "AWAITING_ACTIVATION"


_STATUS = {
    SignupMode.OPEN: SignupStatus.ACTIVE,
    SignupMode.CONFIRM_EMAIL: SignupStatus.CONFIRMATION_SENT,
    SignupMode.EMPLOYEE_ACTIVATION: SignupStatus.AWAITING_ACTIVATION,
}


@dataclass(frozen=True, slots=True, repr=False)
class Registration:
    """What somebody signs up with. With `login_email`, `email` is only the contact address."""

    email: str | None
    password: str | None
    login_email: str | None = None
    login_password: str | None = None
    details: Patch = field(default_factory=dict)
    address: Patch | None = None


@dataclass(frozen=True, slots=True)
class SignedUp:
    """The answer to a sign-up, in the same form whether or not the address was free."""

    customer_id: str
    status: SignupStatus


@dataclass(frozen=True, slots=True, repr=False)
class _Checked:
    """A registration with all fields checked."""

    email: EmailAddress
    password: str
    columns: dict[str, Any]
    legal_entities: list[Claim]
    address: dict[str, Any] | None


async def signup(uow: UnitOfWork, registration: Registration) -> SignedUp:
    """Make a customer. EMAIL_TAKEN only in a shop with open sign-up: elsewhere the owner of the address gets a mail.

    If another account has left the address but can still take it back, the address gets a mail about it, in every shop.
    """
    await guard_signup_form(uow)
    checked = _check(uow, registration)
    await guard_signup(uow)
    password_hash = await uow.hash_password(checked.password)
    tenant = uow.tenant
    mail_allowed = tenant.signup is not SignupMode.OPEN and await may_mail(uow, checked.email.address, signup=True)
    status = _STATUS[tenant.signup]
    customer_id = uow.tools.random.new_id()
    credential = Credential(
        tenant_id=tenant.id,
        customer_id=customer_id,
        email=checked.email.address,
        email_key=checked.email.key,
        must_confirm=tenant.signup is SignupMode.CONFIRM_EMAIL,
        password_hash=password_hash,
        changed_at=uow.now,
    )
    is_taken = not await uow.credentials.add_unless_email_taken(credential)
    if is_taken and tenant.signup is SignupMode.OPEN:
        raise await _taken(uow, checked.email)
    await _add_customer(uow, customer_id, checked)
    await emit(uow, Topic.CUSTOMER_CREATED, customer_id, sessionId=uow.caller.require_principal().session_id)
    if is_taken:
        # This was written only so that it takes the same time as for a free address.
        await uow.roll_back()
        await _tell_owner(uow, checked.email, mail_allowed=mail_allowed)
        return SignedUp(customer_id, status)
    if tenant.signup is SignupMode.CONFIRM_EMAIL and mail_allowed:
        await send_confirmation(uow, credential, checked.columns.get("preferred_language"))
    await record(uow, AuditAction.SIGNUP, customer_id, mode=tenant.signup.value)
    return SignedUp(customer_id, status)


def _check(uow: UnitOfWork, registration: Registration) -> _Checked:
    problems, details = Problems(), registration.details
    separate = registration.login_email is not None
    path = ("signup", "email") if separate else ("email",)
    email = problems.check(parse_email, registration.login_email if separate else registration.email, *path)
    contact = problems.check(parse_email, registration.email, "email") if separate and registration.email else email
    address = registration.address
    countries = [address.get("country")] if address else ()
    situation = situation_of(uow, details, uow.caller.require_principal().site, countries=countries)
    columns = check_profile(problems, details, PROFILE, check_claims, situation, "customerDetails")
    legal_entities: list[Claim] = columns.pop("legal_entities", None) or []
    if contact is not None and columns.get("contact_email") is None:
        columns["contact_email"] = contact.address
    address_columns = check_address(uow, problems, address, "customerAddress") if address is not None else None
    password = _check_password(problems, uow.tenant, registration, email, columns)
    problems.raise_if_any()
    if email is None:
        raise RuntimeError("A missing address is a problem that has been raised.")
    return _Checked(email, password, columns, legal_entities, address_columns)


def _check_password(
    problems: Problems, tenant: Tenant, registration: Registration, email: EmailAddress | None, columns: dict[str, Any]
) -> str:
    separate = registration.login_password is not None
    path = ("signup", "password") if separate else ("password",)
    password = registration.login_password if separate else registration.password
    if separate and registration.password and registration.password != password:
        problems.add(UserErrorCode.INVALID, "Give one password: the one in signup.", "password")
    personal = (
        email.local_part if email else None,
        *(columns.get(name) for name in ("first_name", "middle_name", "last_name")),
    )
    check_password(problems, tenant, password, personal, *path)
    return password or ""


async def _taken(uow: UnitOfWork, email: EmailAddress) -> DomainError:
    """Return the error that a taken address is where sign-up is open; the mail that goes with it must stay."""
    owner = await uow.credentials.find_by_email(email.key)
    _note_taken(uow, owner)
    if owner is None and await may_mail(uow, email.address, signup=True):
        await tell_of_way_back(uow, email)
    message = "There is already an account with this e-mail address: log in instead."
    if owner is None:
        message = "This e-mail address still belongs to an account that now has another one: read our mail."
    return refuse(UserErrorCode.EMAIL_TAKEN, message, "email", durable=True)


async def _tell_owner(uow: UnitOfWork, email: EmailAddress, *, mail_allowed: bool) -> None:
    """Mail the owner of a taken address, if the caller must not learn that it is taken."""
    owner = await uow.credentials.find_by_email(email.key)
    _note_taken(uow, owner)
    if not mail_allowed:
        return
    if owner is None:
        await tell_of_way_back(uow, email)
        return
    customer = await uow.customers.lock(owner.customer_id)
    if customer is not None and owner.email is not None:
        await send_mail(uow, "already_registered", owner.customer_id, owner.email)


def _note_taken(uow: UnitOfWork, owner: Credential | None) -> None:
    record_failure(uow, AuditAction.SIGNUP, owner.customer_id if owner else None, reason=UserErrorCode.EMAIL_TAKEN)


async def _add_customer(uow: UnitOfWork, customer_id: str, checked: _Checked) -> None:
    columns = {**checked.columns, "active": uow.tenant.signup is not SignupMode.EMPLOYEE_ACTIVATION}
    await add_customer(uow, customer_id, columns, [checked.address] if checked.address is not None else [])
    await claim_legal_entities(uow, customer_id, checked.legal_entities)
