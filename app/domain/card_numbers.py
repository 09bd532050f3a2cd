"""Finds payment card numbers in texts that must not contain one: only the payment provider may have them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

SHORTEST = 12
LONGEST = 19
_SEPARATING_CATEGORIES = frozenset({"Zs", "Pd"})


def holds_card_number(text: str) -> bool:
    """Tell whether 12 to 19 digits in the text, with spaces or dashes between them or not, are a card number.

    A card number ends with the check digit of ISO/IEC 7812-1, so one in ten other numbers of this length counts as one
    too. Digits of any script count; invisible characters between them do not.
    """
    return any(
        SHORTEST <= len(digits) <= LONGEST and _has_check_digit(digits)
        for groups in _sequences(text)
        for digits in _neighbours(groups)
    )


def _sequences(text: str) -> Iterator[list[str]]:
    """Yield each sequence of digit groups with only spaces and dashes between them: `4111 1111 x 22` has two."""
    groups = [""]
    for character in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(character)
        if category == "Nd":
            groups[-1] += str(unicodedata.digit(character))
        elif category in _SEPARATING_CATEGORIES:
            groups.append("")
        elif category != "Cf":
            yield list(filter(None, groups))
            groups = [""]
    yield list(filter(None, groups))


def _neighbours(groups: list[str]) -> Iterator[str]:
    """Yield all joined runs of adjacent groups, because an expiry date may follow the number."""
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > LONGEST:
                break
            yield digits


def _has_check_digit(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + position % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
