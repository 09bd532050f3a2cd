"""New passkeys: of a customer who is logged in, or of one whose login needs a second factor first."""

from __future__ import annotations

from typing import Any

from app.domain.devices import describe_device
from app.domain.errors import DomainError, Refused, UnauthenticatedReason, UserErrorCode, refuse, unauthenticated
from app.domain.passkeys import PASSKEY_NAME_LENGTH, NewKey, PasskeyUser, invalid_passkey
from app.domain.principal import TokenKind
from app.domain.sign_in import SignInMethod
from app.models.customers import CustomerProfile
from app.models.passkeys import Passkey
from app.models.sign_in_tickets import SignInTicket, TicketPurpose
from app.services.accounts.own_account import lock_own_account
from app.services.accounts.passkeys import check_name
from app.services.accounts.reauthentication import require_recent
from app.services.accounts.sign_in_changes import WayIn, tell_added
from app.services.limits import guard_one_time_token, guard_passkey_ceremony
from app.services.sessions.methods_on import require_method
from app.services.sessions.tickets import count_try, find_ticket, invalid_ticket, issue_ticket, use_ticket
from app.services.sign_in.passkeys import (
    Asked,
    BegunCeremony,
    keys_of,
    put_challenge,
    relying_party,
    seconds_left,
    user_handle,
)
from app.services.sign_in.steps import enrolling_customer
from app.services.unit_of_work import UnitOfWork

_NAMELESS = "Passkey"


async def begin_passkey_registration(uow: UnitOfWork, ticket_text: str | None) -> BegunCeremony:
    """Return what a browser makes a passkey by: for the caller, or with the ticket of a login that needs a factor.

    METHOD_OFF; REAUTHENTICATION_REQUIRED of a caller whose login is not fresh; TICKET_INVALID; LIMIT_REACHED.
    """
    require_method(uow, SignInMethod.PASSKEY)
    await guard_passkey_ceremony(uow)
    if uow.caller.require_principal().kind is TokenKind.CUSTOMER:
        return await _begin_own(uow, ticket_text)
    step, customer = await _enrolling(uow, ticket_text)
    asked = await _ask(uow, customer, seconds_left(uow, step))
    return await put_challenge(uow, step, ticket_text or "", asked)


async def _begin_own(uow: UnitOfWork, ticket_text: str | None) -> BegunCeremony:
    if ticket_text is not None:
        raise invalid_ticket()
    customer = await require_recent(uow)
    await _check_number(uow, customer.id)
    asked = await _ask(uow, customer, uow.tenant.ticket_seconds)
    ticket = await issue_ticket(
        uow,
        TicketPurpose.PASSKEY_REGISTRATION,
        customer_id=customer.id,
        credential_version=customer.credential_version,
        challenge=asked.challenge,
    )
    return BegunCeremony(ticket.text, asked.options, ticket.expires_in)


async def _ask(uow: UnitOfWork, customer: CustomerProfile, seconds: int) -> Asked:
    known, challenge = await keys_of(uow, customer.id), uow.tools.random.secret()
    options = await uow.tools.passkeys.creation_options(relying_party(uow), _user(customer), challenge, known, seconds)
    return Asked(challenge, options)


def _user(customer: CustomerProfile) -> PasskeyUser:
    name = customer.email or customer.contact_email or customer.contact_phone or customer.customer_number
    full_name = " ".join(filter(None, (customer.first_name, customer.last_name)))
    return PasskeyUser(user_handle(customer.id), name, full_name or name)


async def _enrolling(uow: UnitOfWork, ticket_text: str | None) -> tuple[SignInTicket, CustomerProfile]:
    if ticket_text is None:
        raise refuse(UserErrorCode.REQUIRED, "Please give the ticket of the login, or log in first.", "ticket")
    return await enrolling_customer(uow, ticket_text)


async def register_passkey(uow: UnitOfWork, ticket_text: str, credential: Any, name: str | None) -> Passkey:
    """Keep the passkey that a browser has made; without a name it is called after the device.

    METHOD_OFF; REQUIRED, INVALID, TOO_LONG at `name`; TICKET_INVALID; PASSKEY_INVALID; LIMIT_REACHED.
    """
    require_method(uow, SignInMethod.PASSKEY)
    shown = check_name(name) if name is not None else describe_device(uow.caller.facts.user_agent) or _NAMELESS
    await guard_one_time_token(uow)
    is_own = uow.caller.require_principal().kind is TokenKind.CUSTOMER
    if is_own:
        found = await find_ticket(uow, ticket_text, TicketPurpose.PASSKEY_REGISTRATION)
    else:
        found, _ = await _enrolling(uow, ticket_text)
    ticket = await count_try(uow, found)
    customer_id, challenge = ticket.customer_id, ticket.challenge
    if customer_id is None or challenge is None:
        raise invalid_ticket()
    party = relying_party(uow)
    try:
        key = await uow.tools.passkeys.verify_registration(party, challenge, credential)
    except Refused as refusal:
        raise _refused(refusal) from refusal
    await _lock(uow, ticket, is_own=is_own)
    await _use(uow, ticket, challenge, is_own=is_own)
    await _check_number(uow, customer_id)
    passkey = _passkey(uow, customer_id, party.id, shown[:PASSKEY_NAME_LENGTH], key)
    if not await uow.passkeys.add_unless_taken(passkey):
        raise _refused(invalid_passkey())
    await tell_added(uow, customer_id, WayIn(SignInMethod.PASSKEY, passkey.id))
    return passkey


async def _lock(uow: UnitOfWork, ticket: SignInTicket, *, is_own: bool) -> None:
    """Lock the customer, whose credential must be as it was when the ticket was made."""
    customer_id = ticket.customer_id or ""
    if is_own:
        if (await lock_own_account(uow)).id != customer_id:
            raise invalid_ticket()
    elif await uow.customers.lock(customer_id) is None:
        raise unauthenticated(UnauthenticatedReason.REVOKED)
    credential = await uow.credentials.find(customer_id)
    if credential is None or credential.version != ticket.credential_version:
        raise invalid_ticket()


async def _use(uow: UnitOfWork, ticket: SignInTicket, challenge: bytes, *, is_own: bool) -> None:
    """Use the challenge up: with its ticket, or alone where the login goes on with that. Of many at once, one can."""
    if is_own:
        await use_ticket(uow, ticket)
    elif not await uow.sign_in_tickets.use_challenge(ticket.ticket_hash, challenge, uow.now):
        raise invalid_ticket()


async def _check_number(uow: UnitOfWork, customer_id: str) -> None:
    most = uow.tenant.limits.passkeys_per_customer
    if len(await uow.passkeys.list(customer_id)) >= most:
        raise refuse(UserErrorCode.LIMIT_REACHED, f"There are {most} passkeys already: delete one first.")


def _passkey(uow: UnitOfWork, customer_id: str, rp_id: str, name: str, key: NewKey) -> Passkey:
    return Passkey(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        customer_id=customer_id,
        credential_id=key.credential_id,
        public_key=key.public_key,
        rp_id=rp_id,
        name=name,
        sign_count=key.sign_count,
        is_synced=key.is_synced,
        backed_up=key.backed_up,
        transports=list(key.transports),
        aaguid=key.aaguid,
        created_at=uow.now,
    )


def _refused(refusal: Refused) -> DomainError:
    return refuse(refusal.code, refusal.message, "credential")
