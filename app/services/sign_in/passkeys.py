"""Passkeys as an answer: what a browser is asked before, and who has answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.audit import AuditAction
from app.domain.errors import DomainError, Refused, refuse
from app.domain.passkeys import KeyUse, KnownKey, RelyingParty, StoredKey, invalid_passkey, read_credential_id
from app.domain.principal import TokenKind
from app.domain.sign_in import HARDWARE_KEY, SOFTWARE_KEY, Factor, SignInMethod
from app.models.passkeys import Passkey
from app.models.sign_in_tickets import SignInTicket, TicketPurpose
from app.services.audit import record_failure
from app.services.limits import guard_passkey_ceremony
from app.services.outgoing.mails import current_site
from app.services.sessions.methods_on import require_method
from app.services.sessions.tickets import invalid_ticket, issue_ticket
from app.services.sign_in.attempts import Attempt, Proved
from app.services.sign_in.steps import open_step
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class BegunCeremony:
    """What the browser is to be asked (WebAuthn Level 3, as JSON), and the ticket that its answer is good with."""

    ticket: str
    options: dict[str, Any]
    expires_in: int


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """A challenge, and the options that have it. They are made before anything is written: that may take a while."""

    challenge: bytes
    options: dict[str, Any]


async def begin_passkey_login(uow: UnitOfWork, ticket_text: str | None) -> BegunCeremony:
    """Return what a browser finds a passkey by.

    Without a ticket, and of a stranger, that is any passkey of the site: the answer is the same for everybody. With the
    ticket of a login that goes on it is one of that customer's, and with a customer's token, for `reauthenticate`, one
    of the caller's own. METHOD_OFF; TICKET_INVALID for a ticket that cannot go on by a passkey.
    """
    require_method(uow, SignInMethod.PASSKEY, *(["ticket"] if ticket_text is not None else []))
    await guard_passkey_ceremony(uow)
    if uow.caller.require_principal().kind is TokenKind.CUSTOMER:
        return await _begin_own(uow, ticket_text)
    if ticket_text is not None:
        return await _begin_step(uow, ticket_text)
    asked = await _ask(uow, (), uow.tenant.ticket_seconds)
    ticket = await issue_ticket(uow, TicketPurpose.LOGIN, challenge=asked.challenge)
    return BegunCeremony(ticket.text, asked.options, ticket.expires_in)


async def _begin_step(uow: UnitOfWork, ticket_text: str) -> BegunCeremony:
    step = await open_step(uow, ticket_text, SignInMethod.PASSKEY)
    asked = await _ask(uow, await keys_of(uow, step.customer_id or ""), seconds_left(uow, step))
    return await put_challenge(uow, step, ticket_text, asked)


async def _begin_own(uow: UnitOfWork, ticket_text: str | None) -> BegunCeremony:
    if ticket_text is not None:
        raise invalid_ticket()
    customer = uow.caller.require_customer()
    asked = await _ask(uow, await keys_of(uow, customer.id), uow.tenant.ticket_seconds)
    ticket = await issue_ticket(
        uow,
        TicketPurpose.REAUTHENTICATION,
        customer_id=customer.id,
        credential_version=customer.credential_version,
        challenge=asked.challenge,
    )
    return BegunCeremony(ticket.text, asked.options, ticket.expires_in)


async def _ask(uow: UnitOfWork, known: Sequence[KnownKey], seconds: int) -> Asked:
    challenge = uow.tools.random.secret()
    return Asked(challenge, await uow.tools.passkeys.request_options(relying_party(uow), challenge, known, seconds))


async def put_challenge(uow: UnitOfWork, step: SignInTicket, ticket_text: str, asked: Asked) -> BegunCeremony:
    """Have the ticket of a login that goes on wait for the answer to this challenge; TICKET_INVALID if it is over."""
    waits = await uow.sign_in_tickets.change(step.ticket_hash, step.session_id, uow.now, challenge=asked.challenge)
    if waits is None:
        raise invalid_ticket()
    return BegunCeremony(ticket_text, asked.options, seconds_left(uow, step))


def seconds_left(uow: UnitOfWork, ticket: SignInTicket) -> int:
    """Return how long a ticket lives, in whole seconds."""
    return int((ticket.expires_at - uow.now).total_seconds())


async def verify_passkey(uow: UnitOfWork, attempt: Attempt) -> Proved:
    """Tell whose passkey has answered, and count its use; PASSKEY_INVALID."""
    ticket = attempt.ticket
    if ticket is None or ticket.challenge is None:
        raise invalid_ticket()
    try:
        passkey, use = await _verify(uow, attempt, ticket.challenge)
    except Refused as refusal:
        raise _refused(uow, attempt, refusal) from refusal
    # The customer's row first, as everywhere, so that nobody waits for each other.
    await uow.customers.lock(passkey.customer_id)
    if not await uow.passkeys.note_use(passkey, use.sign_count, backed_up=use.backed_up, last_used_at=uow.now):
        raise _refused(uow, attempt, invalid_passkey())
    word = SOFTWARE_KEY if passkey.is_synced else HARDWARE_KEY
    return Proved(passkey.customer_id, Factor(SignInMethod.PASSKEY, word), passkey_id=passkey.id)


async def _verify(uow: UnitOfWork, attempt: Attempt, challenge: bytes) -> tuple[Passkey, KeyUse]:
    passkey = await uow.passkeys.find_by_credential(read_credential_id(attempt.answer))
    party = relying_party(uow)
    if passkey is None or passkey.rp_id != party.id or attempt.customer_id not in (None, passkey.customer_id):
        raise invalid_passkey()
    key = StoredKey(
        public_key=passkey.public_key,
        sign_count=passkey.sign_count,
        is_synced=passkey.is_synced,
        handle=user_handle(passkey.customer_id),
        must_name_owner=attempt.customer_id is None,
    )
    return passkey, await uow.tools.passkeys.verify_use(party, challenge, attempt.answer, key)


def _refused(uow: UnitOfWork, attempt: Attempt, refusal: Refused) -> DomainError:
    record_failure(uow, AuditAction.LOGIN, attempt.customer_id, reason=refusal.code.value)
    return refuse(refusal.code, refusal.message, attempt.field)


async def keys_of(uow: UnitOfWork, customer_id: str) -> tuple[KnownKey, ...]:
    """Return the passkeys that a customer has for the caller's site, as a browser is told of them."""
    party_id = current_site(uow).relying_party_id
    every = await uow.passkeys.list(customer_id)
    return tuple(KnownKey(each.credential_id, tuple(each.transports)) for each in every if each.rp_id == party_id)


def relying_party(uow: UnitOfWork) -> RelyingParty:
    """Return who asks for passkeys on the caller's site."""
    site = current_site(uow)
    return RelyingParty(site.relying_party_id, uow.tenant.name, site.origins_of_passkeys)


def user_handle(customer_id: str) -> bytes:
    """Return what an authenticator keeps to know the account by (WebAuthn Level 3 section 5.4.3): nothing personal."""
    return customer_id.encode()
