"""What is missing after one proof of who somebody is: nothing, or one more method, which a ticket waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.anonymizations import is_closed
from app.domain.audit import AuditAction
from app.domain.sign_in import Factors, SignInMethod, WaysIn, next_methods
from app.models.customers import CustomerProfile
from app.models.devices import Device
from app.models.sign_in_tickets import TicketPurpose
from app.services.audit import record
from app.services.outgoing.mails import current_site
from app.services.sessions.devices import is_trusted, known_device
from app.services.sessions.login_codes import code_columns, mail_step_code, new_code
from app.services.sessions.tickets import issue_ticket, new_ticket
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class LoginStep:
    """One more proof is needed: by one of the methods, with the ticket, within so many seconds."""

    ticket: str
    methods: tuple[SignInMethod, ...]
    expires_in: int


async def find_ways_in(uow: UnitOfWork, customer: CustomerProfile) -> WaysIn:
    """Return what a customer can sign in with on this site, by one statement."""
    passkeys, totp, recovery_codes, social = await uow.ways_in.count(customer.id, current_site(uow).relying_party_id)
    return WaysIn(
        password=customer.has_password,
        email=customer.email is not None,
        phone=is_phone_proved(customer),
        passkeys=passkeys,
        totp=totp > 0,
        recovery_codes=recovery_codes,
        social=social,
    )


def is_phone_proved(customer: CustomerProfile) -> bool:
    """Tell whether the customer has proved the phone number that the profile has today."""
    return customer.verified_phone is not None and customer.verified_phone == customer.contact_phone


async def missing_methods(
    uow: UnitOfWork, customer: CustomerProfile, proved: Factors
) -> tuple[SignInMethod, ...] | None:
    """Return which methods would complete a login; None where it is complete, as `next_methods` tells."""
    tenant = uow.tenant
    if next_methods(tenant.require_second_factor, (), WaysIn(totp=True), proved, marked=True) is None:
        return None
    ways = await find_ways_in(uow, customer)
    marked = customer.second_factor_required
    return next_methods(tenant.require_second_factor, tenant.sign_in_methods, ways, proved, marked=marked)


async def begin_step(
    uow: UnitOfWork,
    customer: CustomerProfile,
    proved: Factors,
    *,
    device: Device | None = None,
    identity_id: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> LoginStep | None:
    """Return the step that a login still needs, with a ticket for it; None where it is complete.

    Also None for who may not log in at all, which is told elsewhere. `device` is one that the customer has logged in on
    before; a trusted one stands for the second factor, another gives way to a new one when the login is complete.
    `data` is what the ticket keeps for the last step beside it.
    Where a mailed code is the first choice, it is mailed at once.
    """
    if not customer.active or customer.on_hold or is_closed(customer.anonymization_status):
        return None
    if is_trusted(uow, customer.id, device):
        return None
    methods = await missing_methods(uow, customer, proved)
    if methods is None:
        return None
    text, code = new_ticket(uow), None
    columns: dict[str, Any] = {
        "identity_id": identity_id,
        "data": {**known_device(customer.id, device), **(data or {})},
    }
    if methods[:1] == (SignInMethod.EMAIL_CODE,):
        code = new_code(uow)
        columns |= code_columns(uow, SignInMethod.EMAIL_CODE, text, code)
    ticket = await issue_ticket(
        uow,
        TicketPurpose.LOGIN,
        customer_id=customer.id,
        credential_version=customer.credential_version,
        proved=proved,
        text=text,
        **columns,
    )
    if code is not None:
        await mail_step_code(uow, customer, text, code)
    await record(uow, AuditAction.LOGIN_STEP, customer.id, proved=proved.text)
    return LoginStep(ticket.text, methods, ticket.expires_in)
