"""The references of other systems: shopper references, customer numbers, order references, group codes."""

from __future__ import annotations

import re

from app.domain.errors import Refused, UserErrorCode
from app.domain.texts import required_line

SHOPPER_REFERENCE_MINIMUM = 3
_CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_NUMBER_LENGTH = 32
_CODE_LENGTH = 64

parse_order_reference = required_line(128)
_shopper_reference_line = required_line(128)


def parse_shopper_reference(text: str | None) -> str:
    """Return a shopper reference: one line of 3 to 128 characters. Raises `Refused`; REQUIRED for None."""
    line = _shopper_reference_line(text)
    if len(line) < SHOPPER_REFERENCE_MINIMUM:
        raise Refused(UserErrorCode.TOO_SHORT, f"Please use at least {SHOPPER_REFERENCE_MINIMUM} characters.")
    return line


def parse_customer_number(text: str) -> str:
    """Return a customer number of another system: at most 32 letters, digits, `.`, `_`, `-`. Raises `Refused`."""
    return _parse_code(text, _NUMBER_LENGTH)


def parse_group_code(text: str | None) -> str:
    """Return the code of a customer group: at most 64 letters, digits, `.`, `_`, `-`. Raises `Refused`."""
    return _parse_code(text, _CODE_LENGTH)


def _parse_code(text: str | None, maximum: int) -> str:
    code = required_line(maximum)(text)
    if _CODE.fullmatch(code) is None:
        raise Refused(
            UserErrorCode.INVALID, "Please use only letters, digits, '.', '_' and '-', a letter or digit at both ends."
        )
    return code
