"""Checks again who the customer is, before something sensitive: a login that is fresh enough, and strong enough."""

from __future__ import annotations

from datetime import timedelta

from app.domain.audit import AuditAction
from app.domain.errors import AccessCode, AccessError, UserErrorCode, refuse
from app.domain.sign_in import STRONG, TWO_FACTORS, SignInMethod, WaysIn
from app.models.credentials import Credential
from app.models.customers import CustomerProfile
from app.services.audit import record_failure
from app.services.sessions.guessing import Guess, verify_password
from app.services.sessions.login_steps import find_ways_in
from app.services.sessions.methods_on import require_password_login
from app.services.unit_of_work import UnitOfWork

_WEAK = (SignInMethod.PASSWORD, SignInMethod.EMAIL_CODE, SignInMethod.PHONE_CODE, SignInMethod.SOCIAL)


async def reauthenticate(uow: UnitOfWork, password: str | None, *field: str) -> Credential:
    """Return the caller's credential after a check: by the password, or without one by a recent login.

    Who has TOTP or a passkey needs a recent login with it, whatever the password. INVALID_CREDENTIALS at `field` for a
    wrong password, and for any from a customer who has none; PASSWORD_LOGIN_OFF in a shop without;
    REAUTHENTICATION_REQUIRED for none and a login longer ago than `reauthentication_seconds`. Call it before the first
    write; afterwards compare the version of the credential, or change it only at this version.
    """
    customer = uow.caller.require_customer()
    principal = uow.caller.require_principal()
    if password is not None:
        require_password_login(uow, *field)
    credential = await uow.credentials.find(customer.id)
    if credential is None:
        raise refuse(UserErrorCode.NOT_FOUND, "This customer no longer exists.")
    ways = await find_ways_in(uow, customer)
    if strong_methods(uow, ways):
        require_recent_login(uow, ways, level=TWO_FACTORS)
    if password is not None:
        # The account knows its own session: whatever strangers have tried does not hold it up.
        guess = Guess(
            credential.email or customer.id, password, credential.password_hash, customer.id, principal.session_id
        )
        if not await verify_password(uow, guess):
            record_failure(uow, AuditAction.REAUTHENTICATION, customer.id, reason=UserErrorCode.INVALID_CREDENTIALS)
            raise refuse(UserErrorCode.INVALID_CREDENTIALS, "The password is not right.", *field)
    else:
        require_recent_login(uow, ways)
    return credential


async def require_level_two(uow: UnitOfWork) -> CustomerProfile:
    """Return the caller after a check that they have just proved who they are by two factors, or by a passkey.

    For what takes a second factor away. REAUTHENTICATION_REQUIRED.
    """
    customer = uow.caller.require_customer()
    require_recent_login(uow, await find_ways_in(uow, customer), level=TWO_FACTORS)
    return customer


async def require_recent(uow: UnitOfWork) -> CustomerProfile:
    """Return the caller after a check that they have just proved who they are, with TOTP or a passkey if they have one.

    For what adds a way in. REAUTHENTICATION_REQUIRED.
    """
    customer = uow.caller.require_customer()
    ways = await find_ways_in(uow, customer)
    require_recent_login(uow, ways, level=TWO_FACTORS if strong_methods(uow, ways) else None)
    return customer


def require_recent_login(uow: UnitOfWork, ways: WaysIn, *, level: str | None = None) -> None:
    """Raise REAUTHENTICATION_REQUIRED unless the caller's last proof is recent, and of this level if one is said."""
    principal = uow.caller.require_principal()
    is_fresh = principal.is_fresh(uow.now, timedelta(seconds=uow.tenant.reauthentication_seconds))
    if is_fresh and (level is None or principal.proved.level == level):
        return
    raise reauthentication_required(uow, ways)


def strong_methods(uow: UnitOfWork, ways: WaysIn) -> tuple[SignInMethod, ...]:
    """Return the second factors that the customer has and the shop has on; who has one must use one of them."""
    return tuple(method for method in STRONG if method in uow.tenant.sign_in_methods and ways.has(method))


def proving_methods(uow: UnitOfWork, ways: WaysIn) -> tuple[SignInMethod, ...]:
    """Return the methods by which the customer can prove once more who they are."""
    strong = strong_methods(uow, ways)
    return strong or tuple(method for method in _WEAK if method in uow.tenant.sign_in_methods and ways.has(method))


def reauthentication_required(uow: UnitOfWork, ways: WaysIn) -> AccessError:
    """Return the error for a login that is too long ago, or too weak, with the methods that would do."""
    customer_id = uow.caller.require_customer().id
    record_failure(uow, AuditAction.REAUTHENTICATION, customer_id, reason=AccessCode.REAUTHENTICATION_REQUIRED)
    return AccessError(
        AccessCode.REAUTHENTICATION_REQUIRED,
        "Prove once more who you are: call reauthenticate with one of these methods, or log in again.",
        more={"methods": [method.value for method in proving_methods(uow, ways)]},
    )
