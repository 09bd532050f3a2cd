"""A new password for a customer who has forgotten the old one, by a mailed token."""

from __future__ import annotations

from datetime import timedelta

from app.domain.audit import AuditAction
from app.domain.emails import parse_email
from app.domain.errors import DomainError, UserErrorCode
from app.domain.problems import Problems
from app.domain.tokens import OpaqueToken
from app.domain.topics import Topic
from app.models.customers import CustomerProfile
from app.models.one_time_tokens import ENDED_BY_NEW_CREDENTIALS, Purpose
from app.services.accounts.ownership import Proof, prove_ownership
from app.services.accounts.passwords import check_password, personal_words
from app.services.audit import record
from app.services.limits import forgive_one_time_token, guard_mailed_flow, may_mail
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


async def request_password_reset(uow: UnitOfWork, email: str, site: str | None) -> None:
    """Mail a reset link to the owner of the address, if there is one; the answer is always the same.

    REQUIRED, TOO_LONG or INVALID_EMAIL for what is no address at all; INVALID for a site that the shop has not.
    """
    await guard_mailed_flow(uow)
    problems = Problems()
    address = problems.check(parse_email, email, "email")
    found = uow.tenant.find_site(site) if site else None
    if site and found is None:
        problems.add(UserErrorCode.INVALID, "The shop has no site with this id.", "site")
    problems.raise_if_any()
    if address is not None:
        await put_off(uow, Task.MAIL_PASSWORD_RESET, address.address, site=found.id if found else None)


async def mail_password_reset(uow: UnitOfWork, address: str) -> None:
    """Do the rest of `request_password_reset`: look the address up, and mail its owner a token."""
    credential = await uow.credentials.find_by_email(parse_email(address).key)
    customer = await uow.customers.lock(credential.customer_id) if credential is not None else None
    if credential is None or customer is None:
        await record(uow, AuditAction.PASSWORD_RESET_REQUESTED, None)
        return
    await record(uow, AuditAction.PASSWORD_RESET_REQUESTED, customer.id)
    if await may_mail(uow, address):
        await send_reset_mail(uow, customer.id, customer.preferred_language)
        await emit(uow, Topic.CUSTOMER_PASSWORD_RESET_REQUESTED, customer.id)


async def send_reset_mail(uow: UnitOfWork, customer_id: str, language: str | None) -> OpaqueToken | None:
    """Mail a customer a token to choose a new password, and return it.

    Lock the customer first. None if the customer has no login address.
    """
    credential = await uow.credentials.find(customer_id)
    if credential is None or credential.email is None:
        return None
    lifetime = timedelta(seconds=uow.tenant.reset_token_seconds)
    token = await issue_one_time_token(
        uow, Purpose.RESET_PASSWORD, customer_id, credential.email, credential.version, lifetime
    )
    await send_mail(uow, "reset_password", customer_id, credential.email, language=language, token=token)
    return token


async def reset_password(uow: UnitOfWork, text: str, password: str) -> None:
    """Set a new password with the mailed token; every session ends, and nobody is logged in.

    The token has come to the address, so it proves the address, too: whoever held the account without a proof is out of
    it. TOKEN_INVALID, TOKEN_EXPIRED; what the password
    policy refuses leaves the token as it was.
    """
    token = await find_one_time_token(uow, text, Purpose.RESET_PASSWORD)
    check_open(uow, token)
    profile = await uow.customers.find(token.customer_id)
    if profile is None:
        raise invalid_token(uow, token)
    await _check_new_password(uow, text, password, profile)
    password_hash = await uow.hash_password(password)
    await uow.customers.lock(token.customer_id)
    await use_up(uow, token)
    so_far = await uow.credentials.find(token.customer_id)
    if so_far is None or so_far.version != token.credential_version:
        raise invalid_token(uow, token)
    columns = await prove_ownership(uow, so_far, Proof.RESET_LINK)
    if not await uow.credentials.set_password(token.customer_id, so_far.version, uow.now, password_hash, **columns):
        raise invalid_token(uow, token)
    await uow.sessions.revoke_all(token.customer_id, uow.now)
    await uow.one_time_tokens.revoke(token.customer_id, uow.now, *ENDED_BY_NEW_CREDENTIALS)
    await send_security_mail(uow, "password_changed", profile)
    if so_far.email_verified_at is None:
        await emit(uow, Topic.CUSTOMER_CONFIRMED, token.customer_id)
    await emit(uow, Topic.CUSTOMER_PASSWORD_CHANGED, token.customer_id)
    await record(uow, AuditAction.PASSWORD_RESET, token.customer_id)


async def _check_new_password(uow: UnitOfWork, text: str, password: str, profile: CustomerProfile) -> None:
    problems = Problems()
    check_password(problems, uow.tenant, password, personal_words(profile), "password")
    try:
        problems.raise_if_any()
    except DomainError:
        await forgive_one_time_token(uow, text)
        raise
