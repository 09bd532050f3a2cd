"""Mailed and texted codes as an answer."""

from __future__ import annotations

from app.domain.audit import AuditAction
from app.domain.errors import DomainError, UserErrorCode
from app.domain.sign_in import Factor, SignInMethod
from app.models.sign_in_tickets import SignInTicket
from app.services.audit import record_failure
from app.services.sessions.tickets import expired_code, invalid_ticket, is_code, wrong_code
from app.services.sign_in.attempts import Attempt, Proved
from app.services.sign_in.code_signup import sign_up_by_code
from app.services.unit_of_work import UnitOfWork


async def verify_email_code(uow: UnitOfWork, attempt: Attempt) -> Proved:
    """Tell whose mailbox the code came to; CODE_INVALID, CODE_EXPIRED."""
    ticket = check_code(uow, attempt, SignInMethod.EMAIL_CODE)
    if ticket.customer_id is None:
        return await sign_up_by_code(uow, ticket)
    # After another proof the code is a second one: whoever gave both is in the account already.
    is_first = ticket.proved is None
    return Proved(ticket.customer_id, Factor(SignInMethod.EMAIL_CODE), proves_email=is_first)


def check_code(uow: UnitOfWork, attempt: Attempt, method: SignInMethod) -> SignInTicket:
    """Return the ticket of a code that is right, was sent by this method and is not over; CODE_INVALID, CODE_EXPIRED.

    Nothing is looked up, so that it takes as long for an address that nobody has.
    """
    ticket = attempt.ticket
    if ticket is None:
        raise invalid_ticket()
    if ticket.code_expires_at is not None and ticket.code_expires_at <= uow.now:
        raise _refused(uow, ticket, expired_code(attempt.field))
    if ticket.code_method != method.value or not is_code(ticket, attempt.ticket_text, attempt.text):
        raise _refused(uow, ticket, wrong_code(attempt.field))
    return ticket


def _refused(uow: UnitOfWork, ticket: SignInTicket, error: DomainError) -> DomainError:
    code: UserErrorCode = error.errors[0].code
    record_failure(uow, AuditAction.LOGIN, ticket.customer_id, reason=code.value)
    return error
