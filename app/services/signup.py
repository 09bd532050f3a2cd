"""Sign-up: a new customer, in the three modes of a shop, and the confirmation of the address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum, unique
from typing import Any

from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.passwords import PasswordPolicy
from app.domain.patches import Patch
from app.domain.problems import Problems
from app.domain.tenants import SignupMode, Tenant
from app.domain.tokens import TokenPrefix, hash_token, read_prefix
from app.domain.topics import Topic
from app.models.credentials import Credential
from app.models.customers import Customer
from app.models.one_time_tokens import Purpose
from app.services.addresses import add_address, check_address
from app.services.events import emit
from app.services.legal_entities import check_legal_entities, claim_legal_entities
from app.services.mails import current_site, issue_one_time_token, send_mail
from app.services.profiles import COMPANY_REGISTRATION_LINE, check_profile
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
    """The answer to a sign-up: the same shape whether or not the address was free."""

    customer_id: str
    status: SignupStatus


@dataclass(frozen=True, slots=True, repr=False)
class _Checked:
    """A registration whose every field is in order."""

    email: EmailAddress
    password: str
    columns: dict[str, Any]
    legal_entities: list[tuple[str | None, str]]
    address: dict[str, Any] | None


async def signup(uow: UnitOfWork, registration: Registration) -> SignedUp:
    """Make a customer. EMAIL_TAKEN only in a shop with open sign-up: elsewhere the owner of the address gets a mail."""
    checked = _check(uow, registration)
    password_hash = await uow.hash_password(checked.password)
    tenant = uow.tenant
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
    if not await uow.credentials.add_unless_email_taken(credential):
        await _answer_taken(uow, checked.email)
        return SignedUp(customer_id, status)
    await _add_customer(uow, customer_id, checked)
    await emit(uow, Topic.CUSTOMER_CREATED, customer_id, sessionId=uow.caller.require_principal().session_id)
    if tenant.signup is SignupMode.CONFIRM_EMAIL:
        await _send_confirmation(uow, credential, checked.columns.get("preferred_language"))
    return SignedUp(customer_id, status)


def _check(uow: UnitOfWork, registration: Registration) -> _Checked:
    tenant, problems, details = uow.tenant, Problems(), registration.details
    separate = registration.login_email is not None
    path = ("signup", "email") if separate else ("email",)
    email = problems.check(parse_email, registration.login_email if separate else registration.email, *path)
    contact = problems.check(parse_email, registration.email, "email") if separate and registration.email else email
    columns = check_profile(
        problems, tenant, details, "customerDetails", site=uow.caller.require_principal().site, mixins={}
    )
    if contact is not None and columns.get("contact_email") is None:
        columns["contact_email"] = contact.address
    b2b: Patch = details.get("b2b") or {}
    columns["company_registration_id"] = problems.check(
        COMPANY_REGISTRATION_LINE, b2b.get("company_registration_id"), "customerDetails", "b2b", "companyRegistrationId"
    )
    legal_entities = check_legal_entities(
        problems, b2b.get("legal_entities"), "customerDetails", "b2b", "legalEntities"
    )
    address = registration.address
    address_columns = check_address(problems, address, "customerAddress") if address is not None else None
    password = _check_password(problems, tenant, registration, email, columns)
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
    if separate and registration.password not in (None, password):
        problems.add(UserErrorCode.INVALID, "Give one password: the one in signup.", "password")
    if not password:
        problems.add(UserErrorCode.REQUIRED, "Please choose a password.", *path)
        return ""
    personal = [email.local_part if email else None, columns.get("first_name"), columns.get("last_name")]
    policy = PasswordPolicy(tenant.name, tenant.password_min_length)
    problems.check(lambda text: policy.check(text, personal), password, *path)
    return password


async def _answer_taken(uow: UnitOfWork, email: EmailAddress) -> None:
    """Tell the owner of a taken address by mail, and the caller only where sign-up is open anyway."""
    if uow.tenant.signup is SignupMode.OPEN:
        raise refuse(
            UserErrorCode.EMAIL_TAKEN, "There is an account with this e-mail address already: log in instead.", "email"
        )
    owner = await uow.credentials.find_by_email(email.key)
    if owner is not None and owner.email is not None:
        await send_mail(uow, "already_registered", owner.customer_id, owner.email)


async def _add_customer(uow: UnitOfWork, customer_id: str, checked: _Checked) -> None:
    await add_customer(
        uow,
        customer_id,
        checked.columns,
        active=uow.tenant.signup is not SignupMode.EMPLOYEE_ACTIVATION,
    )
    await claim_legal_entities(uow, customer_id, checked.legal_entities)
    if checked.address is not None:
        await add_address(uow, customer_id, checked.address, is_default=True)


async def add_customer(uow: UnitOfWork, customer_id: str, columns: dict[str, Any], *, active: bool) -> None:
    """Write a new customer with a free customer number and a shopper reference of its own."""
    random = uow.tools.random
    columns.setdefault("preferred_language", current_site(uow).language)
    columns.setdefault("shopper_reference", customer_id)
    added = False
    while not added:
        customer = Customer(
            tenant_id=uow.tenant.id,
            id=customer_id,
            customer_number=random.digits(8),
            **columns,
            active=active,
            created_at=uow.now,
            updated_at=uow.now,
        )
        added = await uow.customers.add_unless_number_taken(customer)


async def _send_confirmation(uow: UnitOfWork, credential: Credential, language: str | None) -> None:
    email = credential.email or ""
    lifetime = timedelta(seconds=uow.tenant.signup_token_seconds)
    token = await issue_one_time_token(
        uow, Purpose.CONFIRM_SIGNUP, credential.customer_id, email, credential.version, lifetime
    )
    await send_mail(uow, "confirm_signup", credential.customer_id, email, language=language, token=token)


async def confirm_signup(uow: UnitOfWork, text: str) -> str:
    """Confirm the address by the mailed token and return the customer's id.

    TOKEN_INVALID, TOKEN_EXPIRED. Once used, the token still answers the customer whom it confirmed, and the session
    that confirmed; nobody else.
    """
    tenant_id = None
    if read_prefix(text) is TokenPrefix.ONE_TIME:
        tenant_id = await uow.one_time_token_lookup.find_tenant(hash_token(text))
    tenant = uow.tools.tenants.find_tenant(tenant_id) if tenant_id else None
    if tenant is None or not _may_enter(uow, tenant):
        raise _invalid_token()
    uow.enter(tenant)
    token_hash = hash_token(text)
    principal = uow.caller.principal
    session_id = principal.session_id if principal else None
    claimed = await uow.one_time_tokens.claim(token_hash, Purpose.CONFIRM_SIGNUP, session_id, uow.now)
    token = await uow.one_time_tokens.find(token_hash, Purpose.CONFIRM_SIGNUP)
    if token is None:
        raise _invalid_token()
    if not claimed:
        is_theirs = principal is not None and principal.customer_id == token.customer_id
        if token.used_at is not None and (is_theirs or (session_id and session_id == token.used_in_session)):
            return token.customer_id
        if token.used_at is None and token.revoked_at is None:
            raise refuse(UserErrorCode.TOKEN_EXPIRED, "This link has expired: ask for a new one.", "token")
        raise _invalid_token()
    if not await uow.credentials.confirm_email(token.customer_id, token.credential_version, uow.now):
        raise _invalid_token()
    await emit(uow, Topic.CUSTOMER_CONFIRMED, token.customer_id)
    return token.customer_id


def _may_enter(uow: UnitOfWork, tenant: Tenant) -> bool:
    """Tell whether the caller may act in the token's tenant: nobody's caller, or one of the same shop."""
    principal = uow.caller.principal
    return principal is None or principal.tenant_id == tenant.id


def _invalid_token() -> DomainError:
    return refuse(UserErrorCode.TOKEN_INVALID, "This link is not valid any more: ask for a new one.", "token")
