"""The password as a step of a login, or as a proof within a session; the first step is `sessions.login`."""

from __future__ import annotations

from app.domain.audit import AuditAction
from app.domain.errors import UserErrorCode, refuse
from app.domain.sign_in import Factor, SignInMethod
from app.services.audit import record_failure
from app.services.sessions.guessing import Guess, verify_password
from app.services.sign_in.attempts import Attempt, Proved
from app.services.unit_of_work import UnitOfWork


async def verify_login_password(uow: UnitOfWork, attempt: Attempt) -> Proved:
    """Tell that the password is right; INVALID_CREDENTIALS. It is counted as every guess of a password is."""
    credential = await uow.credentials.find(attempt.customer_id or "")
    customer_id = credential.customer_id if credential is not None else ""
    guess = Guess(
        (credential.email if credential is not None else None) or customer_id,
        attempt.text,
        credential.password_hash if credential is not None else None,
        customer_id,
        _known_as(uow),
    )
    if not await verify_password(uow, guess):
        record_failure(uow, AuditAction.LOGIN, customer_id or None, reason=UserErrorCode.INVALID_CREDENTIALS)
        raise refuse(UserErrorCode.INVALID_CREDENTIALS, "The password is not right.", attempt.field)
    return Proved(customer_id, Factor(SignInMethod.PASSWORD))


def _known_as(uow: UnitOfWork) -> str | None:
    """Return the session that the account knows: its own, which guesses of strangers do not hold up."""
    principal = uow.caller.require_principal()
    return principal.session_id if principal.customer_id is not None else None
