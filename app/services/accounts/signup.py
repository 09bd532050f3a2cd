"""Sign-up: a new customer, in the three modes of a shop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any

from app.domain.audit import AuditAction
from app.domain.email_slips import suggest_email
from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import FieldError, UserErrorCode, refuse
from app.domain.patches import Patch
from app.domain.problems import Problems
from app.domain.tenants import SignupMode, Tenant
from app.domain.topics import Topic
from app.models.credentials import Credential, Maker
from app.services.accounts.addresses import check_address
from app.services.accounts.legal_entities import Claim, check_claims
from app.services.accounts.merged_accounts import tell_of_merge
from app.services.accounts.passwords import check_password
from app.services.accounts.pending_signups import add_pending_signup, remember_signup
from app.services.accounts.profiles import PROFILE, check_profile, situation_of
from app.services.accounts.registrations import CheckedRegistration, write_registration
from app.services.accounts.ways_back import tell_of_way_back
from app.services.audit import record, record_failure
from app.services.limits import guard_signup, guard_signup_form, may_mail
from app.services.outgoing.events import emit
from app.services.sessions.methods_on import NO_PASSWORDS
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
    """The answer to a sign-up, in the same form whether or not the address was free.

    `email_suggestion` is the address that was probably meant, if the given one looks like a slip.
    """

    customer_id: str
    status: SignupStatus
    email_suggestion: str | None
    remarks: Sequence[FieldError] = ()


async def signup(uow: UnitOfWork, registration: Registration) -> SignedUp:
    """Make a customer; where addresses are confirmed first, there is one only when the mailed link comes back.

    EMAIL_TAKEN only in a shop with open sign-up: elsewhere the owner of the address gets a mail. An address that was
    never proved to be anybody's gets a link in every shop, by which this sign-up goes on.
    """
    await guard_signup_form(uow)
    remarks = Problems()
    checked, password = _check(uow, registration, remarks)
    await guard_signup(uow)
    password_hash = await uow.hash_password(password) if password is not None else None
    mode = uow.tenant.signup
    if mode is SignupMode.CONFIRM_EMAIL:
        customer_id = await add_pending_signup(uow, checked, password_hash)
    else:
        customer_id = uow.tools.random.new_id()
        if not await _add_account(uow, customer_id, checked, password_hash):
            # What was written only to take as long as it does for a free address.
            await uow.roll_back()
            customer_id = await _meet_account(uow, checked, password_hash)
    await record(uow, AuditAction.SIGNUP, customer_id, mode=mode.value)
    return SignedUp(customer_id, _STATUS[mode], suggest_email(checked.email), remarks.errors)


async def _add_account(
    uow: UnitOfWork, customer_id: str, checked: CheckedRegistration, password_hash: str | None
) -> bool:
    """Write a customer whose address proves itself later; False when it is taken, and all this must be rolled back."""
    credential = Credential(
        tenant_id=uow.tenant.id,
        customer_id=customer_id,
        email=checked.email.address,
        email_key=checked.email.key,
        password_hash=password_hash,
        changed_at=uow.now,
        made_by=Maker.SIGNUP.value,
    )
    is_free = await uow.credentials.add_unless_email_taken(credential)
    is_open = uow.tenant.signup is SignupMode.OPEN
    if not is_free and is_open:
        return False
    await write_registration(uow, customer_id, checked, active=is_open)
    await emit(uow, Topic.CUSTOMER_CREATED, customer_id, sessionId=uow.caller.require_principal().session_id)
    if is_open:
        await tell_of_merge(uow, checked.email)
    else:
        await remember_signup(uow, customer_id, checked.email)
    return is_free


async def _meet_account(uow: UnitOfWork, checked: CheckedRegistration, password_hash: str | None) -> str:
    """Go on with an address that is taken; EMAIL_TAKEN where sign-up is open, and the mail that goes with it stays."""
    if uow.tenant.signup is not SignupMode.OPEN:
        return await add_pending_signup(uow, checked, password_hash)
    email = checked.email
    owner = await uow.credentials.find_by_email(email.key)
    record_failure(
        uow, AuditAction.SIGNUP, owner.customer_id if owner is not None else None, reason=UserErrorCode.EMAIL_TAKEN
    )
    if owner is not None and owner.email_verified_at is None:
        await add_pending_signup(uow, checked, password_hash)
    elif owner is None and await may_mail(uow, email.address, signup=True):
        await tell_of_way_back(uow, email)
    message = "There is an account with this e-mail address already: log in instead."
    if owner is None:
        message = "This e-mail address still belongs to an account that has another one by now: see your mail."
    raise refuse(UserErrorCode.EMAIL_TAKEN, message, "email", durable=True)


def _check(uow: UnitOfWork, registration: Registration, remarks: Problems) -> tuple[CheckedRegistration, str | None]:
    """Return the registration and the password, each in order, or raise all that is wrong with them.

    None in a shop without passwords.
    """
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
    address_columns = None
    if address is not None:
        address_columns = check_address(uow, problems, address, "customerAddress", remarks=remarks)
    password = _check_password(problems, uow.tenant, registration, email, columns)
    problems.raise_if_any()
    if email is None:
        raise RuntimeError("A missing address is a problem that has been raised.")
    return CheckedRegistration(email, columns, legal_entities, address_columns), password


def _check_password(
    problems: Problems, tenant: Tenant, registration: Registration, email: EmailAddress | None, columns: dict[str, Any]
) -> str | None:
    separate = registration.login_password is not None
    is_nowhere = registration.login_email is not None and registration.password is None
    path = ("signup", "password") if separate or is_nowhere else ("password",)
    password = registration.login_password if separate else registration.password
    if not tenant.password_login:
        if password is not None:
            problems.add(UserErrorCode.PASSWORD_LOGIN_OFF, NO_PASSWORDS, *path)
        return None
    if separate and registration.password and registration.password != password:
        problems.add(UserErrorCode.INVALID, "Give one password: the one in signup.", "password")
    personal = (
        email.local_part if email else None,
        *(columns.get(name) for name in ("first_name", "middle_name", "last_name")),
    )
    check_password(problems, tenant, password, personal, *path)
    return password or ""
