"""The other account of a customer who has two: proved by its own access token, as strictly as the caller's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.domain.anonymizations import is_closed
from app.domain.errors import DomainError, UnauthenticatedReason, UserErrorCode, refuse
from app.domain.principal import Principal, TokenKind
from app.domain.requests import RequestFacts
from app.domain.sign_in import TWO_FACTORS
from app.domain.tokens import ACCESS_PREFIXES, hash_token, read_prefix
from app.models.one_time_tokens import WAS_PROVEN, Purpose
from app.models.sessions import PresentedToken
from app.services.accounts.reauthentication import strong_methods
from app.services.callers.authentication import caller_of
from app.services.sessions.login_steps import find_ways_in
from app.services.unit_of_work import UnitOfWork

FIELD = "otherAccessToken"


@dataclass(frozen=True, slots=True, repr=False)
class _Presented:
    """The other token as the database has it at this moment, and why it is worthless, if it is."""

    row: PresentedToken
    principal: Principal | None
    refusal: UnauthenticatedReason | None


async def find_other(uow: UnitOfWork, text: str) -> PresentedToken:
    """Return the row of a customer's access token in the caller's shop, living or not.

    TOKEN_INVALID for every other text: a guest's token, an integration's, one on a customer's behalf, another shop's.
    """
    row = None
    if read_prefix(text) in ACCESS_PREFIXES:
        row = await uow.token_lookup.find_by_access_token(uow.tenants_of(text), hash_token(text))
    own = uow.caller.require_customer().id
    if row is None or row.session_tenant_id != uow.tenant.id:
        raise _invalid()
    if row.session_kind != TokenKind.CUSTOMER.value or row.session_customer_id is None:
        raise _invalid()
    if row.session_customer_id == own:
        raise refuse(UserErrorCode.INVALID, "This is the same account: log in to the other one.", FIELD)
    return row


async def check_other(uow: UnitOfWork, row: PresentedToken) -> None:
    """Raise what keeps the bearer of a token from giving the account of it up; call it with the account locked.

    TOKEN_INVALID, TOKEN_EXPIRED (also for a login that is too long ago, or too weak), ACCOUNT_INACTIVE,
    ACCOUNT_ON_HOLD, ANONYMIZATION_OPEN; INVALID where somebody may still take its address back.
    """
    presented = _present(uow, row)
    if presented.principal is None:
        raise _why_worthless(uow, presented)
    principal = presented.principal
    if principal.must_change_password:
        message = "The other account has a password that the shop chose: change it there first."
        raise refuse(UserErrorCode.INVALID, message, FIELD)
    if not _is_fresh(uow, principal):
        raise _too_old("The login to the other account is too long ago: log in there again, or call reauthenticate.")
    ways = await find_ways_in(uow, row)
    if strong_methods(uow, ways) and principal.proved.level != TWO_FACTORS:
        raise _too_old("The other account has a second factor: log in there with it, or call reauthenticate.")
    await _check_nobody_may_come_back(uow, row.id)


def _present(uow: UnitOfWork, row: PresentedToken) -> _Presented:
    """Judge the token as if it came with a request of its own, but for the headers: those are about this caller."""
    facts = uow.caller.facts
    judged = caller_of(uow.tools, RequestFacts(request_id=facts.request_id, ip=facts.ip), row)
    return _Presented(row, judged.principal, judged.refusal if judged.principal is None else None)


def _is_fresh(uow: UnitOfWork, principal: Principal) -> bool:
    return principal.is_fresh(uow.now, timedelta(seconds=uow.tenant.reauthentication_seconds))


def _why_worthless(uow: UnitOfWork, presented: _Presented) -> DomainError:
    """Return why the token does not work; what the shop did to the account is for who has just logged in to it."""
    row = presented.row
    if presented.refusal is UnauthenticatedReason.EXPIRED:
        return _too_old("The access token of the other account has expired: refresh it, and send the new one.")
    since = row.session_authenticated_at
    recently = timedelta(seconds=uow.tenant.reauthentication_seconds)
    if since is None or uow.now - since > recently or row.token_expires_at <= uow.now:
        return _invalid()
    if not uow.tenant.login_tells_status:
        return _invalid()
    if is_closed(row.anonymization_status):
        message = "The anonymization of the other account was requested: cancel it first."
        return refuse(UserErrorCode.ANONYMIZATION_OPEN, message, FIELD)
    if row.on_hold:
        message = "The other account is on hold: please contact the shop."
        return refuse(UserErrorCode.ACCOUNT_ON_HOLD, message, FIELD)
    if not row.active:
        message = "The other account is not active: please contact the shop."
        return refuse(UserErrorCode.ACCOUNT_INACTIVE, message, FIELD)
    return _invalid()


async def _check_nobody_may_come_back(uow: UnitOfWork, customer_id: str) -> None:
    """Raise INVALID while an earlier owner can still take the address back, as a mail has promised.

    Joining is for good, and would cut that off: an intruder could make what was taken theirs.
    """
    ways_back = await uow.one_time_tokens.list_open(customer_id, Purpose.REVERT_EMAIL_CHANGE, uow.now)
    if any(token.data.get(WAS_PROVEN) is not False for token in ways_back):
        message = "The address of the other account was changed in the last days, and that can be undone: try later."
        raise refuse(UserErrorCode.INVALID, message, FIELD)


def _too_old(message: str) -> DomainError:
    return refuse(UserErrorCode.TOKEN_EXPIRED, message, FIELD)


def _invalid() -> DomainError:
    message = "This is not the access token of a customer who is logged in: log in to the other account again."
    return refuse(UserErrorCode.TOKEN_INVALID, message, FIELD)
