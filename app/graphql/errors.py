"""User errors as they stand in payloads."""

from __future__ import annotations

import strawberry

from app.domain.errors import DomainError, UserErrorCode

strawberry.enum(
    UserErrorCode,
    description="What is wrong with the input. Branch on it; show `message` to the person.",
)


@strawberry.type(description="Something in the input that a person can put right. Nothing was written.")
class UserError:
    """One field error."""

    code: UserErrorCode = strawberry.field(description="What is wrong, for a program: `REQUIRED`, `INVALID_EMAIL`, …")
    field: list[str] | None = strawberry.field(
        description='The path inside `input`, such as `["customerAddress", "city"]`; null when it is about the whole.'
    )
    message: str = strawberry.field(description="What to put right, in a sentence for a person.")


def present(error: DomainError) -> list[UserError]:
    """Return the user errors of a payload."""
    return [UserError(code=each.code, field=list(each.field) or None, message=each.message) for each in error.errors]
