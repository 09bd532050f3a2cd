"""The steps of a login with a ticket: which methods are open, and what else may be done with the ticket meanwhile."""

from __future__ import annotations

from app.domain.errors import UserErrorCode, refuse
from app.domain.sign_in import Factors, SignInMethod
from app.models.customers import CustomerProfile
from app.models.sign_in_tickets import SignInTicket, TicketPurpose
from app.services.sessions.login_steps import missing_methods
from app.services.sessions.tickets import find_ticket, invalid_ticket
from app.services.unit_of_work import UnitOfWork


async def offered_methods(uow: UnitOfWork, ticket: SignInTicket) -> tuple[SignInMethod, ...]:
    """Return the methods that a ticket may be used with at this moment.

    At the beginning that is what it was made for: a code, or a passkey. Afterwards it is what the login still needs.
    """
    if ticket.proved is None or ticket.customer_id is None:
        if ticket.code_method is not None:
            return (SignInMethod(ticket.code_method),)
        return (SignInMethod.PASSKEY,) if ticket.challenge is not None else ()
    customer = await uow.customers.find(ticket.customer_id)
    if customer is None or customer.credential_version != ticket.credential_version:
        return ()
    return await missing_methods(uow, customer, Factors.read(ticket.proved)) or ()


async def open_step(uow: UnitOfWork, ticket_text: str, method: SignInMethod) -> SignInTicket:
    """Return the ticket of a login that goes on, and may go on with this method.

    For what begins the method: the ticket's row then takes the challenge or the code (`uow.sign_in_tickets.change`).
    TICKET_INVALID at `ticket`.
    """
    ticket = await find_ticket(uow, ticket_text, TicketPurpose.LOGIN)
    if ticket.proved is None or method not in await offered_methods(uow, ticket):
        raise invalid_ticket()
    return ticket


async def enrolling_customer(uow: UnitOfWork, ticket_text: str) -> tuple[SignInTicket, CustomerProfile]:
    """Return the ticket, and whose it is, of a login for which a second factor may be enrolled before it goes on.

    That is where the shop wants one and the customer has enrolled none. TICKET_INVALID at `ticket` for any other;
    METHOD_OFF where the shop wants none of anybody. The ticket stays, and afterwards `completeLogin` takes the new
    method with it.
    """
    ticket = await find_ticket(uow, ticket_text, TicketPurpose.LOGIN)
    methods = await offered_methods(uow, ticket)
    customer = await uow.customers.find(ticket.customer_id) if ticket.customer_id is not None else None
    if customer is None or ticket.proved is None or SignInMethod.PASSKEY in methods or SignInMethod.TOTP in methods:
        raise invalid_ticket()
    if customer.credential_version != ticket.credential_version:
        raise invalid_ticket()
    if SignInMethod.TOTP not in uow.tenant.sign_in_methods:
        raise refuse(UserErrorCode.METHOD_OFF, "This shop has no second factors.", "ticket")
    return ticket, customer
