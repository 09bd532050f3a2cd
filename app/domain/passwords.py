"""The password policy: length, the offline list of common passwords, and the person's own words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.errors import Refused, UserErrorCode

MINIMUM_LENGTH = 8
MAXIMUM_LENGTH = 256
_PERSONAL_LENGTH = 4
# zxcvbn carries the 30,000 most common passwords and counts the guesses up to a match in that order, one on top. What
# needs no more is one of them, or no harder to guess: 88888888, qwertyuiop, p@ssw0rd. It ignores nothing but the case.
_COMMON_GUESSES = 30_001
# The estimate is quadratic in the length; a start as long as this that is easy to guess is a mere repetition.
_JUDGED_LENGTH = 24


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What a shop asks of its customers' passwords; `minimum_length` in code points."""

    shop_name: str
    minimum_length: int = MINIMUM_LENGTH

    def check(self, password: str, personal: Iterable[str | None] = ()) -> str:
        """Return the password exactly as typed.

        `personal` are the local part of the person's address and their names. A long password may contain such a word
        or the shop's name. But what is left without these words (those of 4 or more characters, in any case) must have
        8 characters and not be common itself. Raises `Refused` with PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG (over 256
        code points), PASSWORD_TOO_COMMON or PASSWORD_TOO_PERSONAL.
        """
        if len(password) < self.minimum_length:
            raise Refused(
                UserErrorCode.PASSWORD_TOO_SHORT,
                f"Please use at least {self.minimum_length} characters for the password.",
            )
        if len(password) > MAXIMUM_LENGTH:
            raise Refused(
                UserErrorCode.PASSWORD_TOO_LONG, f"Please use at most {MAXIMUM_LENGTH} characters for the password."
            )
        folded = _fold(password)
        if _is_common(folded):
            raise Refused(
                UserErrorCode.PASSWORD_TOO_COMMON,
                "Many people use this password: please choose one that is harder to guess.",
            )
        rest = _without(_words(self.shop_name, *personal), folded)
        if rest != folded and (len(rest) < MINIMUM_LENGTH or _is_common(rest)):
            raise Refused(
                UserErrorCode.PASSWORD_TOO_PERSONAL,
                "Please choose a password that is not made of your name, your e-mail address or the name of the shop.",
            )
        return password


def _is_common(folded: str) -> bool:
    # Imported here because its lists take 12 MiB, which a process that checks no password need not have. It takes 20
    # ms.
    from zxcvbn import zxcvbn

    return bool(zxcvbn(folded[:_JUDGED_LENGTH])["guesses"] <= _COMMON_GUESSES)


def _words(*texts: str | None) -> set[str]:
    """Each text as a whole, without its spaces, and each of its words: Demo shop, demoshop, demo, shop."""
    words: set[str] = set()
    for text in texts:
        folded = _fold(text or "").strip()
        parts = re.findall(r"[^\W_]+", folded)
        words.update((folded, "".join(parts), *parts))
    return {word for word in words if len(word) >= _PERSONAL_LENGTH}


def _without(words: set[str], folded: str) -> str:
    for word in sorted(words, key=len, reverse=True):
        folded = folded.replace(word, "")
    return folded


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
