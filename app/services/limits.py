"""How often an operation may be tried. Each attempt is counted before anything is checked.

What a stranger sends is counted under where it comes from: the client's address, the session, or the account together
with the client's address. Under the account alone mails are counted, and by `sessions.guessing` guesses of a password.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from app.domain.emails import parse_email
from app.domain.errors import AccessCode, AccessError, Refused
from app.domain.limits import wider_network
from app.domain.ports import Limit
from app.domain.tenants.rules import Limits
from app.services.unit_of_work import UnitOfWork

MINUTE = 60
HOUR = 3_600
DAY = 86_400

_NOBODYS = "-"


async def guard_anonymous_login(uow: UnitOfWork) -> None:
    """Count one more visit that begins, for the client's address and then for the whole shop."""
    limits = limits_of(uow)
    await hit_ip(uow, Limit("anonymous_login.ip", limits.anonymous_login_per_ip_per_minute, MINUTE))
    await hit(uow, Limit("anonymous_login.tenant", limits.anonymous_login_per_second, 1))


async def guard_refresh(uow: UnitOfWork) -> None:
    """Count one more refresh, for the client's address."""
    await hit_ip(uow, Limit("refresh.ip", limits_of(uow).refresh_per_ip_per_minute, MINUTE))


async def guard_trade(uow: UnitOfWork, session_id: str) -> None:
    """Count one more refresh token that is traded, for its session; repetitions within the grace do not count."""
    await hit(uow, Limit("refresh.family", limits_of(uow).refresh_per_family_per_minute, MINUTE), session_id)


async def guard_signup_form(uow: UnitOfWork) -> None:
    """Count one more form that somebody wants to sign up with, for the client's address."""
    await hit_ip(uow, Limit("signup.ip", limits_of(uow).signup_per_ip_per_minute, MINUTE))


async def guard_signup(uow: UnitOfWork) -> None:
    """Count one more sign-up whose form is in order, for the session; a mistake in a form does not count."""
    await hit_session(uow, Limit("signup.session", limits_of(uow).signup_per_session_per_hour, HOUR))


async def guard_mailed_flow(uow: UnitOfWork) -> bool:
    """Count one more request for a mail: a reset, a confirmation once more, or a change of address.

    Returns whether the client's address has asked for none before it within a day.
    """
    limits = limits_of(uow)
    await hit_ip(uow, Limit("mailed_flow.ip", limits.mailed_flow_per_ip_per_minute, MINUTE))
    await hit_session(uow, Limit("mailed_flow.session", limits.mailed_flow_per_session_per_hour, HOUR))
    return await is_below(uow, Limit("mailed_flow.first", 1, DAY), uow.caller.facts.ip)


async def may_mail(uow: UnitOfWork, recipient: str, *, signup: bool = False) -> bool:
    """Count one more mail that a stranger could have asked for; False when this recipient has had enough of them.

    It counts with the commit: a unit of work that is rolled back has used nothing up. Ask before a token is made for
    the mail: when it is not sent, the one that was sent before must go on working. Over
    the cap the answer to the caller stays the same. Mails that warn of something are never asked about.
    """
    limits = limits_of(uow)
    caps = [
        Limit("mails.hour", limits.mails_per_recipient_per_hour, HOUR),
        Limit("mails.day", limits.mails_per_recipient_per_day, DAY),
    ]
    if signup:
        caps.insert(0, Limit("signup.mails", limits.signup_mails_per_recipient_per_hour, HOUR))
    return await _all_below(uow, caps, account_key(recipient))


async def may_mail_step(uow: UnitOfWork, recipient: str) -> bool:
    """Count one more code for who has given another proof already, as `may_mail` does, but apart from those mails.

    So nobody who only knows an address can keep its owner from the second step of a login, or from a step-up.
    """
    limits = limits_of(uow)
    caps = [
        Limit("mails.step.hour", limits.mails_per_recipient_per_hour, HOUR),
        Limit("mails.step.day", limits.mails_per_recipient_per_day, DAY),
    ]
    return await _all_below(uow, caps, account_key(recipient))


async def _all_below(uow: UnitOfWork, caps: list[Limit], key: str) -> bool:
    """Count one more under each cap, with the commit; False when one of them is reached."""
    try:
        for cap in caps:
            await _hit_with_commit(uow, cap, key)
    except AccessError as error:
        if error.code is not AccessCode.RATE_LIMITED:
            raise
        return False
    return True


async def may_mail_one_more(uow: UnitOfWork, recipient: str) -> bool:
    """Count a reset mail beyond the caps of `may_mail`: strangers' requests shall not use up the owner's.

    Only for who has asked for nothing else that day from that address.
    """
    if not uow.caller.facts.is_first_of_day:
        return False
    spare = Limit("mails.spare", limits_of(uow).spare_reset_mails_per_recipient_per_day, DAY)
    key = account_key(recipient)
    if not await is_below(uow, spare, key):
        return False
    uow.on_rollback(partial(give_back, uow, spare, key))
    return True


async def _hit_with_commit(uow: UnitOfWork, limit: Limit, *key: str) -> None:
    """Count one more as `hit` does, and take it back if the unit of work is rolled back."""
    await hit(uow, limit, *key)
    uow.on_rollback(partial(give_back, uow, limit, *key))


async def is_below(uow: UnitOfWork, limit: Limit, *key: str) -> bool:
    """Count one more unless that were too much, and tell which; being over such a limit is no refusal to be noted."""
    try:
        await check(uow, limit, *key)
        await hit(uow, limit, *key)
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
    limits = limits_of(uow)
    await hit_ip(uow, Limit("one_time_token.ip", limits.one_time_token_per_ip_per_minute, MINUTE))
    if flow is not None:
        await hit(uow, _tries_of_flow(limits), flow)


