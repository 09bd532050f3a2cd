"""Sessions: anonymous start, login, logout, and the list of open sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from app.domain.audit import AuditAction
from app.domain.devices import describe_device
from app.domain.errors import UnauthenticatedReason, UserErrorCode, refuse, unauthenticated
from app.domain.principal import Principal, TokenKind
from app.domain.releases import KNOWS_VISITS
from app.domain.sign_in import Factors, SignInMethod
from app.domain.tenants import Site
from app.domain.tokens import visit_tokens
from app.domain.topics import Topic
from app.domain.visit_ids import visit_id_at
from app.models.customers import CustomerProfile
from app.models.devices import Device
from app.models.sessions import Session
from app.models.visits import Visit, access_token_end, session_of, visit_end
from app.services.audit import record
from app.services.limits import guard_anonymous_login
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_security_mail
from app.services.sessions.devices import find_device, remember_device
from app.services.sessions.guessing import Guess, ends_failures, verify_password
from app.services.sessions.login_steps import LoginStep, begin_step
from app.services.sessions.methods_on import require_password_login
from app.services.sessions.password_hooks import is_elsewhere, is_right_elsewhere
from app.services.sessions.refused_logins import (
    LoginAttempt,
    begin_login,
    failed_login,
    invalid_credentials,
    note_refusal,
)
from app.services.sessions.repeated_calls import RepeatableCall
from app.services.sessions.token_sets import Pair, TokenSet, issue_tokens, session_end, token_set
from app.services.unit_of_work import UnitOfWork

USER_AGENT_LENGTH = 255


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A customer who has just logged in."""

    tokens: TokenSet
    customer: CustomerProfile


async def anonymous_login(uow: UnitOfWork, client_id: str, site: str | None) -> TokenSet:
    """Begin an anonymous session for a storefront; nothing about the person is stored. INVALID at client or site."""
    uow.ignore_token()
    registered = uow.tools.tenants.find_client(client_id)
    if registered is None or not registered[1].is_storefront:
        raise refuse(UserErrorCode.INVALID, "There is no storefront client with this id.", "clientId")
    tenant, client = registered
    found = tenant.find_site(site) if site else None
    if site and found is None:
        raise refuse(UserErrorCode.INVALID, "The shop has no site with this id.", "site")
    uow.enter(tenant)
    uow.hear(client.id)
    await guard_anonymous_login(uow)
    if await uow.tools.database.is_served_from(KNOWS_VISITS):
        return await _begin_visit(uow, client.id, found)
    session = Session(
        tenant_id=tenant.id,
        id=uow.tools.random.new_id(),
        kind=TokenKind.ANONYMOUS.value,
        client_id=client.id,
        site=found.id if found else None,
        created_at=uow.now,
        last_used_at=uow.now,
        expires_at=session_end(uow, TokenKind.ANONYMOUS),
    )
    await uow.sessions.add(session)
    return await issue_tokens(uow, session, None)


async def _begin_visit(uow: UnitOfWork, client_id: str, site: Site | None) -> TokenSet:
    """Write the one row that an anonymous session is until something is written on its behalf."""
    random, tenant = uow.tools.random, uow.tenant
    visit_id = visit_id_at(uow.now, random.secret())
    access, refresh = visit_tokens(tenant.id, visit_id, random.secret())
    visit = Visit(
        tenant_id=tenant.id,
        id=visit_id,
        client_id=client_id,
        site=site.id if site else None,
        token_hash=access.hash,
    )
    await uow.visits.add(visit)
    pair = Pair(access.text, access_token_end(visit, tenant), refresh.text, visit_end(visit, tenant))
    return token_set(uow, session_of(visit, tenant), None, pair)


