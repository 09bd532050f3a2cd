"""The confirmation of a new customer's address, and another mail with the link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.domain.audit import AuditAction
from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import UserErrorCode, refuse
from app.domain.problems import Problems
from app.domain.tenants import SignupMode
from app.domain.topics import Topic
from app.models.credentials import Credential, Maker
from app.models.one_time_tokens import ENDED_BY_NEW_CREDENTIALS, OneTimeToken, Purpose
from app.models.pending_signups import PendingSignup
from app.services.accounts.customers import get_profile
from app.services.accounts.invitations import tell_of_registration
from app.services.accounts.making_way import make_way
from app.services.accounts.ownership import Proof, prove_ownership
from app.services.accounts.pending_signups import (
    NEXT_MAIL,
    end_pending_signups,
    find_to_remind,
    send_signup_link,
    tell_registered,
)
from app.services.accounts.registrations import CheckedRegistration, add_registration, write_registration
from app.services.accounts.unproven_data import holds_unproven_data, keep_unproven_data
from app.services.audit import record, record_failure
from app.services.limits import forgive_one_time_token, guard_mailed_flow, may_mail
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_mail
from app.services.outgoing.one_time_tokens import (
    check_open,
    claim,
    find_one_time_token,
    invalid_token,
    issue_one_time_token,
)
from app.services.outgoing.tasks import Task, put_off
from app.services.sessions.guessing import Guess, verify_password
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ConfirmedSignup:
    """Whose address is confirmed; `already`: it was before this call; and whether data of before the proof are kept."""

    customer_id: str
    already: bool = False
    kept_unproven_data: bool = False


async def confirm_signup(uow: UnitOfWork, text: str, password: str | None) -> ConfirmedSignup:
    """Confirm the address by the mailed token: the sign-up that the token was mailed for, and no other, is finished.

    It acts in the session that signed up, or with the password of the sign-up: a link that somebody only opens, a mail
    scanner or who has never signed up, changes nothing. PASSWORD_REQUIRED, INVALID_CREDENTIALS at `password`.
    TOKEN_INVALID, TOKEN_EXPIRED. Once used, the token tells anybody what is already true.
    """
    token = await find_one_time_token(uow, text, Purpose.CONFIRM_SIGNUP)
    signup = await uow.pending_signups.find(token.customer_id)
    confirmed = await _find_confirmed(uow, token)
    if confirmed is not None:
        await forgive_one_time_token(uow, text)
        return confirmed
    if signup is not None:
        check_open(uow, token)
        if signup.ended_at is not None:
            raise invalid_token(uow, token)
        await _check_is_whose(uow, text, signup, password)
    else:
        # An account of version 1.0 is there already, and waits for nothing else.
        await uow.customers.lock(token.customer_id)
    if not await claim(uow, token):
        confirmed = await _find_confirmed(uow, token)
        if confirmed is None:
            check_open(uow, await uow.one_time_tokens.find(token.token_hash, Purpose.CONFIRM_SIGNUP) or token)
            raise invalid_token(uow, token)
        return confirmed
    customer_id = await _finish(uow, token, signup) if signup is not None else await _confirm_account(uow, token)
    if signup is not None and _may_be_strangers(uow, signup):
        await keep_unproven_data(uow, customer_id, parse_email(token.email))
    await emit(uow, Topic.CUSTOMER_CONFIRMED, customer_id)
    await record(uow, AuditAction.SIGNUP_CONFIRMED, customer_id)
    return await _confirmed(uow, customer_id)


async def _confirmed(uow: UnitOfWork, customer_id: str, *, already: bool = False) -> ConfirmedSignup:
    return ConfirmedSignup(customer_id, already, holds_unproven_data(uow, await get_profile(uow, customer_id)))


async def _find_confirmed(uow: UnitOfWork, token: OneTimeToken) -> ConfirmedSignup | None:
    """Return whom the token has confirmed, as long as the address is still theirs."""
    signup = await uow.pending_signups.find(token.customer_id)
    if signup is not None:
        customer_id = signup.customer_id if signup.confirmed_at is not None else None
    else:
        again = await uow.one_time_tokens.find(token.token_hash, Purpose.CONFIRM_SIGNUP)
        customer_id = token.customer_id if again is not None and again.used_at is not None else None
    credential = await uow.credentials.find(customer_id) if customer_id is not None else None
    if credential is None or credential.email_key != token.email_key or credential.email_verified_at is None:
        return None
    return await _confirmed(uow, credential.customer_id, already=True)


async def _check_is_whose(uow: UnitOfWork, text: str, signup: PendingSignup, password: str | None) -> None:
    """Raise unless the caller is who signed up: the session tells, or else the password."""
    if _is_own_session(uow, signup) or _may_be_strangers(uow, signup):
        return
    if not password:
        await forgive_one_time_token(uow, text)
        raise refuse(
            UserErrorCode.PASSWORD_REQUIRED, "Please enter the password that you have signed up with.", "password"
        )
    if not await verify_password(uow, Guess(signup.email, password, signup.password_hash, None)):
        record_failure(uow, AuditAction.SIGNUP_CONFIRMED, None, reason=UserErrorCode.INVALID_CREDENTIALS)
        raise refuse(
            UserErrorCode.INVALID_CREDENTIALS, "This is not the password that you have signed up with.", "password"
        )


def _is_own_session(uow: UnitOfWork, signup: PendingSignup) -> bool:
    principal = uow.caller.principal
    return principal is not None and principal.session_id == signup.session_id


def _may_be_strangers(uow: UnitOfWork, signup: PendingSignup) -> bool:
    """Tell whether somebody else than the caller may have signed up, in a shop that has no password to tell them by.

    Nobody comes in by what was signed up with, only by the mailbox; but what was written may be a stranger's.
    """
    return signup.password_hash is None and not uow.tenant.password_login and not _is_own_session(uow, signup)


async def _finish(uow: UnitOfWork, token: OneTimeToken, signup: PendingSignup) -> str:
    """Make the customer of a sign-up whose token was used just now, and return the id; all others end by that."""
    current = await uow.pending_signups.find(signup.id)
    if current is None or current.ended_at is not None:
        raise invalid_token(uow, token)
    registration = CheckedRegistration.of_json(EmailAddress(current.email, current.email_key), current.data)
    customer_id = await _enter(uow, token, current, registration)
    await uow.pending_signups.confirm(signup.id, customer_id, uow.now)
    await end_pending_signups(uow, signup.email_key, customer_id)
    return customer_id


async def _enter(uow: UnitOfWork, token: OneTimeToken, signup: PendingSignup, registration: CheckedRegistration) -> str:
    """Give the sign-up its account: that of the address, if it was used before the proof, or else a new one."""
    owner = await uow.credentials.find_by_email(signup.email_key)
    if owner is not None and (owner.must_confirm or not _is_same_mailbox(owner, signup)):
        # Nobody was ever let in there: it is one more sign-up that ends. Or it is the account of another mailbox.
        await make_way(uow, signup.email_key, signup.id)
    elif owner is not None:
        return await _take_over(uow, token, signup, registration, owner.customer_id)
    credential = Credential(
        tenant_id=uow.tenant.id,
        customer_id=signup.id,
        email=signup.email,
        email_key=signup.email_key,
        email_verified_at=uow.now,
        password_hash=signup.password_hash,
        changed_at=uow.now,
        made_by=Maker.SIGNUP.value,
    )
    if not await uow.credentials.add_unless_email_taken(credential):
        # Somebody else was faster; or somebody who has left the address may still come back to it.
        faster = await uow.credentials.find_by_email(signup.email_key)
        if faster is None or faster.must_confirm:
            raise invalid_token(uow, token)
        return await _take_over(uow, token, signup, registration, faster.customer_id)
    is_active = uow.tenant.signup is not SignupMode.EMPLOYEE_ACTIVATION
    await write_registration(uow, signup.id, registration, active=is_active)
    await emit(uow, Topic.CUSTOMER_CREATED, signup.id, sessionId=signup.session_id)
    if not is_active:
        await tell_of_registration(uow, signup.id)
    return signup.id


async def _take_over(
    uow: UnitOfWork, token: OneTimeToken, signup: PendingSignup, registration: CheckedRegistration, customer_id: str
) -> str:
    """Give an account that never proved the address to who has just done so: with the password of the sign-up."""
    customer = await uow.customers.lock(customer_id)
    so_far = await uow.credentials.find(customer_id)
    if customer is None or so_far is None or so_far.email_key != signup.email_key:
        raise invalid_token(uow, token)
    if so_far.email_verified_at is not None or not _is_same_mailbox(so_far, signup):
        raise invalid_token(uow, token)
    columns = await prove_ownership(uow, so_far, Proof.SIGNUP_LINK)
    own = {"email": signup.email, "password_hash": signup.password_hash, "initial_password": False}
    version = so_far.version
    columns = {**columns, **own, "password_version": version + 1}
    if not await uow.credentials.change(customer_id, version, uow.now, **columns):
        raise invalid_token(uow, token)
    await uow.one_time_tokens.revoke(customer_id, uow.now, *ENDED_BY_NEW_CREDENTIALS)
    made_by_shop = so_far.made_by in (Maker.STAFF, Maker.IMPORT)
    await add_registration(uow, customer_id, registration, keeps_profile=made_by_shop)
    return customer_id


def _is_same_mailbox(owner: Credential, signup: PendingSignup) -> bool:
    return parse_email(owner.email).is_same_mailbox(signup.email)


async def _confirm_account(uow: UnitOfWork, token: OneTimeToken) -> str:
    """Confirm an account that version 1.0 has made at the sign-up, and that is locked."""
    so_far = await uow.credentials.find(token.customer_id)
    if so_far is None or not await uow.credentials.confirm_email(token.customer_id, token.credential_version, uow.now):
        raise invalid_token(uow, token)
    await prove_ownership(uow, so_far, Proof.SIGNUP_LINK)
    return token.customer_id


async def resend_confirmation(uow: UnitOfWork, email: str) -> None:
    """Mail the confirmation again, if the address is not confirmed; the answer is always the same."""
    await guard_mailed_flow(uow)
    problems = Problems()
    address = problems.check(parse_email, email, "email")
    problems.raise_if_any()
    if address is not None:
        await put_off(uow, Task.MAIL_CONFIRMATION, address.address)


async def mail_confirmation(uow: UnitOfWork, address: str) -> None:
    """Do the rest of `resend_confirmation`: mail a new link to who waits for one, or say that all is confirmed."""
    email = parse_email(address)
    found = await uow.credentials.find_by_email(email.key)
    customer = await uow.customers.lock(found.customer_id) if found is not None else None
    credential = await uow.credentials.find(customer.id) if customer is not None else None
    await record(uow, AuditAction.CONFIRMATION_REQUESTED, customer.id if customer is not None else None)
    if credential is not None and credential.email_verified_at is not None:
        await tell_registered(uow, credential, "already_confirmed")
        return
    signup = await find_to_remind(uow, email.key)
    if signup is not None:
        await send_signup_link(uow, signup, NEXT_MAIL)
    elif customer is not None and credential is not None and credential.must_confirm:
        await send_confirmation(uow, credential, customer.preferred_language)


async def send_confirmation(uow: UnitOfWork, credential: Credential, language: str | None) -> None:
    """Mail a new link to an account of version 1.0 that waits for its confirmation."""
    email = credential.email
    if email is None or not await may_mail(uow, email, signup=True):
        return
    lifetime = timedelta(seconds=uow.tenant.signup_token_seconds)
    token = await issue_one_time_token(
        uow, Purpose.CONFIRM_SIGNUP, credential.customer_id, email, credential.version, lifetime
    )
    await send_mail(uow, NEXT_MAIL, credential.customer_id, email, language=language, token=token)
