"""Phone numbers: typed in any way, and stored in the international form of E.164 if the country is known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult

from app.domain.errors import Refused, UserErrorCode
from app.domain.texts import plain_sign

MAXIMUM_LENGTH = 32
# The shortest subscriber numbers have four digits, and E.164 allows fifteen.
_FEWEST_DIGITS, _MOST_DIGITS = 4, 15
# Letters are refused because the library would drop them: a vanity number, or an extension that E.164 cannot hold.
_FORM = re.compile(r"\+?[\d ()\[\]./-]+", re.ASCII)
_BRACKET_BEFORE_PLUS = re.compile(r"^[(\[ ]+(?=\+)")
# Signs that stand for another and are not of the Unicode category of dashes: minus, the long-vowel marks of Katakana,
# middle dots, and what a keyboard for Chinese, Japanese or Korean writes in full width.
_SIGNS = {
    "\u2212": "-",
    "\u30fc": "-",
    "\uff70": "-",
    "\u00b7": ".",
    "\u2022": ".",
    "\u30fb": ".",
    "\uff65": ".",
    "\u2044": "/",
    "\u2215": "/",
    "\ufe62": "+",
    **{chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum()},
    # The library would take what stands behind a tilde for an extension, and drop it.
    **dict.fromkeys("~\u2053\u223c\uff5e", "-"),
}


def parse_phone(text: str, *countries: str | None) -> str:
    """Return the number in E.164 (`+49301234567`), or as it was typed if its country is not known.

    A national number is read by the first of the countries (ISO 3166-1 alpha-2) in which it is in use, or else by the
    first in which there could be such a number; one that could be in none of them is some other country's. Digits and
    signs of any script are read, and invisible marks are not. Raises `Refused` with INVALID_PHONE for what cannot be a
    number: letters (so extensions as well), too few digits or too many, a calling code that there is not.
    """
    typed = _BRACKET_BEFORE_PLUS.sub("", re.sub(" +", " ", "".join(map(_plain, text)).strip()))
    digits = re.sub(r"\D", "", typed)
    if not _FORM.fullmatch(typed) or not _FEWEST_DIGITS <= len(digits.lstrip("0")) <= _MOST_DIGITS:
        raise _no_phone()
    if typed.startswith("+"):
        return _international(typed)
    number = _national(typed, [country.upper() for country in countries if country is not None])
    if number is not None:
        return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return typed if len(typed) <= MAXIMUM_LENGTH else digits[-MAXIMUM_LENGTH:]


def phone_words(stored: str) -> tuple[str, ...]:
    """Return the digits by which somebody looks for a stored number.

    With its calling code, as dialled in its country, with and without the first zero, and each group of that.
    """
    digits = re.sub(r"\D", "", stored)
    if not stored.startswith("+"):
        return (digits,)
    try:
        number = phonenumbers.parse(stored)
    except phonenumbers.NumberParseException:
        return (digits,)
    groups = re.findall(r"\d+", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    return digits, phonenumbers.national_significant_number(number), "".join(groups), *groups


def _plain(character: str) -> str:
    """Return what a character means in a phone number; an empty text for an invisible mark."""
    meant = plain_sign(character)
    if meant is not None:
        return meant
    if character in _SIGNS:
        return _SIGNS[character]
    return "-" if unicodedata.category(character) == "Pd" else character


def _international(typed: str) -> str:
    try:
        number = phonenumbers.parse(typed)
    except phonenumbers.NumberParseException as error:
        raise _no_phone() from error
    # In some countries the digits behind the area code alone are a number too, but hardly two or three of them.
    if not phonenumbers.is_possible_number(number) or number.national_number < 10 ** (_FEWEST_DIGITS - 1):
        raise _no_phone()
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _national(typed: str, countries: Sequence[str]) -> PhoneNumber | None:
    """Return the number in the country that it fits; None if it fits none, or has no area code."""
    possible = [number for country in dict.fromkeys(countries) if (number := _possible(typed, country)) is not None]
    in_use = (number for number in possible if phonenumbers.is_valid_number(number))
    return next(in_use, possible[0] if possible else None)


def _possible(typed: str, country: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(typed, country)
    except phonenumbers.NumberParseException:
        return None
    whole = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    if number.italian_leading_zero and not phonenumbers.is_valid_number(number):
        # A zero that this country does not dial: 044 668 18 00 is no number of New York.
        return None
    return number if whole else None


def _no_phone() -> Refused:
    return Refused(
        UserErrorCode.INVALID_PHONE,
        "Please enter a phone number with its country code, such as +49 30 1234567, and without an extension.",
    )
