"""Checks again who the customer is, before something sensitive."""

from __future__ import annotations

from datetime import timedelta

from app.domain.audit import AuditAction
from app.domain.errors import AccessCode, AccessError, UserErrorCode, refuse
from app.models.credentials import Credential
from app.services.audit import record_failure
from app.services.sessions.guessing import Guess, verify_password
from app.services.unit_of_work import UnitOfWork


async def reauthenticate(uow: UnitOfWork, password: str | None, *field: str) -> Credential:
    """Return the caller's credential after a check: by the password, or without one by a recent login.

    INVALID_CREDENTIALS at `field` for a wrong password, and for any from a customer who has none;
    REAUTHENTICATION_REQUIRED for none and a login longer ago than `reauthentication_seconds`. Call it before the first
    write; afterwards compare the version of the credential, or change it only at this version.
    """
    customer = uow.caller.require_customer()
    principal = uow.caller.require_principal()
    credential = await uow.credentials.find(customer.id)
    if credential is None:
        raise refuse(UserErrorCode.NOT_FOUND, "This customer no longer exists.")
    if password is not None:
        # The account knows its own session: whatever strangers have tried does not hold it up.
        guess = Guess(
            credential.email or customer.id, password, credential.password_hash, customer.id, principal.session_id
        )
        if not await verify_password(uow, guess):
            record_failure(uow, AuditAction.REAUTHENTICATION, customer.id, reason=UserErrorCode.INVALID_CREDENTIALS)
            raise refuse(UserErrorCode.INVALID_CREDENTIALS, "The password is not right.", *field)
    elif not principal.is_fresh(uow.now, timedelta(seconds=uow.tenant.reauthentication_seconds)):
        record_failure(uow, AuditAction.REAUTHENTICATION, customer.id, reason=AccessCode.REAUTHENTICATION_REQUIRED)
        raise AccessError(
            AccessCode.REAUTHENTICATION_REQUIRED, "Send the password with the call, or log in again first."
        )
    return credential