async def forgive_one_time_token(uow: UnitOfWork, flow: str) -> None:
    """Take one try of the flow back: the token was right, and something else in the input was not."""
    await give_back(uow, _tries_of_flow(limits_of(uow)), flow)


def _tries_of_flow(limits: Limits) -> Limit:
    return Limit("one_time_token.flow", limits.one_time_token_tries_per_flow, HOUR)


async def guard_passkey_ceremony(uow: UnitOfWork) -> None:
    """Count one more ceremony of a passkey that begins, for the client's address; a page may begin one as it opens."""
    await hit_ip(uow, Limit("passkey_begin.ip", limits_of(uow).passkeys_begun_per_ip_per_minute, MINUTE))


async def guard_social(uow: UnitOfWork) -> None:
    """Count one more beginning or end of a social login, for the client's address and for the session."""
    limits = limits_of(uow)
    await hit_ip(uow, Limit("social.ip", limits.social_per_ip_per_minute, MINUTE))
    await hit_session(uow, Limit("social.session", limits.social_per_session_per_minute, MINUTE))


async def guard_posted_answer(uow: UnitOfWork) -> None:
    """Count one more answer that a provider has a browser post to us, for the client's address."""
    await hit_ip(uow, Limit("social.posted.ip", limits_of(uow).social_per_ip_per_minute, MINUTE))


async def guard_oauth_token(uow: UnitOfWork) -> None:
    """Count one more request for an integration token, for the client's address."""
    await hit_ip(uow, Limit("oauth.ip", limits_of(uow).oauth_token_per_ip_per_minute, MINUTE))


async def guard_oauth_client(uow: UnitOfWork, client_id: str) -> None:
    """Count one more OAuth client that authenticates, as if it would fail.

    Failures are counted for the client and the address together: a stranger who knows the id stops no order system.
    """
    await hit_ip(uow, _oauth_failures(limits_of(uow)), client_id)


async def forgive_oauth_client(uow: UnitOfWork, client_id: str) -> None:
    """Take the failure back: the client has authenticated."""
    await give_back_ip(uow, _oauth_failures(limits_of(uow)), client_id)


def _oauth_failures(limits: Limits) -> Limit:
    return Limit("oauth.failures", limits.oauth_failures_per_client, limits.oauth_failure_block_seconds)


def account_key(email: str) -> str:
    """Return what an address is counted under, however it is spelled; text that is no address is counted as it is."""
    try:
        return parse_email(email).key
    except Refused:
        return email.strip().casefold()


def limits_of(uow: UnitOfWork) -> Limits:
    """Return the numbers of the caller's shop, or the usual ones before it is known."""
    return uow.tenant.limits if uow.has_tenant else Limits()


def _tenant_key(uow: UnitOfWork) -> str:
    return uow.tenant.id if uow.has_tenant else _NOBODYS


def networks(uow: UnitOfWork, limit: Limit) -> list[tuple[Limit, str]]:
    """Return what a limit for the client's address counts under: the address, and of IPv6 its /48 with a larger one."""
    ip = uow.caller.facts.ip
    wider = wider_network(ip)
    if wider is None:
        return [(limit, ip)]
    amount = limit.amount * limits_of(uow).ipv6_48_factor
    return [(limit, ip), (replace(limit, name=f"{limit.name}.48", amount=amount), wider)]


async def hit(uow: UnitOfWork, limit: Limit, *key: str) -> None:
    """Count one more in the caller's shop; raises `AccessError` RATE_LIMITED."""
    counted = (limit.name, _tenant_key(uow), *key)
    if not uow.counted.has_before(counted):
        await uow.tools.limiter.hit(limit, _tenant_key(uow), *key)
    uow.counted.add(counted)


async def check(uow: UnitOfWork, limit: Limit, *key: str) -> None:
    """Raise as `hit` would, and count nothing."""
    if not uow.counted.has_before((limit.name, _tenant_key(uow), *key)):
        await uow.tools.limiter.check(limit, _tenant_key(uow), *key)


async def give_back(uow: UnitOfWork, limit: Limit, *key: str) -> None:
    """Take one hit back."""
    if not uow.counted.give_back((limit.name, _tenant_key(uow), *key)):
        uow.may_begin_again = False
    await uow.tools.limiter.give_back(limit, _tenant_key(uow), *key)


async def clear(uow: UnitOfWork, limit: Limit, *key: str) -> None:
    """Forget every hit."""
    await uow.tools.limiter.clear(limit, _tenant_key(uow), *key)


async def hit_ip(uow: UnitOfWork, limit: Limit, *key: str) -> None:
    """Count one more for the client's address, and for the rest of the key at that address."""
    counted: list[tuple[Limit, str]] = []
    try:
        for each, network in networks(uow, limit):
            await hit(uow, each, network, *key)
            counted.append((each, network))
    except AccessError:
        for each, network in counted:
            await give_back(uow, each, network, *key)
        raise


async def give_back_ip(uow: UnitOfWork, limit: Limit, *key: str) -> None:
    """Take one hit of the client's address back."""
    for each, network in networks(uow, limit):
        await give_back(uow, each, network, *key)


async def hit_session(uow: UnitOfWork, limit: Limit) -> None:
    """Count one more for the caller's session, if it has one."""
    principal = uow.caller.principal
    if principal is not None and principal.session_id is not None:
        await hit(uow, limit, principal.session_id)
