"""Sign-ups that wait for the proof of their address: written down, mailed their own link, ended by somebody's proof.

Whether the address is taken is looked up by the worker: the sign-up itself writes the same for every address.
"""

from __future__ import annotations

from datetime import timedelta

from app.domain.anonymizations import is_closed
from app.domain.audit import AuditAction
from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import UserErrorCode
from app.models.credentials import Credential
from app.models.one_time_tokens import Purpose
from app.models.pending_signups import PendingSignup
from app.services.accounts.invitations import tell_of_registration, waits_for_staff
from app.services.accounts.merged_accounts import tell_of_merge
from app.services.accounts.registrations import CheckedRegistration
from app.services.accounts.ways_back import tell_of_way_back
from app.services.audit import record_failure
from app.services.limits import may_mail
from app.services.outgoing.mails import current_site, send_mail
from app.services.outgoing.one_time_tokens import issue_one_time_token
from app.services.outgoing.tasks import Task, put_off
from app.services.unit_of_work import UnitOfWork

FIRST_MAIL = "confirm_signup"
NEXT_MAIL = "confirm_signup_again"


async def add_pending_signup(uow: UnitOfWork, registration: CheckedRegistration, password_hash: str | None) -> str:
    """Keep what somebody signed up with until the address is proved, have the link mailed, and return the id."""
    language = registration.language or current_site(uow).language
    data = registration.to_json()
    data["columns"] = {**data["columns"], "preferred_language": language}
    signup = _signup(uow, uow.tools.random.new_id(), registration.email)
    signup.password_hash, signup.data = password_hash, data
    await uow.pending_signups.add(signup)
    await put_off(uow, Task.MAIL_SIGNUP, signup.email, signup_id=signup.id)
    return signup.id


async def remember_signup(uow: UnitOfWork, customer_id: str, email: EmailAddress) -> None:
    """Note that this session has signed up with the address, where the customer is made at once.

    Where staff activate accounts, the task tells that the registration has come. Elsewhere it finds nothing to do: it
    is there because there is one for an address that is taken.
    """
    signup = _signup(uow, customer_id, email)
    signup.customer_id, signup.ended_at = customer_id, uow.now
    await uow.pending_signups.add(signup)
    await put_off(uow, Task.MAIL_SIGNUP, signup.email, signup_id=signup.id)


def _signup(uow: UnitOfWork, signup_id: str, email: EmailAddress) -> PendingSignup:
    days = uow.tenant.unproven_account_days
    return PendingSignup(
        tenant_id=uow.tenant.id,
        id=signup_id,
        session_id=uow.caller.require_principal().session_id or "",
        email=email.address,
        email_key=email.key,
        created_at=uow.now,
        expires_at=uow.now + timedelta(days=days) if days else None,
    )


async def mail_signup(uow: UnitOfWork, address: str, *, signup_id: str | None, again: bool = False) -> None:
    """Do the rest of a sign-up: mail its link, or tell whose the address is already; None is for no sign-up at all.

    `again`: somebody has tried to log in with the password of the sign-up.
    """
    signup = await uow.pending_signups.find(signup_id) if signup_id is not None else None
    if signup is not None and not again and waits_for_staff(uow, signup):
        await tell_of_registration(uow, signup.id)
    if signup is None or signup.ended_at is not None:
        return
    owner = await uow.credentials.find_by_email(signup.email_key)
    if owner is not None and owner.email_verified_at is not None:
        if await uow.pending_signups.end(signup.id, owner.customer_id, uow.now):
            await _tell_owner(uow, owner)
        return
    way_back = await uow.credentials.find_way_back(signup.email_key, signup.id, uow.now)
    if way_back is not None:
        await uow.pending_signups.end(signup.id, way_back.customer_id, uow.now)
        record_failure(uow, AuditAction.SIGNUP, None, reason=UserErrorCode.EMAIL_TAKEN)
        if await may_mail(uow, address, signup=True):
            await tell_of_way_back(uow, parse_email(address))
        return
    await send_signup_link(uow, signup, NEXT_MAIL if again else FIRST_MAIL)
    if not again:
        await tell_of_merge(uow, parse_email(address))


async def _tell_owner(uow: UnitOfWork, owner: Credential) -> None:
    """Tell the owner of a taken address by mail that somebody has signed up with it."""
    record_failure(uow, AuditAction.SIGNUP, owner.customer_id, reason=UserErrorCode.EMAIL_TAKEN)
    await tell_registered(uow, owner, "already_registered")


async def tell_registered(uow: UnitOfWork, owner: Credential, template: str) -> None:
    """Mail the owner of an address something about the account that there is."""
    customer = await uow.customers.find(owner.customer_id)
    if customer is None or owner.email is None or is_closed(customer.anonymization_status):
        return
    if await may_mail(uow, owner.email, signup=True):
        language = customer.preferred_language if template != "already_registered" else None
        await send_mail(uow, template, owner.customer_id, owner.email, language=language)


async def send_signup_link(uow: UnitOfWork, signup: PendingSignup, template: str) -> None:
    """Mail the link that confirms one sign-up and no other, unless its address had enough mails."""
    if not await may_mail(uow, signup.email, signup=True):
        return
    lifetime = timedelta(seconds=uow.tenant.signup_token_seconds)
    token = await issue_one_time_token(uow, Purpose.CONFIRM_SIGNUP, signup.id, signup.email, 1, lifetime)
    language = signup.data["columns"]["preferred_language"]
    await send_mail(uow, template, signup.id, signup.email, language=language, token=token)


async def find_to_remind(uow: UnitOfWork, email_key: str) -> PendingSignup | None:
    """Return the open sign-up that a request about its address is most likely about: the asking session's own."""
    own = await uow.pending_signups.find_of_session(email_key, uow.caller.require_principal().session_id or "")
    if own is not None and own.ended_at is None:
        return own
    return await uow.pending_signups.find_newest(email_key)


async def remind_of_signup(uow: UnitOfWork, email: EmailAddress) -> None:
    """Answer, by mail, who has forgotten the password of an account that there is not: only sign-ups wait for it.

    The session that signed up gets its link once more. A reset for others would let them into what somebody else has
    signed up with: they learn that there is no account yet. Where there is no sign-up either, it may be that the
    account was joined with another one.
    """
    signup = await find_to_remind(uow, email.key)
    if signup is None:
        await tell_of_merge(uow, email)
        return
    if signup.session_id == uow.caller.require_principal().session_id:
        await send_signup_link(uow, signup, NEXT_MAIL)
    elif await may_mail(uow, signup.email, signup=True):
        language = signup.data["columns"]["preferred_language"]
        await send_mail(uow, "no_account_yet", signup.id, signup.email, language=language)


async def end_pending_signups(uow: UnitOfWork, email_key: str, customer_id: str) -> None:
    """End the sign-ups that wait for an address which somebody has proved: it is this customer's."""
    await uow.pending_signups.end_all(email_key, customer_id, uow.now)
