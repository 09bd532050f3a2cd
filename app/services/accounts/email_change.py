"""The change of the login address: requested, confirmed from the new address, and reverted from the old one.

Nothing changes before the token that was mailed to the new address comes back. The old address gets a link that undoes
the change for days, so whoever holds a stolen session or password cannot take the account away: that link outlives
changes of the password and further changes of the address, and while it works nobody else can have an old
address that was proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.domain.anonymizations import is_closed
from app.domain.audit import AuditAction
from app.domain.email_slips import suggest_email
from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import DomainError, FieldError, Refused, UserErrorCode, refuse
from app.domain.problems import Problems
from app.domain.topics import Topic
from app.models.credentials import Credential
from app.models.one_time_tokens import ENDED_BY_NEW_CREDENTIALS, WAS_PROVEN, OneTimeToken, Purpose
from app.services.accounts.customers import get_profile
from app.services.accounts.making_way import make_way
from app.services.accounts.ownership import Proof, prove_ownership
from app.services.accounts.password_reset import send_reset_mail
from app.services.accounts.pending_signups import end_pending_signups
from app.services.accounts.reauthentication import reauthenticate
from app.services.accounts.unproven_data import holds_unproven_data
from app.services.accounts.ways_back import tell_of_way_back
from app.services.audit import record
from app.services.limits import guard_mailed_flow, may_mail
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_mail, send_security_mail
from app.services.outgoing.one_time_tokens import (
    check_open,
    find_one_time_token,
    invalid_token,
    issue_one_time_token,
    use_up,
)
from app.services.outgoing.tasks import Task, put_off
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class ConfirmedEmail:
    """The address that signs in from now on, and whether data of before the proof are in the account."""

    customer_id: str
    email: str
    kept_unproven_data: bool


@dataclass(frozen=True, slots=True, repr=False)
class RevertedEmail:
    """The address that signs in again, and the token by which its owner chooses a password, which is mailed too.

    None when the link was opened before. `kept_unproven_data`: whether data of before the proof are in the account.
    """

    customer_id: str
    email: str
    reset_token: str | None
    kept_unproven_data: bool


async def change_email(
    uow: UnitOfWork, new_email: str, *, email: str | None = None, password: str | None, sync_contact_email: bool
) -> str | None:
    """Request another login address; a link is mailed to it, and a notice with a revert link to the old one.

    Returns the address that was probably meant, if the new one looks like a slip.

    The answer is the same for an address that is taken. INVALID for the address so far, and at `email` for one that is
    not; INVALID_CREDENTIALS, REAUTHENTICATION_REQUIRED.
    """
    await guard_mailed_flow(uow)
    customer = uow.caller.require_customer()
    problems = Problems()
    address = problems.check(parse_email, new_email, "newEmail")
    so_far = parse_email(customer.email).key if customer.email is not None else None
    if address is not None and address.key == so_far:
        problems.add(UserErrorCode.INVALID, "This is your address already.", "newEmail")
    if email:
        given = problems.check(parse_email, email, "email")
        if given is not None and given.key != so_far:
            problems.add(UserErrorCode.INVALID, "This is not the address that you log in with.", "email")
    problems.raise_if_any()
    checked = await reauthenticate(uow, password, "password")
    locked = await uow.customers.lock(customer.id)
    credential = await uow.credentials.find(customer.id)
    if address is None or locked is None or credential is None or credential.version != checked.version:
        raise refuse(
            UserErrorCode.VERSION_CONFLICT, "The account was changed in the meantime: log in again.", "password"
        )
    await uow.one_time_tokens.revoke(customer.id, uow.now, Purpose.CONFIRM_EMAIL_CHANGE)
    if credential.email is not None:
        kept: dict[str, Any] = {WAS_PROVEN: credential.email_verified_at is not None}
        if sync_contact_email:
            kept["contact_email"] = locked.contact_email
        await _send_notice(uow, credential, credential.email, locked.preferred_language, kept)
    await put_off(
        uow, Task.MAIL_EMAIL_CHANGE, address.address, version=credential.version, sync_contact_email=sync_contact_email
    )
    await record(uow, AuditAction.EMAIL_CHANGE_REQUESTED, customer.id)
    return suggest_email(address)


async def _send_notice(
    uow: UnitOfWork, credential: Credential, email: str, language: str | None, kept: dict[str, Any]
) -> None:
    lifetime = timedelta(seconds=uow.tenant.email_revert_token_seconds)
    token = await issue_one_time_token(
        uow, Purpose.REVERT_EMAIL_CHANGE, credential.customer_id, email, credential.version, lifetime, kept
    )
    await send_mail(uow, "email_change_notice", credential.customer_id, email, language=language, token=token)


async def mail_email_change(uow: UnitOfWork, address: str, *, version: int, sync_contact_email: bool) -> None:
    """Do the rest of `change_email`: mail the token to a free address; the owner of a taken one learns that it is."""
    principal = uow.caller.require_principal()
    customer_id = principal.customer_id or ""
    customer = await uow.customers.lock(customer_id)
    credential = await uow.credentials.find(customer_id)
    if customer is None or not customer.active or customer.on_hold:
        return
    if credential is None or credential.version != version:
        return
    new = parse_email(address)
    if await uow.credentials.is_email_taken(new.key, customer_id, uow.now):
        await _tell_owner(uow, new, customer_id)
        return
    if not await may_mail(uow, new.address):
        return
    lifetime = timedelta(seconds=uow.tenant.email_change_token_seconds)
    data = {"sync_contact_email": sync_contact_email, "session_id": principal.session_id}
    token = await issue_one_time_token(
        uow, Purpose.CONFIRM_EMAIL_CHANGE, customer_id, new.address, version, lifetime, data
    )
    language = customer.preferred_language
    await send_mail(uow, "confirm_email_change", customer_id, new.address, language=language, token=token)


async def _tell_owner(uow: UnitOfWork, email: EmailAddress, asked_by: str) -> None:
    """Mail the owner of an address, or who has left it, what a sign-up with it would bring: that it is taken."""
    owner = await uow.credentials.find_by_email(email.key)
    if owner is None and await may_mail(uow, email.address):
        await tell_of_way_back(uow, email, asked_by=asked_by)
    if owner is None or owner.email is None:
        return
    # Not locked: the asking customer is already, and two who ask for each other's address would wait for ever.
    customer = await uow.customers.find(owner.customer_id)
    if customer is None or is_closed(customer.anonymization_status):
        return
    if await may_mail(uow, owner.email):
        await send_mail(uow, "already_registered", owner.customer_id, owner.email)


async def confirm_email_change(uow: UnitOfWork, text: str) -> ConfirmedEmail:
    """Make the address that the token came to the login address, and return it; all sessions but the asking one end.

    Where it is the first address of the account that is proved, and not in the account's own session, everybody is out
    of it, and the address gets a link to choose a password. A token that did this already answers so as long as it is
    true. TOKEN_INVALID, TOKEN_EXPIRED; EMAIL_TAKEN when somebody else has the address by now.
    """
    found = await find_one_time_token(uow, text, Purpose.CONFIRM_EMAIL_CHANGE)
    await uow.customers.lock_even_if_closed(found.customer_id)
    token = await _read_again(uow, found)
    if await _is_true_already(uow, token):
        return ConfirmedEmail(token.customer_id, token.email, await _keeps_unproven_data(uow, token))
    check_open(uow, token)
    before = await get_profile(uow, token.customer_id)
    await use_up(uow, token)
    so_far = await uow.credentials.find(token.customer_id)
    if so_far is None or so_far.version != token.credential_version:
        raise invalid_token(uow, token)
    columns = await prove_ownership(uow, so_far, Proof.EMAIL_CHANGE_LINK, token=token)
    if not await _set_email(uow, token, so_far.version, columns):
        raise invalid_token(uow, token)
    if token.data["sync_contact_email"]:
        await uow.customers.change(token.customer_id, uow.now, contact_email=token.email)
    await uow.sessions.revoke_all(token.customer_id, uow.now, keep=token.data["session_id"])
    await uow.one_time_tokens.revoke(token.customer_id, uow.now, *ENDED_BY_NEW_CREDENTIALS)
    await send_security_mail(uow, "email_changed", before)
    await send_security_mail(uow, "email_changed", before, recipient=token.email)
    if "password_hash" in columns:
        # Nobody can log in now, not even the person who has proved the address.
        await send_reset_mail(uow, token.customer_id, before.preferred_language)
    await emit(uow, Topic.CUSTOMER_EMAIL_CHANGED, token.customer_id)
    await record(uow, AuditAction.EMAIL_CHANGED, token.customer_id)
    return ConfirmedEmail(token.customer_id, token.email, await _keeps_unproven_data(uow, token))


async def revert_email_change(uow: UnitOfWork, text: str) -> RevertedEmail:
    """Give the account back to the address that the token came to: every session ends, and nobody else comes in.

    The password is dropped, as the intruder may know it, and so is every social account that was linked since
    `doubted_since`; an erasure that was asked for from inside the account since then is canceled. The address gets a
    reset mail. If nobody had proved the address before, it is the first proof of it, and all of that goes whenever it
    was added. A token that did this already answers so as long as it is true, and resets nothing any more.
    TOKEN_INVALID, TOKEN_EXPIRED, EMAIL_TAKEN.
    """
    found = await find_one_time_token(uow, text, Purpose.REVERT_EMAIL_CHANGE)
    customer = await uow.customers.lock_even_if_closed(found.customer_id)
    token = await _read_again(uow, found)
    if await _is_true_already(uow, token):
        return RevertedEmail(token.customer_id, token.email, None, await _keeps_unproven_data(uow, token))
    check_open(uow, token)
    credential = await uow.credentials.find(token.customer_id)
    if customer is None or credential is None:
        raise invalid_token(uow, token)
    before = await get_profile(uow, token.customer_id)
    await use_up(uow, token)
    columns = await prove_ownership(uow, credential, Proof.REVERT_LINK, token=token)
    await _set_email(uow, token, credential.version, columns)
    if is_closed((await get_profile(uow, token.customer_id)).anonymization_status):
        raise invalid_token(uow, token)
    if token.data.get(WAS_PROVEN) is True and "contact_email" in token.data:
        await uow.customers.change(token.customer_id, uow.now, contact_email=token.data["contact_email"])
    await uow.sessions.revoke_all(token.customer_id, uow.now)
    await uow.one_time_tokens.revoke(token.customer_id, uow.now, *ENDED_BY_NEW_CREDENTIALS)
    await uow.one_time_tokens.revoke_later(token, uow.now)
    reset_token = await send_reset_mail(uow, token.customer_id, customer.preferred_language)
    if credential.email_key != token.email_key:
        if token.data.get(WAS_PROVEN) is True:
            await send_security_mail(uow, "email_changed", before)
        await emit(uow, Topic.CUSTOMER_EMAIL_CHANGED, token.customer_id)
    await record(uow, AuditAction.EMAIL_CHANGE_REVERTED, token.customer_id)
    kept = await _keeps_unproven_data(uow, token)
    reset_text = reset_token.text if reset_token is not None else None
    return RevertedEmail(token.customer_id, token.email, reset_text, kept)


async def _read_again(uow: UnitOfWork, found: OneTimeToken) -> OneTimeToken:
    """Return the token as it is now that its customer is locked: of many calls at once, one has used it."""
    return await uow.one_time_tokens.find(found.token_hash, Purpose(found.purpose)) or found


async def _is_true_already(uow: UnitOfWork, token: OneTimeToken) -> bool:
    """Tell whether the token has made its address the one that signs in, and it still is."""
    if token.used_at is None:
        return False
    credential = await uow.credentials.find(token.customer_id)
    return credential is not None and credential.email_key == token.email_key


async def _keeps_unproven_data(uow: UnitOfWork, token: OneTimeToken) -> bool:
    return holds_unproven_data(uow, await get_profile(uow, token.customer_id))


async def _set_email(uow: UnitOfWork, token: OneTimeToken, version: int, columns: dict[str, Any]) -> bool:
    """Make the token's address the login address, and a proven one; False when the credential has changed."""
    await make_way(uow, token.email_key, token.customer_id)
    try:
        changed = await uow.credentials.change_email(
            token.customer_id, version, uow.now, token.email, token.email_key, **columns
        )
    except Refused as taken:
        raise DomainError(FieldError(taken.code, ("token",), taken.message)) from taken
    if changed:
        await uow.customers.note_login_address(token.customer_id, token.email)
    await end_pending_signups(uow, token.email_key, token.customer_id)
    return changed
