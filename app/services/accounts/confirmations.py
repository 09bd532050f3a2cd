"""The confirmation of a new customer's address, and another mail with the link."""

from __future__ import annotations

from datetime import timedelta

from app.domain.audit import AuditAction
from app.domain.emails import parse_email
from app.domain.problems import Problems
from app.domain.topics import Topic
from app.models.credentials import Credential
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.services.accounts.ownership import Proof, prove_ownership
from app.services.audit import record
from app.services.limits import guard_mailed_flow, may_mail
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_mail
from app.services.outgoing.one_time_tokens import (
    check_open,
    find_one_time_token,
    invalid_token,
    issue_one_time_token,
    use_up,
)
from app.services.outgoing.tasks import Task, put_off
from app.services.unit_of_work import UnitOfWork


async def send_confirmation(
    uow: UnitOfWork, credential: Credential, language: str | None, template: str = "confirm_signup"
) -> None:
    """Mail the token with which a new customer confirms the address."""
    email = credential.email or ""
    lifetime = timedelta(seconds=uow.tenant.signup_token_seconds)
    token = await issue_one_time_token(
        uow, Purpose.CONFIRM_SIGNUP, credential.customer_id, email, credential.version, lifetime
    )
    await send_mail(uow, template, credential.customer_id, email, language=language, token=token)


async def confirm_signup(uow: UnitOfWork, text: str) -> str:
    """Confirm the address with the mailed token and return the customer's id.

    TOKEN_INVALID, TOKEN_EXPIRED. A used token still works for the customer whom it confirmed and for the session that
    used it, and for nobody else.
    """
    found = await find_one_time_token(uow, text, Purpose.CONFIRM_SIGNUP)
    await uow.customers.lock(found.customer_id)
    token = await uow.one_time_tokens.find(found.token_hash, Purpose.CONFIRM_SIGNUP) or found
    if _answers_again(uow, token):
        return token.customer_id
    check_open(uow, token)
    await use_up(uow, token)
    so_far = await uow.credentials.find(token.customer_id)
    if so_far is None or not await uow.credentials.confirm_email(token.customer_id, token.credential_version, uow.now):
        raise invalid_token(uow, token)
    await prove_ownership(uow, so_far, Proof.SIGNUP_LINK)
    await emit(uow, Topic.CUSTOMER_CONFIRMED, token.customer_id)
    await record(uow, AuditAction.SIGNUP_CONFIRMED, token.customer_id)
    return token.customer_id


def _answers_again(uow: UnitOfWork, token: OneTimeToken) -> bool:
    principal = uow.caller.principal
    if token.used_at is None or principal is None:
        return False
    return principal.customer_id == token.customer_id or (
        principal.session_id is not None and principal.session_id == token.used_in_session
    )


async def resend_confirmation(uow: UnitOfWork, email: str) -> None:
    """Mail the confirmation again, if the address is not confirmed; the answer is always the same."""
    await guard_mailed_flow(uow)
    problems = Problems()
    address = problems.check(parse_email, email, "email")
    problems.raise_if_any()
    if address is not None:
        await put_off(uow, Task.MAIL_CONFIRMATION, address.address)


async def mail_confirmation(uow: UnitOfWork, address: str) -> None:
    """Do the rest of `resend_confirmation`: look the address up, and mail a new token if it is not confirmed yet."""
    found = await uow.credentials.find_by_email(parse_email(address).key)
    customer = await uow.customers.lock(found.customer_id) if found is not None else None
    credential = await uow.credentials.find(customer.id) if customer is not None else None
    await record(uow, AuditAction.CONFIRMATION_REQUESTED, customer.id if customer is not None else None)
    if customer is None or credential is None or credential.email is None or not credential.must_confirm:
        return
    if await may_mail(uow, credential.email, signup=True):
        await send_confirmation(uow, credential, customer.preferred_language, "confirm_signup_again")
