"""A new password for a customer who has forgotten the old one, by a mailed token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.domain.audit import AuditAction
from app.domain.emails import parse_email
from app.domain.errors import DomainError
from app.domain.problems import Problems
from app.domain.tokens import OpaqueToken
from app.domain.topics import Topic
from app.models.customers import CustomerProfile
from app.models.one_time_tokens import ENDED_BY_NEW_CREDENTIALS, Purpose
from app.models.social import SocialIdentity
from app.services.accounts.closed_accounts import lock_for_proof, tell_of_erasure
from app.services.accounts.customers import get_profile
from app.services.accounts.ownership import Proof, prove_ownership
from app.services.accounts.passwords import check_password, personal_words
from app.services.accounts.pending_signups import remind_of_signup
from app.services.accounts.recipients import check_recipient
from app.services.accounts.unproven_data import holds_unproven_data
from app.services.accounts.ways_in import end_ways_beside_password
from app.services.audit import record
from app.services.limits import forgive_one_time_token, guard_mailed_flow, may_mail, may_mail_one_more
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
from app.services.sessions.devices import end_devices
from app.services.sessions.guessing import forget_guesses
from app.services.sessions.methods_on import require_password_login
from app.services.unit_of_work import UnitOfWork


async def request_password_reset(uow: UnitOfWork, email: str, site: str | None) -> None:
    """Mail a reset link to the owner of the address, if there is one; the answer is always the same.

    REQUIRED, TOO_LONG or INVALID_EMAIL for what is no address at all; INVALID for a site that the shop has not;
    PASSWORD_LOGIN_OFF in a shop without passwords.
    """
    require_password_login(uow, "email")
    is_first_of_day = await guard_mailed_flow(uow)
    address, site_id = check_recipient(uow, email, site)
    await put_off(uow, Task.MAIL_PASSWORD_RESET, address.address, site=site_id, is_first_of_day=is_first_of_day)


async def mail_password_reset(uow: UnitOfWork, address: str) -> None:
    """Do the rest of `request_password_reset`: look the address up, and mail its owner a token.

    Of an account that is closed for its erasure, the link that cancels that, where it was the customer's side that
    asked for it: a new password would be of no use before.
    """
    credential = await uow.credentials.find_by_email(parse_email(address).key)
    if credential is None:
        await record(uow, AuditAction.PASSWORD_RESET_REQUESTED, None)
        await remind_of_signup(uow, parse_email(address))
        return
    customer = await lock_for_proof(uow, credential.customer_id)
    await record(uow, AuditAction.PASSWORD_RESET_REQUESTED, credential.customer_id)
    if not (await may_mail(uow, address) or await may_mail_one_more(uow, address)):
        return
    if customer is None:
        await tell_of_erasure(uow, credential.customer_id)
    else:
        await send_reset_mail(uow, customer.id, customer.preferred_language)
        await emit(uow, Topic.CUSTOMER_PASSWORD_RESET_REQUESTED, customer.id)


async def send_reset_mail(uow: UnitOfWork, customer_id: str, language: str | None) -> OpaqueToken | None:
    """Mail a customer a token to choose a new password, and return it.

    Lock the customer first. None if the customer has no login address, or the shop no passwords.
    """
    if not uow.tenant.password_login:
        return None
    credential = await uow.credentials.find(customer_id)
    if credential is None or credential.email is None:
        return None
    lifetime = timedelta(seconds=uow.tenant.reset_token_seconds)
    token = await issue_one_time_token(
        uow,
        Purpose.RESET_PASSWORD,
        customer_id,
        credential.email,
        credential.version,
        lifetime,
        keeps_older=True,
    )
    await send_mail(uow, "reset_password", customer_id, credential.email, language=language, token=token)
    return token


@dataclass(frozen=True, slots=True, repr=False)
class ResetPassword:
    """Whose it is, and what is in the account beside the password: other ways to sign in, data of before the proof."""

    customer_id: str
    identities: Sequence[SocialIdentity]
    kept_unproven_data: bool


async def reset_password(
    uow: UnitOfWork, text: str, password: str, *, drop_other_sign_in_methods: bool = False
) -> ResetPassword:
    """Set a new password by the mailed token; every session ends, and nobody is logged in by it.

    The token has come to the address, so it proves the address, too: whoever held the account without a proof is out of
    it. TOKEN_INVALID, TOKEN_EXPIRED; what the password policy refuses leaves the token as it was.
    """
    token = await find_one_time_token(uow, text, Purpose.RESET_PASSWORD)
    require_password_login(uow, "password")
    check_open(uow, token)
    profile = await uow.customers.find(token.customer_id)
    if profile is None:
        raise invalid_token(uow, token)
    await _check_new_password(uow, text, password, profile)
    password_hash = await uow.hash_password(password)
    customer = await lock_for_proof(uow, token.customer_id)
    await use_up(uow, token)
    so_far = await uow.credentials.find(token.customer_id)
    if customer is None or so_far is None or so_far.version != token.credential_version:
        raise invalid_token(uow, token)
    columns = await prove_ownership(uow, so_far, Proof.RESET_LINK)
    columns |= {"password_hash": password_hash, "initial_password": False}
    if not await uow.credentials.set_password(token.customer_id, so_far.version, uow.now, **columns):
        raise invalid_token(uow, token)
    await uow.sessions.revoke_all(token.customer_id, uow.now)
    await uow.one_time_tokens.revoke(token.customer_id, uow.now, *ENDED_BY_NEW_CREDENTIALS)
    await end_devices(uow, token.customer_id)
    await forget_guesses(uow, token.email)
    if drop_other_sign_in_methods:
        await end_ways_beside_password(uow, token.customer_id)
    identities = await uow.social_identities.list(token.customer_id)
    await send_security_mail(uow, "password_changed", profile)
    if so_far.email_verified_at is None:
        await emit(uow, Topic.CUSTOMER_CONFIRMED, token.customer_id)
    await emit(uow, Topic.CUSTOMER_PASSWORD_CHANGED, token.customer_id)
    await record(uow, AuditAction.PASSWORD_RESET, token.customer_id)
    kept = holds_unproven_data(uow, await get_profile(uow, token.customer_id))
    return ResetPassword(token.customer_id, identities, kept)


async def _check_new_password(uow: UnitOfWork, text: str, password: str, profile: CustomerProfile) -> None:
    problems = Problems()
    check_password(problems, uow.tenant, password, personal_words(profile), "password")
    try:
        problems.raise_if_any()
    except DomainError:
        await forgive_one_time_token(uow, text)
        raise
