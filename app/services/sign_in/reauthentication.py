"""A customer proves once more who they are, in a session that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.domain.audit import AuditAction
from app.domain.errors import DomainError, UnauthenticatedReason, UserErrorCode, refuse, unauthenticated
from app.domain.sign_in import Factor, SignInMethod
from app.models.sign_in_tickets import SignInTicket, TicketPurpose
from app.services.accounts.own_account import lock_own_account
from app.services.accounts.reauthentication import proving_methods, reauthentication_required
from app.services.audit import record
from app.services.limits import guard_one_time_token
from app.services.sessions.login_steps import find_ways_in
from app.services.sessions.methods_on import require_method
from app.services.sessions.tickets import count_try, find_ticket, invalid_ticket, use_ticket
from app.services.sign_in.attempts import Attempt
from app.services.sign_in.methods import CODES, VERIFIERS, pick_answer
from app.services.sign_in.phone_codes import note_phone
from app.services.sign_in.steps import offered_methods
from app.services.social.answers import ProviderAnswer
from app.services.social.identities import find_identity
from app.services.social.states import prove
from app.services.unit_of_work import UnitOfWork

_SOCIAL = "social"
_WITH_TICKET = CODES | {SignInMethod.PASSKEY}


async def prove_again(uow: UnitOfWork, ticket_text: str | None, answers: Mapping[str, Any]) -> datetime:
    """Take one more proof of who the caller is, and return when it was taken: now.

    It is added to what the session was opened with, and may raise its level. Who has TOTP or a passkey must use one of
    them, else REAUTHENTICATION_REQUIRED. The code to a phone that was not proved before proves the phone, and no more.
    REQUIRED, INVALID unless there is exactly one answer, and a ticket where one
    is needed; METHOD_OFF, PASSWORD_LOGIN_OFF; TICKET_INVALID; then what the method's verifier raises.
    """
    method, field, answer = pick_answer(answers)
    require_method(uow, method, field)
    customer = uow.caller.require_customer()
    ways = await find_ways_in(uow, customer)
    # A phone that is to be proved is none that the customer could sign in with.
    is_new_phone = method is SignInMethod.PHONE_CODE and not ways.phone
    if method not in proving_methods(uow, ways) and not is_new_phone:
        raise reauthentication_required(uow, ways)
    ticket = await _try_ticket(uow, method, field, ticket_text) if method in _WITH_TICKET else None
    attempt = Attempt(answer, field, customer.id, ticket, ticket_text or "")
    proof = await VERIFIERS[method](uow, attempt)
    if proof.customer_id != customer.id:
        raise invalid_ticket()
    await lock_own_account(uow)
    if ticket is not None:
        await use_ticket(uow, ticket)
    if is_new_phone:
        # A number that was not proved before proves nothing: whoever has the session may have written it.
        await note_phone(uow, ticket.recipient if ticket is not None else None)
        return uow.caller.require_principal().authenticated_at or uow.now
    await add_proof(uow, proof.factor)
    return uow.now


async def prove_at_provider(uow: UnitOfWork, answer: ProviderAnswer) -> datetime:
    """Take a new login at a provider, one of whose accounts is the caller's own, as one more proof, as `prove_again`.

    All errors are below `social`: those of `prove`; INVALID_CREDENTIALS for an account that is not linked to the
    caller; PROVIDER_REFUSED where the provider does not say that the login there was recent.
    """
    customer = uow.caller.require_customer()
    ways = await find_ways_in(uow, customer)
    if SignInMethod.SOCIAL not in proving_methods(uow, ways):
        raise reauthentication_required(uow, ways)
    try:
        provider, proof = await prove(uow, answer)
    except DomainError as error:
        raise DomainError(*(replace(each, field=(_SOCIAL, *each.field)) for each in error.errors)) from error
    identity = await find_identity(uow, provider, proof)
    if identity is None or identity.customer_id != customer.id:
        raise refuse(
            UserErrorCode.INVALID_CREDENTIALS, "This social account is not linked to yours.", _SOCIAL, "provider"
        )
    age = uow.now.timestamp() - proof.authenticated_at if proof.authenticated_at is not None else None
    if age is None or age > uow.tenant.reauthentication_seconds:
        raise refuse(
            UserErrorCode.PROVIDER_REFUSED, "The provider does not say that you have just logged in there.", _SOCIAL
        )
    await lock_own_account(uow)
    await add_proof(uow, Factor(SignInMethod.SOCIAL))
    return uow.now


async def _try_ticket(uow: UnitOfWork, method: SignInMethod, field: str, text: str | None) -> SignInTicket:
    if text is None:
        raise refuse(UserErrorCode.REQUIRED, "Please give the ticket that belongs to the answer.", "ticket")
    await guard_one_time_token(uow)
    code_field = field if method in CODES else None
    found = await find_ticket(uow, text, TicketPurpose.REAUTHENTICATION, code_field=code_field)
    if method not in await offered_methods(uow, found):
        raise invalid_ticket()
    return await count_try(uow, found)


async def add_proof(uow: UnitOfWork, factor: Factor) -> None:
    """Write down that the caller has just proved who they are in the session; lock the customer before."""
    principal = uow.caller.require_principal()
    session_id = principal.session_id or ""
    proved = principal.proved.and_also(factor)
    if await uow.sessions.change(session_id, authenticated_at=uow.now, factors=proved.text) is None:
        raise unauthenticated(UnauthenticatedReason.REVOKED)
    await record(uow, AuditAction.REAUTHENTICATION, principal.customer_id, method=factor.method.value)
