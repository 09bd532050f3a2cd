"""The table of methods: who verifies the answer of each, and where in an input the answer stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.errors import DomainError, FieldError, UserErrorCode, refuse
from app.domain.sign_in import SignInMethod
from app.services.sign_in.attempts import Verifier
from app.services.sign_in.codes import verify_email_code
from app.services.sign_in.passkeys import verify_passkey
from app.services.sign_in.password import verify_login_password
from app.services.sign_in.phone_codes import verify_phone_code
from app.services.sign_in.totp import verify_recovery_code, verify_totp

VERIFIERS: Mapping[SignInMethod, Verifier] = {
    SignInMethod.PASSWORD: verify_login_password,
    SignInMethod.EMAIL_CODE: verify_email_code,
    SignInMethod.PHONE_CODE: verify_phone_code,
    SignInMethod.PASSKEY: verify_passkey,
    SignInMethod.TOTP: verify_totp,
    SignInMethod.RECOVERY_CODE: verify_recovery_code,
}

ANSWER_FIELDS: Mapping[str, SignInMethod] = {
    "password": SignInMethod.PASSWORD,
    "emailCode": SignInMethod.EMAIL_CODE,
    "phoneCode": SignInMethod.PHONE_CODE,
    "passkey": SignInMethod.PASSKEY,
    "totp": SignInMethod.TOTP,
    "recoveryCode": SignInMethod.RECOVERY_CODE,
}
CODES = frozenset({SignInMethod.EMAIL_CODE, SignInMethod.PHONE_CODE})


def pick_answer(answers: Mapping[str, Any]) -> tuple[SignInMethod, str, Any]:
    """Return the method, the field and the answer of the one that was given.

    REQUIRED where none was, INVALID at each that is too many.
    """
    given = [field for field, answer in answers.items() if answer is not None]
    if not given:
        raise refuse(UserErrorCode.REQUIRED, f"Please give one of these: {', '.join(answers)}.")
    if len(given) > 1:
        message = "Give exactly one answer."
        raise DomainError(*(FieldError(UserErrorCode.INVALID, (field,), message) for field in given[1:]))
    field = given[0]
    return ANSWER_FIELDS[field], field, answers[field]
