"""The password policy: length, what many people use, and the person's own words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from app.domain.calendar_words import UMLAUTS, calendar_words
from app.domain.errors import Refused, UserErrorCode
from app.domain.listed_passwords import is_listed

MINIMUM_LENGTH = 8
MAXIMUM_LENGTH = 256
_PERSONAL_LENGTH = 4
# Shorter ones count only where nothing else but numbers and signs is in the password: Ida-2026!
_SHORT_PERSONAL_LENGTH = 2
# As many digits and signs beside words as a date has do not make a password of them.
_DECORATION = 8
# zxcvbn carries the 30,000 most common passwords and counts the guesses up to a match in that order, one on top. What
# needs no more is one of them, or no harder to guess: 88888888, qwertyuiop, p@ssw0rd. It ignores nothing but the case.
_COMMON_GUESSES = 30_001
# The estimate is quadratic in the length; a start as long as this that is easy to guess is a mere repetition.
_JUDGED_LENGTH = 24
# Beyond this no list of words makes a whole password.
_SPELLED_LENGTH = 64
# What is written in the place of a letter, and the letters that share a place, under one of them.
_LOOKALIKES = str.maketrans("01l!|34@5$7+89", "oiiiieaassttbg")
_LEET = tuple(str.maketrans("0134578@$+!|", f"o{one}eastbast{one}{one}") for one in "il")
_TAIL = re.compile(r"[\W\d_]*$")


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What a shop asks of its customers' passwords; `minimum_length` in code points, `languages` of its sites."""

    shop_name: str
    minimum_length: int = MINIMUM_LENGTH
    languages: frozenset[str] = frozenset()

    def check(self, password: str, personal: Iterable[str | None] = ()) -> str:
        """Return the password exactly as typed.

        Common is what stands in the lists, also with digits and signs in the place of letters (p4ssw0rd), and a season,
        a month or a day with a number (Summer2026!). `personal` are the local part of the person's address and their
        names. Such a word, or the shop's name, does no harm inside a long password; but what is left without these
        words (those of 4 characters and more, however they are spelled) must be 8 characters that are not common
        themselves, and more than a number. Raises `Refused` with PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG (over 256 code
        points), PASSWORD_TOO_COMMON or PASSWORD_TOO_PERSONAL.
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
        folded, calendar = _fold(password), _calendar(self.languages)
        if _is_common(folded) or _is_made_of(folded, calendar):
            raise Refused(
                UserErrorCode.PASSWORD_TOO_COMMON,
                "Many people use this password, or one like it: please choose one that is harder to guess.",
            )
        own = _words(self.shop_name, *personal)
        rest = _without({word for word in own if len(word) >= _PERSONAL_LENGTH}, folded)
        if (rest != folded and (len(rest) < MINIMUM_LENGTH or _is_common(rest))) or _is_made_of(
            folded, _by_first_letter(own), calendar
        ):
            raise Refused(
                UserErrorCode.PASSWORD_TOO_PERSONAL,
                "Please choose a password that is not made of your name, your e-mail address or the name of the shop.",
            )
        return password


def _is_common(folded: str) -> bool:
    # Imported here because its lists take 12 MiB, which a process that checks no password need not have. It takes 20
    # ms.
    from zxcvbn import zxcvbn

    if any(map(is_listed, _spellings(folded))):
        return True
    return bool(zxcvbn(folded[:_JUDGED_LENGTH])["guesses"] <= _COMMON_GUESSES)


def _spellings(folded: str) -> set[str]:
    """Return the password, and the words that it may be with digits and signs in the place of letters."""
    if not any(character.isalpha() for character in folded):
        return {folded}
    tail = _TAIL.search(folded)
    head = folded[: tail.start()] if tail else folded
    return {folded, *(f"{head.translate(leet)}{folded[len(head) :]}" for leet in _LEET)} | {
        folded.translate(leet) for leet in _LEET
    }


def _is_made_of(folded: str, *lists: Mapping[str, Collection[str]]) -> bool:
    """Tell whether words, each perhaps with digits and signs in the place of letters, and a number are all of it."""
    plain = _without_marks(folded)
    if len(plain) > _SPELLED_LENGTH:
        return False
    text = _spell(plain)
    # How few digits and signs lie outside of words up to each place that words lead to; None where they lead not.
    fewest: list[int | None] = [0] + [None] * len(text)
    for place, character in enumerate(plain):
        so_far = fewest[place]
        if so_far is None:
            continue
        begin_so = [word for words in lists for word in words.get(text[place], ())]
        steps = [(place + len(word), so_far) for word in begin_so if text.startswith(word, place)]
        if not character.isalpha():
            steps.append((place + 1, so_far + 1))
        for end, count in steps:
            known = fewest[end]
            fewest[end] = count if known is None else min(known, count)
    least = fewest[-1]
    return least is not None and least <= _DECORATION and any(character.isalpha() for character in plain)


def _by_first_letter(words: Iterable[str]) -> Mapping[str, Collection[str]]:
    """Return how the words are spelled, under the letter that each begins with."""
    found: dict[str, set[str]] = {}
    for word in words:
        for way in (word, word.translate(UMLAUTS)):
            spelled = _spell(_without_marks(way))
            found.setdefault(spelled[:1], set()).add(spelled)
    return found


@lru_cache(maxsize=256)
def _calendar(languages: frozenset[str]) -> Mapping[str, Collection[str]]:
    return _by_first_letter(calendar_words(languages))


def _words(*texts: str | None) -> set[str]:
    """Each text as a whole, without its spaces, and each of its words: Demo shop, demoshop, demo, shop."""
    words: set[str] = set()
    for text in texts:
        folded = _fold(text or "").strip()
        parts = re.findall(r"[^\W_]+", folded)
        words.update((folded, "".join(parts), *parts))
    return {word for word in words if len(word) >= _SHORT_PERSONAL_LENGTH}


def _without(words: Iterable[str], folded: str) -> str:
    """Return what is left without the words, also where digits and signs stand in the place of their letters."""
    for word in sorted(words, key=len, reverse=True):
        folded = "".join(_between(_spell(word), folded))
    return folded


def _between(word: str, folded: str) -> Iterator[str]:
    text, begin = _spell(folded), 0
    while (found := text.find(word, begin)) >= 0:
        yield folded[begin:found]
        begin = found + len(word)
    yield folded[begin:]


def _spell(folded: str) -> str:
    """Return a text of the same length in which everything that passes for a letter is that letter."""
    return folded.translate(_LOOKALIKES)


def _without_marks(folded: str) -> str:
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
