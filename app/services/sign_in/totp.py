"""TOTP and recovery codes as an answer: each code works once, and nobody guesses on over many tickets."""

from __future__ import annotations

from hmac import compare_digest

from app.domain.audit import AuditAction
from app.domain.errors import DomainError, UserErrorCode
from app.domain.ports import Limit
from app.domain.sign_in import Factor, SignInMethod
from app.domain.totp import hash_recovery_code, step_of
from app.models.totp import TotpSecret
from app.services.audit import record_failure
from app.services.limits import DAY, HOUR, clear, hit
from app.services.sessions.tickets import invalid_ticket, wrong_code
from app.services.sign_in.attempts import Attempt, Proved
from app.services.unit_of_work import UnitOfWork

# NIST SP 800-63B section 5.2.2 wants no more than 100 failures in a row. The right code forgets them.
_GUESSES = (Limit("second_factor.hour", 30, HOUR), Limit("second_factor.day", 100, DAY))


async def verify_totp(uow: UnitOfWork, attempt: Attempt) -> Proved:
    """Tell that a code of the app is right, and use its time step up; CODE_INVALID."""
    totp = await _find(uow, attempt)
    step = step_of(uow.tools.sealer.open(totp.secret), attempt.text, uow.now)
    if step is None:
        raise _refused(uow, attempt)
    await _lock(uow, totp.customer_id)
    if not await uow.totp.use_step(totp.customer_id, totp.id, step, uow.now):
        raise _refused(uow, attempt)
    return await _proved(uow, totp, SignInMethod.TOTP)


async def verify_recovery_code(uow: UnitOfWork, attempt: Attempt) -> Proved:
    """Tell that a recovery code is right, and use it up; CODE_INVALID."""
    totp = await _find(uow, attempt)
    wanted = hash_recovery_code(uow.tools.sealer.open(totp.secret), attempt.text)
    unused = await uow.recovery_codes.list_unused(totp.customer_id, totp.id)
    code = next((each for each in unused if compare_digest(each.code_hash, wanted)), None)
    if code is None:
        raise _refused(uow, attempt)
    await _lock(uow, totp.customer_id)
    if not await uow.recovery_codes.claim(totp.customer_id, code.id, uow.now):
        raise _refused(uow, attempt)
    return await _proved(uow, totp, SignInMethod.RECOVERY_CODE)


async def _find(uow: UnitOfWork, attempt: Attempt) -> TotpSecret:
    """Return the secret of whom the proof is wanted of, and count the try as if it were wrong."""
    totp = await uow.totp.find(attempt.customer_id or "")
    if totp is None:
        raise invalid_ticket()
    for limit in _GUESSES:
        await hit(uow, limit, totp.customer_id)
    return totp


async def _lock(uow: UnitOfWork, customer_id: str) -> None:
    if await uow.customers.lock(customer_id) is None:
        raise invalid_ticket()


async def _proved(uow: UnitOfWork, totp: TotpSecret, method: SignInMethod) -> Proved:
    for limit in _GUESSES:
        await clear(uow, limit, totp.customer_id)
    return Proved(totp.customer_id, Factor(method))


def _refused(uow: UnitOfWork, attempt: Attempt) -> DomainError:
    action = AuditAction.LOGIN if attempt.ticket is not None else AuditAction.REAUTHENTICATION
    record_failure(uow, action, attempt.customer_id, reason=UserErrorCode.CODE_INVALID)
    return wrong_code(attempt.field)
