"""The passkeys of an account: listed, named, and taken away."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.passkeys import PASSKEY_NAME_LENGTH
from app.domain.problems import Problems
from app.domain.sign_in import SignInMethod
from app.domain.texts import required_line
from app.models.customers import CustomerProfile
from app.models.passkeys import Passkey
from app.services.accounts.own_account import lock_own_account
from app.services.accounts.reauthentication import require_level_two
from app.services.accounts.sign_in_changes import WayIn, tell_removed
from app.services.unit_of_work import UnitOfWork


async def passkeys(uow: UnitOfWork, customer_id: str) -> Sequence[Passkey]:
    """Return a customer's passkeys, the oldest first."""
    return await uow.passkeys.list(customer_id)


async def rename_passkey(uow: UnitOfWork, passkey_id: str, name: str) -> Passkey:
    """Give one of the caller's own passkeys another name; NOT_FOUND for any other, REQUIRED, INVALID, TOO_LONG."""
    customer_id = uow.caller.require_customer().id
    checked = check_name(name)
    await lock_own_account(uow)
    renamed = await uow.passkeys.change(customer_id, passkey_id, name=checked)
    if renamed is None:
        raise not_found()
    return renamed


async def delete_passkey(uow: UnitOfWork, passkey_id: str) -> str:
    """Take one of the caller's own passkeys away, and return its id; the sessions that it opened end.

    REAUTHENTICATION_REQUIRED; NOT_FOUND for any other id; LAST_SIGN_IN_METHOD for who could sign in no more.
    """
    customer_id = uow.caller.require_customer().id
    # Nobody shall prove once more who they are for a passkey that is not there.
    if await uow.passkeys.find(customer_id, passkey_id) is None:
        raise not_found()
    customer = await require_level_two(uow)
    await lock_own_account(uow)
    every = await uow.passkeys.list(customer.id)
    gone = next((passkey for passkey in every if passkey.id == passkey_id), None)
    if gone is None:
        raise not_found()
    if len(every) == 1 and not await _signs_in_without(uow, customer):
        raise refuse(
            UserErrorCode.LAST_SIGN_IN_METHOD, "This is your only way to sign in: add another passkey first.", "id"
        )
    if not await uow.passkeys.remove(customer.id, gone.id, uow.now):
        raise not_found()
    await uow.sessions.revoke_opened_by(customer.id, gone.id, uow.now)
    await tell_removed(uow, customer.id, WayIn(SignInMethod.PASSKEY, gone.id))
    return gone.id


async def _signs_in_without(uow: UnitOfWork, customer: CustomerProfile) -> bool:
    """Tell whether the customer can sign in without any passkey: by a password or a mail, or by a social account."""
    tenant = uow.tenant
    if tenant.password_login and (customer.has_password or customer.email is not None):
        return True
    if tenant.login_code and customer.email is not None:
        return True
    identities = await uow.social_identities.list(customer.id)
    return any(tenant.find_social_provider(identity.provider) is not None for identity in identities)


def check_name(name: str) -> str:
    """Return the name of a passkey, normalized; REQUIRED, INVALID, TOO_LONG at `name`."""
    problems = Problems()
    checked = problems.check(required_line(PASSKEY_NAME_LENGTH), name, "name")
    problems.raise_if_any()
    return checked or ""


def not_found() -> DomainError:
    """Return NOT_FOUND."""
    return refuse(UserErrorCode.NOT_FOUND, "You have no passkey with this id.", "id")
