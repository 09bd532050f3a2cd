"""Telephone numbers, kept in the international form of E.164."""

from __future__ import annotations

import re

import phonenumbers

from app.domain.errors import Refused, UserErrorCode

# Letters are refused because the library would drop them: a vanity number, or an extension that E.164 cannot hold.
_FORM = re.compile(r"[+\uff0b]?[\d ()./\u00a0\u2010-\u2013-]{2,40}")


def parse_phone(text: str, country: str | None) -> str:
    """Return the number in E.164 (`+49301234567`), reading a national one by its country (ISO 3166-1 alpha-2).

    Spaces, brackets, dots, slashes and hyphens are dropped. Raises `Refused` with INVALID_PHONE for a number that
    is not in use, for a national one without its country, and for extensions.
    """
    trimmed = text.strip()
    if not _FORM.fullmatch(trimmed):
        raise _refusal()
    try:
        number = phonenumbers.parse(trimmed, country and country.upper())
    except phonenumbers.NumberParseException as error:
        raise _refusal() from error
    if not phonenumbers.is_valid_number(number):
        raise _refusal()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refusal() -> Refused:
    return Refused(
        UserErrorCode.INVALID_PHONE, "Please enter a phone number with its country code, such as +49 30 1234567."
    )