async def login(
    uow: UnitOfWork, email: str, password: str, device_token: str | None = None, *, device_cookie: str | None = None
) -> LoggedIn | LoginStep:
    """Raise the caller's anonymous session to the customer's; the session id stays, the anonymous tokens die.

    Or return the step that is still missing. One INVALID_CREDENTIALS for every reason that a stranger must not learn;
    `refused_logins` has the others. PASSWORD_LOGIN_OFF in a shop without passwords.
    `device_token` is what an earlier login has given: while the account is guessed at, it spares the wait. Without it
    `device_cookie` counts, which the browser sends: the same call may come again with another one.
    """
    call = RepeatableCall(uow, "login", email, password, device_token)
    return await call.answer(
        lambda: _log_in(uow, call, email, password, device_token or device_cookie),
        lambda kept: LoggedIn(kept.tokens, kept.owner),
    )


async def _log_in(
    uow: UnitOfWork, call: RepeatableCall, email: str, password: str, device_token: str | None
) -> LoggedIn | LoginStep:
    require_password_login(uow, "password")
    principal = uow.caller.require_principal()
    attempt = await begin_login(uow, email)
    device = await find_device(uow, device_token)
    guess = _guess(uow, email, password, attempt, device)
    is_right = await verify_password(uow, guess)
    if is_right and guess.is_right_elsewhere is not None:
        # Now there is a hash of ours.
        attempt = await begin_login(uow, email)
    credential, customer = attempt.credential, attempt.customer
    if (
        credential is None
        or credential.password_hash is None
        or customer is None
        or not (is_right and attempt.may_log_in)
    ):
        # Before anything is written, so that no other writer waits meanwhile.
        await uow.level_refusal()
        raise await failed_login(uow, attempt, is_right=is_right)
    proved = Factors.of(SignInMethod.PASSWORD)
    step = await begin_step(uow, customer, proved, device=device)
    if step is not None:
        return step
    new_hash = None
    if uow.tools.passwords.needs_rehash(credential.password_hash):
        new_hash = await uow.hash_password(password)
    # This locks the customer. Only after that is it certain that the checked values are still the same.
    may_log_in = await uow.customers.note_login(customer.id, uow.now)
    customer = await uow.customers.find(customer.id)
    if not may_log_in or customer is None or customer.credential_version != credential.version:
        raise note_refusal(uow, credential, invalid_credentials())
    if new_hash is not None:
        await uow.credentials.rehash(customer.id, credential.password_hash, new_hash)
    await record(uow, AuditAction.LOGIN, customer.id)
    logged_in = await start_customer_session(uow, principal, customer, proved)
    await tell_of_failures_before(uow, guess, customer)
    known_by = await remember_device(uow, customer.id, device, device_token)
    logged_in = replace(logged_in, tokens=replace(logged_in.tokens, device_token=known_by))
    await call.keep(logged_in.tokens)
    return logged_in


async def tell_of_failures_before(uow: UnitOfWork, guess: Guess, customer: CustomerProfile) -> None:
    """Mail a customer who has just logged in by this password that many others were tried before it."""
    if await ends_failures(uow, guess):
        await send_security_mail(uow, "login_after_failures", customer, device=describe_device(_user_agent(uow)))


def _guess(uow: UnitOfWork, email: str, password: str, attempt: LoginAttempt, device: Device | None) -> Guess:
    may_succeed = attempt.may_succeed(uow.tenant)
    credential = attempt.credential
    if credential is None:
        return Guess(email, password, attempt.password_hash, None, may_succeed=may_succeed)
    is_known = device is not None and device.customer_id == credential.customer_id
    known_as = device.token_hash.hex() if device is not None and is_known else None
    hook = uow.tenant.password_hook
    ask = None
    if hook is not None and is_elsewhere(credential) and may_succeed:
        ask = partial(is_right_elsewhere, uow, hook, credential, password)
    return Guess(email, password, credential.password_hash, credential.customer_id, known_as, may_succeed, ask)


