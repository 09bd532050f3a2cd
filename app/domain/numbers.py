"""Whole numbers that people give, within their bounds."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.errors import Refused, UserErrorCode


def whole_number(least: int, most: int) -> Callable[[int | None], int]:
    """Return the rule for a required number: REQUIRED for None, INVALID for a number out of bounds."""

    def rule(number: int | None) -> int:
        if number is None:
            raise Refused(UserErrorCode.REQUIRED, "Please fill in this field.")
        if not least <= number <= most:
            raise Refused(UserErrorCode.INVALID, f"Please use a whole number from {least} to {most}.")
        return number

    return rule
