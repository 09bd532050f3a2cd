"""The two kinds of refusal: what a person can correct, and what the calling program must handle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class UserErrorCode(StrEnum):
    """What is wrong with the input, for programs. Each error also has a message for a person."""

    REQUIRED = "REQUIRED"
    INVALID = "INVALID"
    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    INVALID_EMAIL = "INVALID_EMAIL"
    INVALID_COUNTRY = "INVALID_COUNTRY"
    INVALID_ZIP_CODE = "INVALID_ZIP_CODE"
    INVALID_STATE = "INVALID_STATE"
    INVALID_PHONE = "INVALID_PHONE"
    INVALID_LANGUAGE = "INVALID_LANGUAGE"
    INVALID_CURRENCY = "INVALID_CURRENCY"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    ACCOUNT_INACTIVE = "ACCOUNT_INACTIVE"
    ACCOUNT_ON_HOLD = "ACCOUNT_ON_HOLD"
    ACCOUNT_MERGED = "ACCOUNT_MERGED"
    EMAIL_NOT_CONFIRMED = "EMAIL_NOT_CONFIRMED"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    TAKEN = "TAKEN"
    PASSWORD_TOO_SHORT = "PASSWORD_TOO_SHORT"
    PASSWORD_TOO_LONG = "PASSWORD_TOO_LONG"
    PASSWORD_TOO_COMMON = "PASSWORD_TOO_COMMON"
    PASSWORD_TOO_PERSONAL = "PASSWORD_TOO_PERSONAL"
    PASSWORD_REQUIRED = "PASSWORD_REQUIRED"
    TOKEN_INVALID = "TOKEN_INVALID"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    TOKEN_REUSED = "TOKEN_REUSED"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    NOT_FOUND = "NOT_FOUND"
    LIMIT_REACHED = "LIMIT_REACHED"
    ANONYMIZATION_OPEN = "ANONYMIZATION_OPEN"
    ANONYMIZATION_NOT_CANCELABLE = "ANONYMIZATION_NOT_CANCELABLE"
    PROVIDER_UNKNOWN = "PROVIDER_UNKNOWN"
    PROVIDER_REFUSED = "PROVIDER_REFUSED"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    REDIRECT_URI_NOT_ALLOWED = "REDIRECT_URI_NOT_ALLOWED"
    LINK_CONFIRMATION_REQUIRED = "LINK_CONFIRMATION_REQUIRED"
    SOCIAL_ACCOUNT_TAKEN = "SOCIAL_ACCOUNT_TAKEN"
    LAST_SIGN_IN_METHOD = "LAST_SIGN_IN_METHOD"
    CODE_INVALID = "CODE_INVALID"
    CODE_EXPIRED = "CODE_EXPIRED"
    TICKET_INVALID = "TICKET_INVALID"
    PASSKEY_INVALID = "PASSKEY_INVALID"
    METHOD_OFF = "METHOD_OFF"
    PASSWORD_LOGIN_OFF = "PASSWORD_LOGIN_OFF"
    PASSWORD_BREACHED = "PASSWORD_BREACHED"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing to correct: its code, the path inside `input`, and a sentence for the person."""

    code: UserErrorCode
    field: tuple[str, ...]
    message: str


class Refused(ValueError):
    """What a rule raises when one value breaks it; `Problems` gathers them into one `DomainError`."""

    def __init__(self, code: UserErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class DomainError(Exception):
    """What a person can correct; becomes the `userErrors` of a payload.

    Raising it rolls the unit of work back, unless it is `durable`: then what was written stays. For example, a reused
    refresh token has revoked its family, and the family must stay revoked.
    """

    def __init__(self, *errors: FieldError, durable: bool = False) -> None:
        super().__init__(", ".join(f"{'.'.join(error.field)}: {error.code}" for error in errors))
        self.errors = errors
        self.durable = durable


def refuse(code: UserErrorCode, message: str, *field: str, durable: bool = False) -> DomainError:
    """Return the error for one field, to be raised."""
    return DomainError(FieldError(code, field, message), durable=durable)


@unique
class AccessCode(StrEnum):
    """What the calling program must handle; becomes `errors[].extensions.code`."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    REAUTHENTICATION_REQUIRED = "REAUTHENTICATION_REQUIRED"
    RATE_LIMITED = "RATE_LIMITED"
    CHALLENGE_REQUIRED = "CHALLENGE_REQUIRED"
    SERVICE_BUSY = "SERVICE_BUSY"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    BAD_REQUEST = "BAD_REQUEST"
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    OPERATION_NOT_ALLOWED = "OPERATION_NOT_ALLOWED"
    INTERNAL = "INTERNAL"


@unique
class UnauthenticatedReason(StrEnum):
    """Why an access token is not accepted."""

    MISSING = "MISSING"
    INVALID = "INVALID"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


class AccessError(Exception):
    """What the calling program must handle; becomes a top-level error of the answer.

    `durable` as in `DomainError`; `retry_after` in whole seconds; `more` is what else the program has to know.
    """

    def __init__(
        self,
        code: AccessCode,
        message: str,
        *,
        reason: UnauthenticatedReason | None = None,
        retry_after: int | None = None,
        more: Mapping[str, str | list[str]] | None = None,
        durable: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.retry_after = retry_after
        self.more = more or {}
        self.durable = durable

    @property
    def extensions(self) -> dict[str, str | int | list[str]]:
        """The part of the answer for programs: the code, and the reason or the seconds to wait if there are any."""
        extensions: dict[str, str | int | list[str]] = {"code": self.code.value, **self.more}
        if self.reason is not None:
            extensions["reason"] = self.reason.value
        if self.retry_after is not None:
            extensions["retryAfter"] = self.retry_after
        return extensions


class HeaderRefused(AccessError):
    """A header of the request is refused, so the request fails as one of HTTP, whatever the client accepts."""


@unique
class BusyOutcome(StrEnum):
    """What has become of the work that SERVICE_BUSY is about. UNKNOWN: its COMMIT was sent and not answered."""

    NOT_DONE = "NOT_DONE"
    UNKNOWN = "UNKNOWN"


class BusyError(AccessError):
    """SERVICE_BUSY, which always says when to try again, and what has become of the work.

    UNKNOWN is for a COMMIT that was sent and whose answer did not come, and for nothing else: a database that is full,
    read-only, out of reach or too slow before that has done nothing, and neither has one that has refused the COMMIT.
    """

    def __init__(self, message: str, *, outcome: BusyOutcome = BusyOutcome.NOT_DONE, retry_after: int = 1) -> None:
        super().__init__(AccessCode.SERVICE_BUSY, message, retry_after=retry_after, more={"outcome": outcome.value})
        self.outcome = outcome


class ConflictError(BusyError):
    """Of transactions that were in each other's way the database has ended this one, and has done nothing of it.

    Who begins again with all that was read may well succeed at once.
    """


def unauthenticated(reason: UnauthenticatedReason) -> AccessError:
    """Return the error for a token that is missing, unknown, expired or revoked."""
    message = {
        UnauthenticatedReason.MISSING: "This operation needs an access token in the Authorization header.",
        UnauthenticatedReason.INVALID: "The access token is not one of ours.",
        UnauthenticatedReason.EXPIRED: "The access token has expired: refresh it.",
        UnauthenticatedReason.REVOKED: "The access token was revoked: log in again.",
    }[reason]
    return AccessError(AccessCode.UNAUTHENTICATED, message, reason=reason)


def forbidden(message: str) -> AccessError:
    """Return the error for a caller whose token may not do this."""
    return AccessError(AccessCode.FORBIDDEN, message)
