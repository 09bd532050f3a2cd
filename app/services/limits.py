"""How often an operation may be tried. Each attempt is counted before anything is checked.

What a stranger sends is counted under where it comes from: the client's address, the session, or the account together
with the client's address. Under the account alone only mails are counted, so that nobody can lock another one out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.domain.emails import parse_email
from app.domain.errors import AccessCode, AccessError, Refused
from app.domain.limits import growing_delays
from app.domain.ports import Limit
from app.domain.tenant_rules import Limits
from app.services.unit_of_work import UnitOfWork

MINUTE = 60
FIVE_MINUTES = 300
HOUR = 3_600
DAY = 86_400

_NOBODYS = "-"


async def guard_anonymous_login(uow: UnitOfWork) -> None:
    """Count one more visit that begins, for the client's address and then for the whole shop."""
    limits = _limits(uow)
    await _hit(uow, Limit("anonymous_login.ip", limits.anonymous_login_per_ip_per_minute, MINUTE), _ip(uow))
    await _hit(uow, Limit("anonymous_login.tenant", limits.anonymous_login_per_second, 1))


async def guard_refresh(uow: UnitOfWork, session_id: str | None) -> None:
    """Count one more refresh, for the client's address and for the session of the token; None for an unknown token."""
    limits = _limits(uow)
    await _hit(uow, Limit("refresh.ip", limits.refresh_per_ip_per_minute, MINUTE), _ip(uow))
    if session_id is not None:
        await _hit(uow, Limit("refresh.family", limits.refresh_per_family_per_minute, MINUTE), session_id)


async def verify_password(uow: UnitOfWork, email: str, encoded: str | None, password: str) -> bool:
    """Tell whether the password is right, as `UnitOfWork.verify_password`; wherever somebody may guess, ask here.

    The try is counted first as if it would fail, for the client's address and for the account that the submitted
    address names there, whether or not it exists. A right password takes the former back and forgets the latter.
    """
    limits = _limits(uow)
    failures_of_ip, failures_of_account = _login_failures(limits)
    account = account_key(email)
    await _hit(uow, Limit("login.ip", limits.login_per_ip_per_minute, MINUTE), _ip(uow))
    await _hit_session(uow, Limit("login.session", limits.login_per_session_per_minute, MINUTE))
    async with _counted(uow, failures_of_ip, _ip(uow)), _counted(uow, failures_of_account, _ip(uow), account):
        is_right = await uow.verify_password(encoded, password)
    if is_right:
        await _give_back(uow, failures_of_ip, _ip(uow))
        await uow.tools.limiter.clear(failures_of_account, uow.tenant.id, _ip(uow), account)
    return is_right


def _login_failures(limits: Limits) -> tuple[Limit, Limit]:
    return (
        Limit("login.failures.ip", limits.login_failures_per_ip_per_minute, MINUTE),
        Limit(
            "login.failures.account",
            limits.login_failures_per_account_per_5_minutes,
            FIVE_MINUTES,
            delays=growing_delays(limits.login_delay_max_seconds),
        ),
    )


async def guard_signup_form(uow: UnitOfWork) -> None:
    """Count one more form that somebody wants to sign up with, for the client's address."""
    await _hit(uow, Limit("signup.ip", _limits(uow).signup_per_ip_per_minute, MINUTE), _ip(uow))


async def guard_signup(uow: UnitOfWork) -> None:
    """Count one more sign-up whose form is in order, for the session; a mistake in a form does not count."""
    await _hit_session(uow, Limit("signup.session", _limits(uow).signup_per_session_per_hour, HOUR))


async def guard_mailed_flow(uow: UnitOfWork) -> None:
    """Count one more request for a mail: a reset, a confirmation once more, or a change of address."""
    limits = _limits(uow)
    await _hit(uow, Limit("mailed_flow.ip", limits.mailed_flow_per_ip_per_minute, MINUTE), _ip(uow))
    await _hit_session(uow, Limit("mailed_flow.session", limits.mailed_flow_per_session_per_hour, HOUR))