async def start_customer_session(
    uow: UnitOfWork,
    principal: Principal,
    customer: CustomerProfile,
    proved: Factors,
    *,
    identity_id: str | None = None,
    passkey_id: str | None = None,
) -> LoggedIn:
    """Raise the anonymous session of the principal; raises UNAUTHENTICATED when it has ended or was raised already.

    `proved` is what the customer has proved who they are with, `identity_id` the social identity and `passkey_id` the
    passkey among it.
    """
    session_id = principal.session_id or ""
    is_new_device = await uow.sessions.is_new_device(customer.id, _user_agent(uow))
    session = await uow.sessions.raise_to_customer(
        session_id,
        kind=TokenKind.CUSTOMER.value,
        customer_id=customer.id,
        user_agent=_user_agent(uow),
        last_used_at=uow.now,
        authenticated_at=uow.now,
        identity_id=identity_id,
        passkey_id=passkey_id,
        factors=proved.text,
        expires_at=session_end(uow, TokenKind.CUSTOMER),
    )
    if session is None:
        raise unauthenticated(UnauthenticatedReason.REVOKED)
    await uow.sessions.revoke_tokens(session_id, uow.now)
    await end_oldest_sessions(uow, customer.id, TokenKind.CUSTOMER)
    tokens = await issue_tokens(uow, session, customer)
    await emit(uow, Topic.SESSION_UPGRADED, customer.id, sessionId=session_id)
    await emit(uow, Topic.CUSTOMER_LOGGED_IN, customer.id, sessionId=session_id)
    if is_new_device:
        await send_security_mail(uow, "new_device", customer, device=describe_device(_user_agent(uow)))
    return LoggedIn(tokens, customer)


def _user_agent(uow: UnitOfWork) -> str | None:
    return (uow.caller.facts.user_agent or "")[:USER_AGENT_LENGTH] or None


async def end_oldest_sessions(uow: UnitOfWork, customer_id: str, kind: TokenKind) -> None:
    """End the customer's oldest sessions of this kind if there are more than the shop allows."""
    live = [session for session in await uow.sessions.list_live(customer_id, uow.now) if session.kind == kind]
    for session in live[uow.tenant.limits.sessions_per_customer :]:
        await uow.sessions.revoke(session.id, customer_id, uow.now)


async def logout(uow: UnitOfWork, *, everywhere: bool) -> bool:
    """End the caller's session, or with `everywhere` all sessions of the customer; felt by the very next call.

    With `everywhere`, no device stands for the second factor any more either.

    Whoever acts on the customer's behalf ends nothing but that.
    """
    principal = uow.caller.require_principal()
    if principal.kind is TokenKind.ON_BEHALF:
        await record(uow, AuditAction.ON_BEHALF_ENDED, principal.customer_id)
    else:
        await record(uow, AuditAction.LOGOUT, principal.customer_id, everywhere=everywhere)
    if everywhere and principal.kind is TokenKind.CUSTOMER and principal.customer_id is not None:
        await uow.customers.lock(principal.customer_id)
        await uow.sessions.revoke_all(principal.customer_id, uow.now)
        await uow.devices.trust_none(principal.customer_id)
    elif principal.session_id is not None:
        await uow.sessions.revoke(principal.session_id, principal.customer_id, uow.now)
    return True


async def revoke_session(uow: UnitOfWork, session_id: str) -> bool:
    """End one of the customer's own sessions; NOT_FOUND for any other."""
    customer = uow.caller.require_customer()
    if not await uow.sessions.revoke(session_id, customer.id, uow.now):
        raise refuse(UserErrorCode.NOT_FOUND, "You have no open session with this id.", "sessionId")
    await record(uow, AuditAction.SESSION_REVOKED, customer.id, session=session_id)
    return True


async def sessions(uow: UnitOfWork) -> Sequence[Session]:
    """Return the customer's open sessions, the latest used first."""
    return await uow.sessions.list_live(uow.caller.require_customer().id, uow.now)
