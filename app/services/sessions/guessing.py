"""Guesses of passwords: counted on the account from wherever they come, so that other addresses help nobody.

Once there are too many, devices that the account does not know wait, or solve a challenge; those that it knows go on,
so that no stranger can lock the owner out. Addresses that nobody has are counted just so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from unicodedata import normalize

from app.domain.audit import AuditAction
from app.domain.emails import parse_email
from app.domain.errors import AccessCode, AccessError, Refused
from app.domain.limits import growing_delays
from app.domain.ports import Limit
from app.domain.tenants.rules import Limits
from app.domain.topics import Topic
from app.models.one_time_tokens import Purpose
from app.services.audit import record
from app.services.limits import (
    DAY,
    HOUR,
    MINUTE,
    account_key,
    check,
    clear,
    give_back,
    hit,
    hit_ip,
    hit_session,
    is_below,
    limits_of,
    networks,
)
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_security_mail
from app.services.outgoing.tasks import Task, put_off
from app.services.sessions.challenges import pass_challenge
from app.services.unit_of_work import UnitOfWork

_FIVE_MINUTES = 300
_TEN_MINUTES = 600
# How long the session that has set a new password by the mailed link is known to the account.
_AFTER_RESET = timedelta(days=1)
# What attacks aim at, as the metrics call it.
_AT_ACCOUNT = "account"
_BY_PASSWORD = "password"  # noqa: S105 - a word, not a password


@dataclass(frozen=True, slots=True, repr=False)
class Guess:
    """A password for the account of an address, which may be nobody's: then there is neither a hash nor a customer.

    `known_as` names the device, or the session, that the account knows. `is_right_elsewhere` asks whoever else knows
    passwords that we have no hash of. Where not even the right password helps,
    `may_succeed` is False: then nobody must learn from the counts that it was right.
    """

    email: str
    password: str
    encoded: str | None
    customer_id: str | None
    known_as: str | None = None
    may_succeed: bool = True
    is_right_elsewhere: Callable[[], Awaitable[bool]] | None = None

    @property
    def account(self) -> str:
        """What the account is counted under."""
        return account_key(self.email)


@dataclass(frozen=True, slots=True)
class _Count:
    """What a guess is counted under; with `is_cleared`, a right password forgets all hits, not its own alone."""

    limit: Limit
    key: tuple[str, ...]
    is_cleared: bool = False


@dataclass(slots=True)
class _Counted:
    """What was counted for one guess so far."""

    uow: UnitOfWork
    counts: list[_Count] = field(default_factory=list)

    async def hit(self, count: _Count) -> None:
        """Count under one more."""
        await hit(self.uow, count.limit, *count.key)
        self.counts.append(count)

    async def take_back(self) -> None:
        """Take it back because no password was checked."""
        for each in self.counts:
            await give_back(self.uow, each.limit, *each.key)

    async def forgive(self) -> None:
        """Take it back because the password was right."""
        for each in self.counts:
            await (clear if each.is_cleared else give_back)(self.uow, each.limit, *each.key)


async def verify_password(uow: UnitOfWork, guess: Guess) -> bool:
    """Tell whether the password is right, as `UnitOfWork.verify_password`; wherever somebody may guess, ask here.

    The guess is counted first as if it were wrong. Raises `AccessError` RATE_LIMITED, or CHALLENGE_REQUIRED in a shop
    that has a challenge.
    """
    limits = limits_of(uow)
    await hit_ip(uow, Limit("login.ip", limits.login_per_ip_per_minute, MINUTE))
    await hit_session(uow, Limit("login.session", limits.login_per_session_per_minute, MINUTE))
    counted = _Counted(uow)
    try:
        for count in _own_counts(uow, guess):
            await counted.hit(count)
        if guess.known_as is None:
            await _guard_account(counted, guess)
        is_right = await uow.verify_password(guess.encoded, guess.password)
        if guess.is_right_elsewhere is not None:
            is_right = await guess.is_right_elsewhere()
    except AccessError:
        await counted.take_back()
        raise
    if is_right and guess.may_succeed:
        await counted.forgive()
    else:
        await _note_failure(uow, guess)
    return is_right


def _own_counts(uow: UnitOfWork, guess: Guess) -> Iterator[_Count]:
    """Yield what a guess is counted under for where it comes from: a known device, or else the client's address."""
    limits = limits_of(uow)
    if guess.known_as is not None:
        yield _Count(_waits("login.failures.device", limits), (guess.known_as, guess.account), is_cleared=True)
        return
    for limit, network in networks(uow, Limit("login.failures.ip", limits.login_failures_per_ip_per_minute, MINUTE)):
        yield _Count(limit, (network,))
    for limit, network in networks(uow, _waits("login.failures.account", limits)):
        yield _Count(limit, (network, guess.account), is_cleared=True)


def _waits(name: str, limits: Limits) -> Limit:
    return Limit(
        name,
        limits.login_failures_per_account_per_5_minutes,
        _FIVE_MINUTES,
        delays=growing_delays(limits.login_delay_max_seconds),
    )


async def _guard_account(counted: _Counted, guess: Guess) -> None:
    """Count the guess on the account and on the password, and refuse it when there were too many, but for the owner."""
    uow = counted.uow
    by_password = _by_password(uow, guess)
    target = _AT_ACCOUNT
    try:
        for count in _on_account(uow, guess.account):
            await counted.hit(count)
        target = _BY_PASSWORD
        await counted.hit(by_password)
    except AccessError as refusal:
        await _note_attack(uow, guess, target)
        if not await _has_reset(uow, guess):
            await pass_challenge(uow, guess.account, refusal)


