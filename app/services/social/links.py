"""Links that wait for a confirmation: the owner of the address gives the password or the mailed code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest

from app.domain.audit import AuditAction
from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.social import SocialProof
from app.domain.tenants import SocialProvider
from app.domain.tokens import OpaqueToken, TokenPrefix, hash_token
from app.models.credentials import Credential
from app.models.social import LinkTicket, SocialIdentity
from app.services.audit import record_failure
from app.services.limits import guard_one_time_token, may_mail
from app.services.outgoing.mails import send_mail
from app.services.outgoing.social_tokens import seal_refresh_token
from app.services.sessions.guessing import Guess, verify_password
from app.services.sessions.login_steps import LoginStep
from app.services.sessions.methods_on import require_password_login
from app.services.sessions.repeated_calls import RepeatableCall
from app.services.sessions.sessions import LoggedIn
from app.services.social.identities import log_in, tell_linked
from app.services.unit_of_work import UnitOfWork

CODE_DIGITS = 8


@dataclass(frozen=True, slots=True, repr=False)
class LinkConfirmation:
    """What the client confirms the link with, beside the password or the mailed code; `error` says why."""

    ticket: str
    error: DomainError


async def require_confirmation(
    uow: UnitOfWork, owner: Credential, provider: SocialProvider, proof: SocialProof
) -> LinkConfirmation:
    """Keep the proven identity for the session, and mail a code to the customer whose address it is."""
    email = owner.email or ""
    ticket = OpaqueToken.of_tenant(TokenPrefix.LINK_TICKET, uow.tenant.id, uow.tools.random.secret())
    code = uow.tools.random.digits(CODE_DIGITS)
    await uow.link_tickets.add(
        LinkTicket(
            tenant_id=uow.tenant.id,
            ticket_hash=ticket.hash,
            session_id=uow.caller.require_principal().session_id or "",
            customer_id=owner.customer_id,
            credential_version=owner.version,
            provider=provider.provider,
            issuer=proof.issuer,
            subject=proof.subject,
            email=email,
            code_hash=_hash_code(ticket.text, code),
            sealed_refresh_token=seal_refresh_token(uow, provider, proof.refresh_token),
            created_at=uow.now,
            expires_at=uow.now + timedelta(seconds=uow.tenant.social_state_seconds),
        )
    )
    if await may_mail(uow, email):
        customer = await uow.customers.find(owner.customer_id)
        language = customer.preferred_language if customer else None
        await send_mail(
            uow, "link_confirmation", owner.customer_id, email, language=language, code=code, provider=provider.name
        )
    message = (
        "There is an account with this e-mail address: confirm with its password, or with the code that we mailed."
    )
    return LinkConfirmation(ticket.text, refuse(UserErrorCode.LINK_CONFIRMATION_REQUIRED, message))


async def confirm_social_link(
    uow: UnitOfWork,
    ticket_text: str,
    password: str | None,
    code: str | None,
    device_token: str | None = None,
    *,
    device_cookie: str | None = None,
) -> LoggedIn | LoginStep:
    """Link the identity that waits with a ticket, and log its customer in.

    `device_token` is what an earlier login has given; without it `device_cookie` counts, which the browser sends.
    TOKEN_INVALID, TOKEN_EXPIRED at `ticket`; REQUIRED, INVALID_CREDENTIALS at `password`, INVALID at `code`; then as
    `log_in` tells.
    """
    call = RepeatableCall(uow, "confirmSocialLink", ticket_text, password, code, device_token)
    return await call.answer(
        lambda: _confirm(uow, call, ticket_text, password, code, device_token or device_cookie),
        lambda kept: LoggedIn(kept.tokens, kept.owner),
    )


async def _confirm(
    uow: UnitOfWork,
    call: RepeatableCall,
    ticket_text: str,
    password: str | None,
    code: str | None,
    device_token: str | None,
) -> LoggedIn | LoginStep:
    if password is not None:
        require_password_login(uow, "password")
    if (password is None) == (code is None):
        raise refuse(UserErrorCode.REQUIRED, "Please give either the password or the mailed code.", "password")
    await guard_one_time_token(uow)
    ticket = await _count_try(uow, ticket_text)
    provider = uow.tenant.find_social_provider(ticket.provider)
    credential = await uow.credentials.find(ticket.customer_id)
    if provider is None or credential is None or credential.version != ticket.credential_version:
        raise _invalid_ticket()
    if password is not None:
        await _check_password(uow, ticket, credential, password)
    elif not compare_digest(_hash_code(ticket_text, "".join((code or "").split())), ticket.code_hash):
        raise refuse(UserErrorCode.INVALID, "This is not the code from the mail.", "code")
    identity = await _link(uow, ticket)
    await tell_linked(uow, provider, identity)
    logged_in = await log_in(uow, identity, device_token=device_token)
    if isinstance(logged_in, LoggedIn):
        await call.keep(logged_in.tokens)
    return logged_in


async def _count_try(uow: UnitOfWork, ticket_text: str) -> LinkTicket:
    """Return the ticket. The try stays counted, whatever the result."""
    ticket_hash, session_id = hash_token(ticket_text), uow.caller.require_principal().session_id or ""
    most = uow.tenant.limits.one_time_token_tries_per_flow
    async with uow.beside() as counting:
        counted = await counting.link_tickets.count_try(ticket_hash, session_id, most, counting.now)
        ticket = await counting.link_tickets.find(ticket_hash, session_id)
    if ticket is not None and counted:
        return ticket
    if ticket is not None and ticket.used_at is None and ticket.expires_at <= uow.now:
        raise refuse(UserErrorCode.TOKEN_EXPIRED, "This took too long. Please begin again.", "ticket")
    raise _invalid_ticket()


async def _check_password(uow: UnitOfWork, ticket: LinkTicket, credential: Credential, password: str) -> None:
    guess = Guess(ticket.email, password, credential.password_hash, ticket.customer_id)
    if not await verify_password(uow, guess):
        record_failure(uow, AuditAction.SOCIAL_LINKED, ticket.customer_id, reason=UserErrorCode.INVALID_CREDENTIALS)
        raise refuse(UserErrorCode.INVALID_CREDENTIALS, "The password is not right.", "password")


async def _link(uow: UnitOfWork, ticket: LinkTicket) -> SocialIdentity:
    """Write the identity of a confirmed ticket, unless something has changed since it was confirmed."""
    customer = await uow.customers.lock(ticket.customer_id)
    credential = await uow.credentials.find(ticket.customer_id)
    if customer is None or credential is None or credential.version != ticket.credential_version:
        raise _invalid_ticket()
    identity = SocialIdentity(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        customer_id=ticket.customer_id,
        provider=ticket.provider,
        issuer=ticket.issuer,
        subject=ticket.subject,
        email=ticket.email,
        email_verified=True,
        sealed_refresh_token=ticket.sealed_refresh_token,
        created_at=uow.now,
    )
    if not await uow.link_tickets.claim(ticket.ticket_hash, uow.now):
        raise _invalid_ticket()
    if not await uow.social_identities.add_unless_taken(identity):
        raise _invalid_ticket()
    return identity


def _hash_code(ticket_text: str, code: str) -> bytes:
    return sha256(f"{ticket_text}:{code}".encode()).digest()


def _invalid_ticket() -> DomainError:
    return refuse(
        UserErrorCode.TOKEN_INVALID,
        "It is too late to confirm this link: please begin the social login again.",
        "ticket",
    )
