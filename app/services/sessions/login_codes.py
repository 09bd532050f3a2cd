"""Codes that somebody signs in with: made for a ticket, mailed, and good from then on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.domain.sign_in import SignInMethod
from app.domain.tokens import OpaqueToken
from app.models.customers import CustomerProfile
from app.models.sign_in_tickets import TicketPurpose
from app.services.limits import may_mail, may_mail_one_more, may_mail_step
from app.services.outgoing.mails import send_mail
from app.services.sessions.tickets import CODE_DIGITS, IssuedTicket, hash_code, issue_ticket, session_id_of
from app.services.unit_of_work import UnitOfWork

LOGIN_CODE_MAIL = "login_code"


def new_code(uow: UnitOfWork) -> str:
    """Return a new code of six digits."""
    return uow.tools.random.digits(CODE_DIGITS)


def code_columns(uow: UnitOfWork, method: SignInMethod, ticket: OpaqueToken, code: str) -> dict[str, Any]:
    """Return the columns of a ticket that is to be used with a code; it does not count before it is sent."""
    return {
        "code_method": method.value,
        "code_hash": hash_code(ticket.text, code),
        "code_sent_at": None,
        "code_expires_at": uow.now + timedelta(seconds=uow.tenant.login_code_seconds),
    }


async def issue_code_ticket(
    uow: UnitOfWork,
    purpose: TicketPurpose,
    method: SignInMethod,
    text: OpaqueToken,
    code: str,
    *,
    recipient: str | None = None,
    customer: CustomerProfile | None = None,
) -> IssuedTicket:
    """Make the ticket of a code, which is the only one of the session that counts for this purpose from now on.

    `recipient` is where the code goes, sealed, and `customer` the caller, where a customer asks.
    """
    await uow.sign_in_tickets.end_codes(session_id_of(uow), purpose.value, uow.now)
    ticket = await issue_ticket(
        uow,
        purpose,
        text=text,
        recipient=recipient,
        customer_id=customer.id if customer is not None else None,
        credential_version=customer.credential_version if customer is not None else None,
        **code_columns(uow, method, text, code),
    )
    return IssuedTicket(ticket.text, min(ticket.expires_in, uow.tenant.login_code_seconds))


async def mail_step_code(uow: UnitOfWork, customer: CustomerProfile, ticket: OpaqueToken, code: str) -> None:
    """Mail the code of a ticket to a customer who is known by another proof, unless the mailbox had enough of them.

    What strangers have had mailed to it is not counted.
    """
    if customer.email is not None and await may_mail_step(uow, customer.email):
        await _send(uow, customer, customer.email, ticket.hash, hash_code(ticket.text, code), code)


async def mail_code(
    uow: UnitOfWork, customer: CustomerProfile, email: str, ticket_hash: bytes, code_hash: bytes, code: str
) -> None:
    """Mail a code that anybody may have asked for, and let it count from now on.

    Where it is not mailed, because of too many mails, it does not count: nobody can guess at codes that no mailbox got.
    """
    if await may_mail(uow, email) or await may_mail_one_more(uow, email):
        await _send(uow, customer, email, ticket_hash, code_hash, code)


async def _send(
    uow: UnitOfWork, customer: CustomerProfile, email: str, ticket_hash: bytes, code_hash: bytes, code: str
) -> None:
    is_open = await uow.sign_in_tickets.note_sent(
        ticket_hash,
        code_hash,
        uow.now,
        customer_id=customer.id,
        credential_version=customer.credential_version,
    )
    if is_open:
        await send_mail(uow, LOGIN_CODE_MAIL, customer.id, email, language=customer.preferred_language, code=code)
