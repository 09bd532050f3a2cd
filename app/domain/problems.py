"""Collects all errors in one call's input, so that the person sees them together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from app.domain.errors import DomainError, FieldError, Refused, UserErrorCode

Value = TypeVar("Value")
Result = TypeVar("Result")


class Problems:
    """The field errors found so far."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    @property
    def errors(self) -> tuple[FieldError, ...]:
        """The field errors found so far."""
        return tuple(self._errors)

    def has(self, *field: str) -> bool:
        """Tell whether something is wrong with the field already."""
        return any(each.field == field for each in self._errors)

    def add(self, code: UserErrorCode, message: str, *field: str) -> None:
        """Note one thing to put right; `field` is the path inside `input`."""
        self._errors.append(FieldError(code, field, message))

    def check(self, rule: Callable[[Value], Result], value: Value, *field: str) -> Result | None:
        """Return what the rule makes of the value, or note its refusal and return None.

        A rule for a value with parts raises a `DomainError`, whose fields are paths inside the value.
        """
        try:
            return rule(value)
        except Refused as refusal:
            self.add(refusal.code, refusal.message, *field)
        except DomainError as refusals:
            for each in refusals.errors:
                self.add(each.code, each.message, *field, *each.field)
        return None

    def raise_if_any(self) -> None:
        """Raise all errors as one `DomainError`. Call it before anything is written."""
        if self._errors:
            raise DomainError(*self._errors)
