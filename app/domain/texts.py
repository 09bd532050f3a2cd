"""One-line texts such as names and streets: trimmed, normalized, without invisible characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from app.domain.errors import Refused, UserErrorCode

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_BREAKING_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_SPACED_CATEGORIES = frozenset({"Cc", "Zl", "Zp"})
# Embeddings, overrides and isolates reorder the text around them. The marks LRM, RLM and ALM do not, and names in
# Hebrew and Arabic need them.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def required_line(maximum: int) -> Callable[[str | None], str]:
    """Return the rule for a required line with at most `maximum` code points.

    The rule returns the text without outer white space, in Unicode normalization form C. It raises `Refused` with
    REQUIRED for a missing or empty line, INVALID for line breaks, other control characters, bidirectional overrides
    and lone surrogates, and TOO_LONG.
    """

    def rule(text: str | None) -> str:
        line = _normalize(text, maximum)
        if line is None:
            raise Refused(UserErrorCode.REQUIRED, "Please fill in this field.")
        return line

    return rule


def optional_line(maximum: int) -> Callable[[str | None], str | None]:
    """Return the rule for an optional line: like `required_line`, but an empty line counts as None."""

    def rule(text: str | None) -> str | None:
        return _normalize(text, maximum)

    return rule


def mapped_line(text: str, maximum: int) -> str | None:
    """Return what the rule of a line would take of a text that nobody can be asked to correct; None for a blank one.

    Line breaks and other control characters become spaces, what reorders its surroundings and what no system can store
    goes, and so does what is more than `maximum` code points. Joiners and no-break spaces stay.
    """
    spaced = "".join(" " if unicodedata.category(each) in _SPACED_CATEGORIES else each for each in text)
    kept = "".join(each for each in spaced if not _breaks_a_line(each))
    line = unicodedata.normalize("NFC", kept).strip()[:maximum].strip()
    return None if is_blank(line) else line


def is_blank(text: str) -> bool:
    """Tell whether the text has no visible character: an optional field with such a text counts as left out."""
    return all(unicodedata.category(character) in _INVISIBLE_CATEGORIES for character in text)


def is_well_formed(text: str) -> bool:
    """Tell whether every system can store the text: it has no NUL and no lone surrogate."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def _normalize(text: str | None, maximum: int) -> str | None:
    if text is None:
        return None
    trimmed = text.strip()
    if any(map(_breaks_a_line, trimmed)):
        raise Refused(
            UserErrorCode.INVALID, "Please use one line of plain text, without line breaks or hidden characters."
        )
    if is_blank(trimmed):
        return None
    line = unicodedata.normalize("NFC", trimmed)
    if len(line) > maximum:
        raise Refused(UserErrorCode.TOO_LONG, f"Please use at most {maximum} characters.")
    return line


def _breaks_a_line(character: str) -> bool:
    return character in _REORDERING or unicodedata.category(character) in _BREAKING_CATEGORIES


def plain_sign(character: str) -> str | None:
    """Return what a character means where only digits and signs count; None if it depends on what is written.

    A digit of any script is that digit, a blank of any width is a blank, and an invisible mark is nothing.
    """
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return {"Cf": "", "Zs": " "}.get(category)
