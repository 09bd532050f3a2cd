"""Codes to sign in with: asked for by anybody for any address, mailed to who has it, good in the asking session."""

from __future__ import annotations

from datetime import datetime

from app.domain.audit import AuditAction
from app.domain.emails import parse_email
from app.domain.errors import UserErrorCode, refuse
from app.domain.principal import TokenKind
from app.domain.sign_in import SignInMethod
from app.domain.tokens import OpaqueToken, TokenPrefix
from app.models.sign_in_tickets import TicketPurpose
from app.services.accounts.closed_accounts import lock_for_proof, tell_of_erasure
from app.services.accounts.pending_signups import remind_of_signup
from app.services.accounts.recipients import check_recipient
from app.services.audit import record
from app.services.limits import guard_mailed_flow
from app.services.outgoing.tasks import Task, put_off
from app.services.sessions.login_codes import code_columns, issue_code_ticket, mail_code, mail_step_code, new_code
from app.services.sessions.methods_on import require_method
from app.services.sessions.tickets import (
    IssuedTicket,
    hash_code,
    invalid_ticket,
    new_ticket,
)
from app.services.sign_in.code_signup import offer_signup
from app.services.sign_in.phone_codes import send_step_phone_code
from app.services.sign_in.steps import open_step
from app.services.unit_of_work import UnitOfWork


async def request_login_code(uow: UnitOfWork, email: str | None, site: str | None) -> IssuedTicket:
    """Mail a code to the owner of an address, if there is one, and return the ticket that it is good with.

    The answer is always the same. With a customer's token it is for `reauthenticate`, and goes to the customer's own
    address. Of the codes that a session has asked for, the newest counts. METHOD_OFF; REQUIRED, TOO_LONG or
    INVALID_EMAIL for what is no address at all; INVALID for a site that the shop has not, or another's address.
    """
    require_method(uow, SignInMethod.EMAIL_CODE, "email")
    is_first_of_day = await guard_mailed_flow(uow)
    if uow.caller.require_principal().kind is TokenKind.CUSTOMER:
        return await _mail_own(uow, email)
    address, site_id = check_recipient(uow, email, site)
    text, code = new_ticket(uow), new_code(uow)
    recipient = uow.tools.sealer.seal(address.address)
    ticket = await issue_code_ticket(uow, TicketPurpose.LOGIN, SignInMethod.EMAIL_CODE, text, code, recipient=recipient)
    await put_off(
        uow,
        Task.MAIL_LOGIN_CODE,
        address.address,
        site=site_id,
        is_first_of_day=is_first_of_day,
        ticket=text.hash.hex(),
        code_hash=hash_code(text.text, code).hex(),
        code=uow.tools.sealer.seal(code),
    )
    return ticket


async def _mail_own(uow: UnitOfWork, email: str | None) -> IssuedTicket:
    """Mail a code to the caller, who is logged in."""
    customer = uow.caller.require_customer()
    if customer.email is None:
        raise refuse(UserErrorCode.INVALID, "This account has no e-mail address to sign in with.", "email")
    if email is not None and check_recipient(uow, email)[0].key != parse_email(customer.email).key:
        raise refuse(UserErrorCode.INVALID, "This is not the e-mail address that you sign in with.", "email")
    text, code = new_ticket(uow), new_code(uow)
    ticket = await issue_code_ticket(
        uow, TicketPurpose.REAUTHENTICATION, SignInMethod.EMAIL_CODE, text, code, customer=customer
    )
    await mail_step_code(uow, customer, text, code)
    return ticket


async def mail_login_code(uow: UnitOfWork, address: str, *, ticket: str, code_hash: str, code: str) -> None:
    """Do the rest of `request_login_code`: look the address up, and mail its owner the code.

    Whoever has no account gets a code that makes one, where the shop has that on. Of an account that is closed for its
    erasure, the link that cancels that, where it was the customer's side that asked for it.
    """
    email, shown = parse_email(address), uow.tools.sealer.open(code)
    credential = await uow.credentials.find_by_email(email.key)
    await record(uow, AuditAction.LOGIN_CODE_REQUESTED, credential.customer_id if credential is not None else None)
    if credential is None:
        if not await offer_signup(uow, email, bytes.fromhex(ticket), bytes.fromhex(code_hash), shown):
            await remind_of_signup(uow, email)
        return
    if await lock_for_proof(uow, credential.customer_id) is None:
        await tell_of_erasure(uow, credential.customer_id)
        return
    customer = await uow.customers.find(credential.customer_id)
    if customer is not None and customer.email is not None:
        await mail_code(uow, customer, customer.email, bytes.fromhex(ticket), bytes.fromhex(code_hash), shown)


async def renew_step_code(uow: UnitOfWork, ticket_text: str, *, by_phone: bool = False) -> IssuedTicket:
    """Send the code, or another one, for a login that goes on; the ticket stays, and only the newest code counts.

    METHOD_OFF; TICKET_INVALID for a ticket that cannot go on by such a code.
    """
    method = SignInMethod.PHONE_CODE if by_phone else SignInMethod.EMAIL_CODE
    require_method(uow, method, "ticket")
    await guard_mailed_flow(uow)
    ticket = await open_step(uow, ticket_text, method)
    customer = await uow.customers.find(ticket.customer_id or "")
    text, code = OpaqueToken(TokenPrefix.SIGN_IN_TICKET, ticket_text), new_code(uow)
    columns = code_columns(uow, method, text, code)
    changed = await uow.sign_in_tickets.change(text.hash, ticket.session_id, uow.now, **columns)
    if customer is None or changed is None:
        raise invalid_ticket()
    await (send_step_phone_code if by_phone else mail_step_code)(uow, customer, text, code)
    return IssuedTicket(ticket_text, _seconds_left(uow, ticket.expires_at))


def _seconds_left(uow: UnitOfWork, ends: datetime) -> int:
    return min(int((ends - uow.now).total_seconds()), uow.tenant.login_code_seconds)
