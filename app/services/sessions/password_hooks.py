"""The first login of somebody whose password is still in the old shop: that is asked, and the password then is ours."""

from __future__ import annotations

import asyncio

from app.domain.audit import AuditAction
from app.domain.errors import BusyError
from app.domain.ports import PasswordQuestion
from app.domain.tenants import PasswordHook
from app.models.credentials import Credential, Maker
from app.services.audit import record, record_failure
from app.services.unit_of_work import UnitOfWork

# Seconds after which a login may try again while the old shop does not answer.
_RETRY_AFTER = 5


def is_elsewhere(credential: Credential) -> bool:
    """Tell whether the password is still in the old shop.

    That is so for who was imported without a hash that we can compare with, as long as neither the password nor the
    address has changed since. Whoever signed up here, or was made by staff, was never in the old shop.
    """
    has_had_password = credential.password_hash is not None or credential.password_set_at is not None
    return credential.made_by == Maker.IMPORT.value and credential.version == 1 and not has_had_password


async def is_right_elsewhere(uow: UnitOfWork, hook: PasswordHook, credential: Credential, password: str) -> bool:
    """Ask the old shop whether the password is right, and if it is, store its hash at once, whatever the login brings.

    No connection to the database is held meanwhile. Of several first logins at once, and of one beside a new password,
    the database decides which is stored; the others are compared with that. Raises `BusyError` where the old shop does
    not tell.
    """
    if not await _ask(uow, hook, credential, password):
        return False
    encoded = await uow.hash_password(password)
    async with uow.beside() as own:
        if await _store(own, credential, encoded):
            return True
    stored = await uow.credentials.find(credential.customer_id)
    return stored is not None and await uow.verify_password(stored.password_hash, password)


async def _ask(uow: UnitOfWork, hook: PasswordHook, credential: Credential, password: str) -> bool:
    uow.hold_nothing()
    uow.may_begin_again = False  # The old shop may count its tries.
    question = PasswordQuestion(uow.tools.random.new_id(), credential.email or "", password)
    now = asyncio.get_running_loop().time
    began, outcome = now(), "unavailable"
    try:
        is_right = await uow.tools.password_hooks.is_right(hook, question)
        outcome = "right" if is_right else "wrong"
    except OSError as error:
        record_failure(uow, AuditAction.PASSWORD_TAKEN_OVER, credential.customer_id, reason="SERVICE_BUSY")
        raise BusyError(
            "The shop cannot check this password at the moment: try again in a few seconds.", retry_after=_RETRY_AFTER
        ) from error
    finally:
        uow.tools.metrics.password_hook_asked(outcome, now() - began)
    return is_right


async def _store(uow: UnitOfWork, credential: Credential, encoded: str) -> bool:
    """Store the hash of a customer who still has none, in an account that is open."""
    customer_id = credential.customer_id
    if await uow.customers.lock(customer_id) is None:
        return False
    if not await uow.credentials.take_over_password(customer_id, credential.version, encoded, uow.now):
        return False
    await record(uow, AuditAction.PASSWORD_TAKEN_OVER, customer_id)
    return True