async def may_mail(uow: UnitOfWork, recipient: str, *, signup: bool = False) -> bool:
    """Count one more mail that a stranger could have asked for; False when this recipient has had enough of them.

    Ask before a token is made for the mail: when it is not sent, the one that was sent before must go on working. Over
    the cap the answer to the caller stays the same. Mails that warn of something are never asked about.
    """
    limits = _limits(uow)
    caps = [
        Limit("mails.hour", limits.mails_per_recipient_per_hour, HOUR),
        Limit("mails.day", limits.mails_per_recipient_per_day, DAY),
    ]
    if signup:
        caps.insert(0, Limit("signup.mails", limits.signup_mails_per_recipient_per_hour, HOUR))
    try:
        for cap in caps:
            await _hit(uow, cap, account_key(recipient))
    except AccessError as error:
        if error.code is not AccessCode.RATE_LIMITED:
            raise
        return False
    return True


async def guard_one_time_token(uow: UnitOfWork, flow: str | None = None) -> None:
    """Count one more one-time token or mailed code, for the client's address and for the flow that it belongs to.

    `flow` is what all tries have in common: the token's text, or the ticket that a code is entered for. None for a
    token that belongs to nobody.
    """
    limits = _limits(uow)
    await _hit(uow, Limit("one_time_token.ip", limits.one_time_token_per_ip_per_minute, MINUTE), _ip(uow))
    if flow is not None:
        await _hit(uow, _tries_of_flow(limits), flow)


async def forgive_one_time_token(uow: UnitOfWork, flow: str) -> None:
    """Take one try of the flow back: the token was right, and something else in the input was not."""
    await _give_back(uow, _tries_of_flow(_limits(uow)), flow)


def _tries_of_flow(limits: Limits) -> Limit:
    return Limit("one_time_token.flow", limits.one_time_token_tries_per_flow, HOUR)


async def guard_social(uow: UnitOfWork) -> None:
    """Count one more beginning or end of a social login, for the client's address and for the session."""
    limits = _limits(uow)
    await _hit(uow, Limit("social.ip", limits.social_per_ip_per_minute, MINUTE), _ip(uow))
    await _hit_session(uow, Limit("social.session", limits.social_per_session_per_minute, MINUTE))


async def guard_oauth_token(uow: UnitOfWork) -> None:
    """Count one more request for an integration token, for the client's address."""
    await _hit(uow, Limit("oauth.ip", _limits(uow).oauth_token_per_ip_per_minute, MINUTE), _ip(uow))


async def guard_oauth_client(uow: UnitOfWork, client_id: str) -> None:
    """Count one more OAuth client that authenticates, as if it would fail.

    Failures are counted for the client and the address together: a stranger who knows the id stops no order system.
    """
    await _hit(uow, _oauth_failures(_limits(uow)), _ip(uow), client_id)


async def forgive_oauth_client(uow: UnitOfWork, client_id: str) -> None:
    """Take the failure back: the client has authenticated."""
    await _give_back(uow, _oauth_failures(_limits(uow)), _ip(uow), client_id)


def _oauth_failures(limits: Limits) -> Limit:
    return Limit("oauth.failures", limits.oauth_failures_per_client, limits.oauth_failure_block_seconds)


def account_key(email: str) -> str:
    """Return what an address is counted under, however it is spelled; text that is no address is counted as it is."""
    try:
        return parse_email(email).key
    except Refused:
        return email.strip().casefold()


def _limits(uow: UnitOfWork) -> Limits:
    return uow.tenant.limits if uow.has_tenant else Limits()


def _tenant_key(uow: UnitOfWork) -> str:
    return uow.tenant.id if uow.has_tenant else _NOBODYS


def _ip(uow: UnitOfWork) -> str:
    return uow.caller.facts.ip


async def _hit(uow: UnitOfWork, limit: Limit, *key: str) -> None:
    await uow.tools.limiter.hit(limit, _tenant_key(uow), *key)


async def _hit_session(uow: UnitOfWork, limit: Limit) -> None:
    principal = uow.caller.principal
    if principal is not None and principal.session_id is not None:
        await _hit(uow, limit, principal.session_id)


@asynccontextmanager
async def _counted(uow: UnitOfWork, limit: Limit, *key: str) -> AsyncIterator[None]:
    """Count one more, and take it back when what follows is refused before anything was checked."""
    await _hit(uow, limit, *key)
    try:
        yield
    except AccessError:
        await _give_back(uow, limit, *key)
        raise


async def _give_back(uow: UnitOfWork, limit: Limit, *key: str) -> None:
    await uow.tools.limiter.give_back(limit, _tenant_key(uow), *key)
