"""Tickets: what a session holds while a sign-in, or the enrolment of a way in, goes on.

A ticket is an opaque token, stored as its hash, and good in the session that got it, for one purpose, for
`ticket_seconds`, for a few tries. The database decides which of several answers uses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.sign_in import Factors
from app.domain.tokens import OpaqueToken, TokenPrefix, hash_token, read_prefix
from app.models.sign_in_tickets import SignInTicket, TicketPurpose
from app.services.unit_of_work import UnitOfWork

CODE_DIGITS = 6


@dataclass(frozen=True, slots=True, repr=False)
class IssuedTicket:
    """A ticket, which is given out once, and its lifetime in whole seconds from now."""

    text: str
    expires_in: int


async def issue_ticket(
    uow: UnitOfWork,
    purpose: TicketPurpose,
    *,
    customer_id: str | None = None,
    credential_version: int | None = None,
    proved: Factors = Factors(),  # noqa: B008 - immutable
    text: OpaqueToken | None = None,
    **columns: Any,
) -> IssuedTicket:
    """Make a ticket for the caller's session; `columns` are further ones of its row (see `SignInTicket`).

    `text` is that of `new_ticket`, where a code had to be hashed with it before.
    """
    token = text or new_ticket(uow)
    lifetime = timedelta(seconds=uow.tenant.ticket_seconds)
    await uow.sign_in_tickets.add(
        SignInTicket(
            tenant_id=uow.tenant.id,
            ticket_hash=token.hash,
            purpose=purpose.value,
            session_id=session_id_of(uow),
            customer_id=customer_id,
            credential_version=credential_version,
            proved=proved.text or None,
            created_at=uow.now,
            expires_at=uow.now + lifetime,
            **columns,
        )
    )
    return IssuedTicket(token.text, int(lifetime.total_seconds()))


def new_ticket(uow: UnitOfWork) -> OpaqueToken:
    """Return the text of a ticket that is to be issued."""
    return OpaqueToken.of_tenant(TokenPrefix.SIGN_IN_TICKET, uow.tenant.id, uow.tools.random.secret())


async def find_ticket(
    uow: UnitOfWork, text: str, *purposes: TicketPurpose, code_field: str | None = None
) -> SignInTicket:
    """Return the open ticket of this text that the caller's session got for one of these purposes.

    TICKET_INVALID at `ticket` for any other; one that is over is CODE_EXPIRED at `code_field`, where a code is given.
    No try is counted.
    """
    ticket = None
    if read_prefix(text) is TokenPrefix.SIGN_IN_TICKET:
        ticket = await uow.sign_in_tickets.find(hash_token(text), session_id_of(uow))
    if ticket is None or ticket.purpose not in purposes or ticket.used_at is not None:
        raise invalid_ticket()
    if ticket.expires_at <= uow.now:
        raise expired_code(code_field) if code_field is not None else invalid_ticket()
    return ticket


async def count_try(uow: UnitOfWork, ticket: SignInTicket) -> SignInTicket:
    """Count one more try, which stays counted whatever comes of it, and return the ticket as it is then.

    TICKET_INVALID when there were enough. It is a transaction of its own, and no other may have begun.
    """
    most = uow.tenant.limits.one_time_token_tries_per_flow
    async with uow.beside() as counting:
        counted = await counting.sign_in_tickets.count_try(ticket.ticket_hash, ticket.session_id, most, counting.now)
    if counted is None:
        raise invalid_ticket()
    return counted


async def use_ticket(uow: UnitOfWork, ticket: SignInTicket) -> None:
    """Use the ticket up, or raise TICKET_INVALID: of many at once, one succeeds. Lock the customer first."""
    if not await uow.sign_in_tickets.claim(ticket.ticket_hash, ticket.session_id, uow.now):
        raise invalid_ticket()


def hash_code(ticket_text: str, code: str) -> bytes:
    """Return the hash of a code that belongs to a ticket; blanks in the code do not count."""
    return sha256(f"{ticket_text}:{''.join(code.split())}".encode()).digest()


def is_code(ticket: SignInTicket, ticket_text: str, code: str) -> bool:
    """Tell whether this is the code of the ticket, and was sent."""
    if ticket.code_hash is None:
        return False
    return compare_digest(hash_code(ticket_text, code), ticket.code_hash) and ticket.code_sent_at is not None


def invalid_ticket() -> DomainError:
    """Return TICKET_INVALID."""
    return refuse(UserErrorCode.TICKET_INVALID, "This no longer works: please begin again.", "ticket")


def expired_code(*field: str) -> DomainError:
    """Return CODE_EXPIRED."""
    return refuse(UserErrorCode.CODE_EXPIRED, "This code is too old: please ask for another one.", *field)


def wrong_code(*field: str) -> DomainError:
    """Return CODE_INVALID."""
    return refuse(UserErrorCode.CODE_INVALID, "This is not the code: please try again.", *field)


def session_id_of(uow: UnitOfWork) -> str:
    """Return the caller's session, which a ticket belongs to."""
    return uow.caller.require_principal().session_id or ""
