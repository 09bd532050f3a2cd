"""A login goes on with one more proof: then there are tokens, or the next step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.domain.audit import AuditAction
from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.passkeys import invalid_passkey
from app.domain.sign_in import TWO_FACTORS, Factors, SignInMethod
from app.models.credentials import Credential
from app.models.customers import CustomerProfile
from app.models.devices import Device
from app.models.sign_in_tickets import SignInTicket, TicketPurpose
from app.services.accounts.closed_accounts import lock_for_proof
from app.services.audit import record, record_failure
from app.services.limits import guard_one_time_token
from app.services.sessions.devices import add_device, find_device, known_device, remember_device
from app.services.sessions.guessing import Guess
from app.services.sessions.login_steps import LoginStep, begin_step
from app.services.sessions.methods_on import require_method
from app.services.sessions.repeated_calls import RepeatableCall
from app.services.sessions.sessions import LoggedIn, start_customer_session, tell_of_failures_before
from app.services.sessions.tickets import count_try, find_ticket, invalid_ticket, use_ticket
from app.services.sign_in.attempts import Attempt, Proved
from app.services.sign_in.methods import CODES, VERIFIERS, pick_answer
from app.services.sign_in.proofs import count_code_as_proof
from app.services.sign_in.steps import offered_methods
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class _Here:
    """What is known of the device: its token of an earlier login, and whether the customer wants it remembered."""

    device_token: str | None
    is_to_be_remembered: bool


async def complete_login(
    uow: UnitOfWork,
    ticket_text: str,
    answers: Mapping[str, Any],
    *,
    device_token: str | None = None,
    device_cookie: str | None = None,
    remember_device: bool = False,
) -> LoggedIn | LoginStep:
    """Take one answer to a ticket, and log its customer in, or return the next step with another ticket.

    REQUIRED, INVALID unless there is exactly one answer; METHOD_OFF, PASSWORD_LOGIN_OFF; TICKET_INVALID; then what the
    method's verifier raises, and ACCOUNT_INACTIVE, ACCOUNT_ON_HOLD, or INVALID_CREDENTIALS where the tenant does not
    want the answer to tell. `device_token` is what an earlier login has given; without it
    `device_cookie` counts, which the browser sends.
    """
    call = RepeatableCall(uow, "completeLogin", ticket_text, _as_text(answers), remember_device, device_token)
    return await call.answer(
        lambda: _complete(uow, call, ticket_text, answers, _Here(device_token or device_cookie, remember_device)),
        lambda kept: LoggedIn(kept.tokens, kept.owner),
    )


def _as_text(answers: Mapping[str, Any]) -> str:
    """Return the answers as one text; a passkey's is a stranger's JSON, with any number and text, and any depth."""
    try:
        return json.dumps(answers, sort_keys=True)
    except RecursionError:
        refusal = invalid_passkey()
        raise refuse(refusal.code, refusal.message, "passkey") from None


async def _complete(
    uow: UnitOfWork, call: RepeatableCall, ticket_text: str, answers: Mapping[str, Any], here: _Here
) -> LoggedIn | LoginStep:
    method, field, answer = pick_answer(answers)
    require_method(uow, method, field)
    await guard_one_time_token(uow)
    code_field = field if method in CODES else None
    found = await find_ticket(uow, ticket_text, TicketPurpose.LOGIN, code_field=code_field)
    if method not in await offered_methods(uow, found):
        raise invalid_ticket()
    ticket = await count_try(uow, found)
    proved = await VERIFIERS[method](uow, Attempt(answer, field, ticket.customer_id, ticket, ticket_text))
    outcome = await _go_on(uow, ticket, proved, here)
    if isinstance(outcome, LoggedIn):
        await call.keep(outcome.tokens)
    return outcome


async def _go_on(uow: UnitOfWork, ticket: SignInTicket, proof: Proved, here: _Here) -> LoggedIn | LoginStep:
    customer_id = proof.customer_id
    credential = await _lock(uow, ticket, proof)
    await use_ticket(uow, ticket)
    has_proved = proof.is_new or (proof.proves_email and await count_code_as_proof(uow, credential))
    proved = Factors.read(ticket.proved).and_also(proof.factor)
    customer = await uow.customers.find(customer_id)
    device = await find_device(uow, here.device_token)
    step = None
    if customer is not None:
        step = await begin_step(uow, customer, proved, device=device, identity_id=ticket.identity_id, data=ticket.data)
    if step is not None:
        return step
    if customer is None or not await uow.customers.note_login(customer_id, uow.now):
        raise _cannot_log_in(uow, customer, customer_id, durable=has_proved)
    await record(uow, AuditAction.LOGIN, customer_id, proved=proved.text)
    identity_id = ticket.identity_id
    if identity_id is not None and not await uow.social_identities.change(
        customer_id, identity_id, last_login_at=uow.now
    ):
        # The login has begun with it: whoever has unlinked it since has ended that, too.
        raise invalid_ticket()
    logged_in = await start_customer_session(
        uow,
        uow.caller.require_principal(),
        customer,
        proved,
        identity_id=ticket.identity_id,
        passkey_id=proof.passkey_id,
    )
    if SignInMethod.PASSWORD in proved.methods:
        known_as = ticket.data.get("device") or known_device(customer_id, device).get("device")
        guess = Guess(credential.email or customer_id, "", None, customer_id, known_as)
        await tell_of_failures_before(uow, guess, customer)
    device_token = await _know_device(uow, ticket, customer_id, proved, device, here)
    return replace(logged_in, tokens=replace(logged_in.tokens, device_token=device_token))


async def _lock(uow: UnitOfWork, ticket: SignInTicket, proof: Proved) -> Credential:
    """Lock the customer, and return the credential as it was when the ticket was made; TICKET_INVALID."""
    if proof.proves_email:
        customer = await lock_for_proof(uow, proof.customer_id)
    else:
        customer = await uow.customers.lock(proof.customer_id)
    credential = await uow.credentials.find(proof.customer_id)
    if customer is None or credential is None:
        raise invalid_ticket()
    if ticket.credential_version is not None and ticket.credential_version != credential.version:
        raise invalid_ticket()
    return credential


def _cannot_log_in(
    uow: UnitOfWork, customer: CustomerProfile | None, customer_id: str, *, durable: bool
) -> DomainError:
    """Return the error for a customer who proved who they are and may not log in; `durable` as in `DomainError`."""
    code, message = UserErrorCode.INVALID_CREDENTIALS, "No customer can log in here."
    if customer is not None and uow.tenant.login_tells_status:
        if not customer.active:
            code, message = UserErrorCode.ACCOUNT_INACTIVE, "This account is not active: please contact the shop."
        elif customer.on_hold:
            code, message = UserErrorCode.ACCOUNT_ON_HOLD, "This account is on hold: please contact the shop."
    record_failure(uow, AuditAction.LOGIN, customer_id, reason=code.value)
    return refuse(code, message, durable=durable)


async def _know_device(
    uow: UnitOfWork, ticket: SignInTicket, customer_id: str, proved: Factors, device: Device | None, here: _Here
) -> str:
    """Return the token by which the account knows the device from now on.

    After two factors it is a new one, in place of one that the login began with. After one it is that one, as it was:
    only who has given a second factor can have it spared.
    """
    if proved.level != TWO_FACTORS:
        return await remember_device(uow, customer_id, device, here.device_token)
    so_far = known_device(customer_id, device).get("device") or ticket.data.get("device")
    if so_far is not None:
        await uow.devices.delete(bytes.fromhex(so_far), customer_id)
    is_trusted = here.is_to_be_remembered and uow.tenant.remember_device_days > 0
    return await add_device(uow, customer_id, is_trusted=is_trusted)
