"""Codes to a phone: to sign in with a number that was proved before, and to prove one."""

from __future__ import annotations

from datetime import timedelta

from app.domain.audit import AuditAction
from app.domain.errors import Refused, UserErrorCode, refuse
from app.domain.phones import parse_phone
from app.domain.ports import Limit
from app.domain.principal import TokenKind
from app.domain.sign_in import Factor, SignInMethod
from app.domain.tokens import OpaqueToken
from app.models.customers import CustomerProfile
from app.models.sign_in_tickets import TicketPurpose
from app.services.accounts.reauthentication import require_recent
from app.services.accounts.sign_in_changes import WayIn, tell_added
from app.services.audit import record
from app.services.limits import DAY, HOUR, guard_mailed_flow, is_below, limits_of
from app.services.outgoing.mails import current_site
from app.services.outgoing.phone_codes import send_phone_code
from app.services.outgoing.tasks import Task, put_off
from app.services.sessions.login_codes import issue_code_ticket, new_code
from app.services.sessions.login_steps import is_phone_proved
from app.services.sessions.methods_on import require_method
from app.services.sessions.tickets import IssuedTicket, hash_code, new_ticket, wrong_code
from app.services.sign_in.attempts import Attempt, Proved
from app.services.sign_in.codes import check_code
from app.services.unit_of_work import UnitOfWork


async def request_phone_code(uow: UnitOfWork, typed: str) -> IssuedTicket:
    """Have a code sent to a phone, if a customer signs in with its number, and return the ticket that it is good with.

    The answer is always the same. With a customer's token it is for `reauthenticate`, and the number must be that of
    the profile; one that was not proved yet wants a fresh login, for it will be a way in. METHOD_OFF; INVALID_PHONE,
    INVALID; REAUTHENTICATION_REQUIRED.
    """
    require_method(uow, SignInMethod.PHONE_CODE, "phone")
    await guard_mailed_flow(uow)
    phone = _parse(uow, typed)
    is_customer = uow.caller.require_principal().kind is TokenKind.CUSTOMER
    customer = await _own(uow, phone) if is_customer else None
    purpose = TicketPurpose.REAUTHENTICATION if is_customer else TicketPurpose.LOGIN
    text, code = new_ticket(uow), new_code(uow)
    recipient = uow.tools.sealer.seal(phone)
    ticket = await issue_code_ticket(
        uow, purpose, SignInMethod.PHONE_CODE, text, code, recipient=recipient, customer=customer
    )
    if customer is not None:
        await _send(uow, customer, phone, text.hash, hash_code(text.text, code), code)
    else:
        await put_off(
            uow,
            Task.SEND_PHONE_CODE,
            phone,
            ticket=text.hash.hex(),
            code_hash=hash_code(text.text, code).hex(),
            code=uow.tools.sealer.seal(code),
        )
    return ticket


def _parse(uow: UnitOfWork, typed: str) -> str:
    """Return the number in E.164; national ones are read by the country of the site."""
    try:
        phone = parse_phone(typed, current_site(uow).country)
    except Refused as refusal:
        raise refuse(refusal.code, refusal.message, "phone") from refusal
    if not phone.startswith("+"):
        raise refuse(UserErrorCode.INVALID_PHONE, "Please enter the number with its country code.", "phone")
    return phone


async def _own(uow: UnitOfWork, phone: str) -> CustomerProfile:
    """Return the caller, whose number it is; a number that is to become a way in wants a fresh login."""
    customer = uow.caller.require_customer()
    if customer.contact_phone != phone:
        raise refuse(UserErrorCode.INVALID, "This is not the phone number of your profile.", "phone")
    if not is_phone_proved(customer):
        await require_recent(uow)
    return customer


async def send_login_phone_code(uow: UnitOfWork, phone: str, *, ticket: str, code_hash: str, code: str) -> None:
    """Do the rest of `request_phone_code`: look the number up, and have its customer sent the code."""
    credential = await uow.credentials.find_by_phone(phone)
    customer = await uow.customers.find(credential.customer_id) if credential is not None else None
    await record(uow, AuditAction.LOGIN_CODE_REQUESTED, customer.id if customer is not None else None)
    if customer is None or not is_phone_proved(customer) or await uow.customers.lock(customer.id) is None:
        return
    opened = uow.tools.sealer.open(code)
    await _send(uow, customer, phone, bytes.fromhex(ticket), bytes.fromhex(code_hash), opened)


async def send_step_phone_code(uow: UnitOfWork, customer: CustomerProfile, text: OpaqueToken, code: str) -> None:
    """Have the code of a login that goes on sent to the phone that the customer has proved."""
    if customer.verified_phone is not None:
        await _send(uow, customer, customer.verified_phone, text.hash, hash_code(text.text, code), code)


async def _send(
    uow: UnitOfWork, customer: CustomerProfile, phone: str, ticket_hash: bytes, code_hash: bytes, code: str
) -> None:
    """Have a code sent and let it count from now on, unless phone or customer had enough of them."""
    if not await _may_send(uow, phone, customer.id):
        return
    owner = {"customer_id": customer.id, "credential_version": customer.credential_version}
    if await uow.sign_in_tickets.note_sent(ticket_hash, code_hash, uow.now, **owner):
        ends = uow.now + timedelta(seconds=uow.tenant.login_code_seconds)
        await send_phone_code(uow, customer.id, phone, code, ends)


async def _may_send(uow: UnitOfWork, phone: str, customer_id: str) -> bool:
    """Count one more message, for the phone and for the customer: each costs the shop money."""
    limits = limits_of(uow)
    hour = Limit("texts.hour", limits.mails_per_recipient_per_hour, HOUR)
    day = Limit("texts.day", limits.mails_per_recipient_per_day, DAY)
    return all([await is_below(uow, limit, key) for limit in (hour, day) for key in (phone, customer_id)])


async def verify_phone_code(uow: UnitOfWork, attempt: Attempt) -> Proved:
    """Tell whose phone the code came to; CODE_INVALID, CODE_EXPIRED."""
    ticket = check_code(uow, attempt, SignInMethod.PHONE_CODE)
    if ticket.customer_id is None:
        raise wrong_code(attempt.field)
    return Proved(ticket.customer_id, Factor(SignInMethod.PHONE_CODE))


async def note_phone(uow: UnitOfWork, recipient: str | None) -> None:
    """Write down that the caller, who is locked, has proved the number of the profile; it signs in from now on.

    Whoever else had proved it has lost it by that. INVALID at `ticket` if the profile has another number by now.
    """
    customer = await uow.customers.find(uow.caller.require_customer().id)
    phone = uow.tools.sealer.open(recipient) if recipient is not None else None
    if customer is None or phone is None or customer.contact_phone != phone:
        raise refuse(UserErrorCode.INVALID, "The phone number was changed meanwhile: please begin again.", "ticket")
    await uow.credentials.release_phone(phone, customer.id)
    if not await uow.credentials.note_phone(customer.id, phone, uow.now):
        raise refuse(UserErrorCode.TAKEN, "Another customer has just proved this number.", "ticket")
    await record(uow, AuditAction.PHONE_VERIFIED, customer.id)
    await tell_added(uow, customer.id, WayIn(SignInMethod.PHONE_CODE, kept={"phone": uow.tools.sealer.seal(phone)}))