def _on_account(uow: UnitOfWork, account: str) -> tuple[_Count, _Count]:
    """Return what is counted on the account: all failures, and the addresses that they come from."""
    limits = limits_of(uow)
    failures = Limit("login.failures.account.hour", limits.login_failures_per_account_per_hour, HOUR)
    addresses = Limit(
        "login.failures.account.addresses",
        limits.login_failure_addresses_per_account_per_10_minutes,
        _TEN_MINUTES,
        distinct=True,
    )
    return _Count(failures, (account,)), _Count(addresses, (account, uow.caller.facts.ip))


def _by_password(uow: UnitOfWork, guess: Guess) -> _Count:
    """Return what is counted on the password, of which only a keyed hash is kept: the accounts where it failed."""
    most = limits_of(uow).login_failure_accounts_per_password_per_hour
    limit = Limit("login.failures.password", most, HOUR, distinct=True)
    return _Count(limit, (_fingerprint(uow, guess), guess.account))


def _fingerprint(uow: UnitOfWork, guess: Guess) -> str:
    """Return a keyed hash of the password, the same however its é is spelled: it is compared in NFC as well."""
    return uow.tools.sealer.fingerprint(normalize("NFC", guess.password))


async def _has_reset(uow: UnitOfWork, guess: Guess) -> bool:
    """Tell whether the caller's session has just set the account's password by the mailed link: it is the owner's."""
    principal = uow.caller.principal
    session_id = principal.session_id if principal is not None else None
    since = uow.now - _AFTER_RESET
    return await uow.one_time_tokens.was_used(guess.customer_id or "", Purpose.RESET_PASSWORD, session_id or "", since)


async def _note_failure(uow: UnitOfWork, guess: Guess) -> None:
    """Count one more failure until the owner logs in, and see whether it makes an attack."""
    await is_below(uow, _failures_told(uow), guess.account)
    if guess.known_as is not None:
        return
    for target, counts in (
        (_AT_ACCOUNT, _on_account(uow, guess.account)),
        (_BY_PASSWORD, (_by_password(uow, guess),)),
    ):
        try:
            for each in counts:
                await check(uow, each.limit, *each.key)
        except AccessError:
            await _note_attack(uow, guess, target)


async def _note_attack(uow: UnitOfWork, guess: Guess, target: str) -> None:
    """Tell operators of an attack, and of one at an account have its owner and the shop told: once a day.

    Whose account it is, is looked up later, so that it takes as long where it is nobody's.
    """
    key = guess.account if target == _AT_ACCOUNT else _fingerprint(uow, guess)
    if not await is_below(uow, _attacks(target), key):
        return
    uow.tools.metrics.login_attacked(target)
    if target != _AT_ACCOUNT or uow.caller.principal is None:
        return
    try:
        address = parse_email(guess.email).address
    except Refused:
        return
    # Whatever becomes of the operation, this stays.
    async with uow.beside() as own:
        await put_off(own, Task.TELL_OF_LOGIN_ATTACK, address)


def _attacks(target: str) -> Limit:
    return Limit(f"login.attacks.{target}", 1, DAY)


async def tell_of_login_attack(uow: UnitOfWork, address: str) -> None:
    """Tell the owner of the address by mail, and the shop by an event, that somebody guesses the password."""
    credential = await uow.credentials.find_by_email(parse_email(address).key)
    customer = await uow.customers.lock(credential.customer_id) if credential is not None else None
    if customer is None:
        return
    profile = await uow.customers.find(customer.id)
    if profile is not None:
        await send_security_mail(uow, "login_attacked", profile)
    await emit(uow, Topic.CUSTOMER_LOGIN_ATTACKED, customer.id)
    await record(uow, AuditAction.LOGIN_ATTACKED, customer.id)


async def ends_failures(uow: UnitOfWork, guess: Guess) -> bool:
    """Forget the failures before a login that succeeds, and tell whether its customer is to be told of them.

    Not again on a device that the account knows, of an attack that the customer was told of.
    """
    many = not await _passes(uow, _failures_told(uow), guess.account)
    if many:
        uow.may_begin_again = False  # A second run would not know of the failures any more.
        await clear(uow, _failures_told(uow), guess.account)
    return many and (guess.known_as is None or await _passes(uow, _attacks(_AT_ACCOUNT), guess.account))


def _failures_told(uow: UnitOfWork) -> Limit:
    return Limit("login.failures.told", limits_of(uow).login_failures_told, DAY)


async def _passes(uow: UnitOfWork, limit: Limit, *key: str) -> bool:
    try:
        await check(uow, limit, *key)
    except AccessError as error:
        if error.code is not AccessCode.RATE_LIMITED:
            raise
        return False
    return True


async def forget_guesses(uow: UnitOfWork, email: str) -> None:
    """Let the owner of an address, who has a new password by the mailed link, begin anew."""
    account = account_key(email)
    for each in _on_account(uow, account):
        await clear(uow, each.limit, *each.key)
    for limit, network in networks(uow, _waits("login.failures.account", limits_of(uow))):
        await clear(uow, limit, network, account)
