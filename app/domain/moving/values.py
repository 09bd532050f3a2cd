"""Single values as other systems write them, in the form that our fields have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from unicodedata import combining, normalize

from babel.core import Locale, get_global

from app.domain.moving.moments import read_moment

# In English, and what Excel writes for TRUE and FALSE, and people for yes and no, in the other languages of its users.
_YES_WORDS = (
    "true yes y 1 1.0 on x t enabled active subscribed wahr ja j vrai oui vero verdadero verdadeiro si sí sì sim "
    "waar prawda tak sand sant"
)
_NO_WORDS = (
    "false no n 0 0.0 off f disabled inactive unsubscribed not_subscribed none falsch nein faux non falso não nao "
    "onwaar nee fałsz nie nej nei falsk falskt"
)
_YES, _NO = frozenset(_YES_WORDS.split()), frozenset(_NO_WORDS.split())
_BREAKS = re.compile(r"\s*[\r\n\t\v\f\u2028\u2029]+\s*")
# A number in a cell that must not become a number in a spreadsheet.
_APOSTROPHE = re.compile(r"'(?=[+\d(])")
# What a spreadsheet makes of the digits of a long number, when it is saved as a table, and programs of a fraction.
_ROUNDED = re.compile(r"[+-]?\d(?:[.,]\d*)?[eE]\+\d+", re.ASCII)
# From here on a fraction does not know its last digits.
_UNSURE = 2.0**53
# What pandas makes of whole numbers where one of the column is missing.
_WHOLE = re.compile(r"(\d+)[.,]0", re.ASCII)
# Whose names of countries are known beside the English ones.
_LANGUAGES = ("de", "fr", "it", "es", "nl", "pt", "pl", "sv", "da", "nb", "fi", "cs")


def text(value: Any) -> str | None:
    """Return a text or a number as one line; None for anything else, and for one of blanks."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return _BREAKS.sub(" ", str(whole).strip()).strip() or None


def is_rounded(value: Any) -> bool:
    """Tell whether this is a long number of which a spreadsheet has kept the first digits only: `6.54E+12`."""
    if isinstance(value, float):
        return abs(value) >= _UNSURE
    return isinstance(value, str) and _ROUNDED.fullmatch(value.strip()) is not None


def digits(value: Any) -> str | None:
    """Return what is written in digits and is no amount: the number of a phone or a house, a postal code, an id.

    Without the apostrophe that keeps spreadsheets from counting, and without the `.0` of those that count.
    """
    line = text(value)
    if line is None:
        return None
    line = _APOSTROPHE.sub("", line, count=1)
    whole = _WHOLE.fullmatch(line)
    return line if whole is None else whole[1]


def flag(value: Any) -> bool | None:
    """Return a yes or a no in any of its spellings, else None."""
    if isinstance(value, bool):
        return value
    word = (text(value) or "").casefold()
    return True if word in _YES else False if word in _NO else None


def count(value: Any) -> int | None:
    """Return a whole number that is written in any way, else None."""
    try:
        number = float(text(value) or "")
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def moment(value: Any) -> str | None:
    """Return a moment in ISO 8601: from any form of `read_moment`, or from MongoDB's `$date`.

    None for what is nothing, or the zero of databases; else the text as it is.
    """
    if isinstance(value, dict):
        value = value.get("$date", value.get("$numberLong"))
        if isinstance(value, dict):
            value = value.get("$numberLong")
    written = text(value)
    if written is None or written.startswith("0000-00-00") or written == "0":
        return None
    read = read_moment(written)
    return written if read is None else read.isoformat()


def words(value: Any, separator: str = ",") -> list[str]:
    """Return the entries of a list, or of a text with separators, each once."""
    if isinstance(value, str) and value.strip().startswith("["):
        value = json_of(value)
    entries = value if isinstance(value, list | tuple) else str(value or "").split(separator)
    found = (text(each) for each in entries)
    return list(dict.fromkeys(each for each in found if each is not None))


def json_of(value: Any) -> Any:
    """Return what a text is as JSON; what is none stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def members(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, given as such or as its text; an empty one for anything else."""
    read = json_of(value)
    return read if isinstance(read, dict) else {}


def entries(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects in a JSON array, given as such or as its text."""
    read = json_of(value)
    return [each for each in read if isinstance(each, dict)] if isinstance(read, list) else []


def split_name(name: str | None) -> tuple[str | None, str | None]:
    """Return first and last name of a whole one, split at its last blank; a single word is the last name."""
    if name is None:
        return None, None
    first, _, last = name.rpartition(" ")
    return first.strip() or None, last.strip() or None


def country(value: Any) -> str | None:
    """Return a country's code of two letters for that, its code of three, or its name; else as it is.

    Names are known in English and the languages of `_LANGUAGES`, unless two of them call different countries so.
    """
    written = text(value)
    if written is None:
        return None
    alias = get_global("territory_aliases").get(written.upper())
    if alias and len(alias) == 1 and len(alias[0]) == 2:
        return str(alias[0])
    return written if len(written) == 2 else _countries().get(_folded(written), written)


@cache
def _countries() -> Mapping[str, str]:
    found: dict[str, set[str]] = {}
    for language in _LANGUAGES:
        for name, code in _names(language):
            found.setdefault(name, set()).add(code)
    clear = {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1}
    more = {"usa": "US", "united states of america": "US", "great britain": "GB", "england": "GB", "holland": "NL"}
    return {**clear, **dict(_names("en")), **more}


def _names(language: str) -> Iterator[tuple[str, str]]:
    territories = Locale(language).territories.items()
    return ((_folded(name), code) for code, name in territories if len(code) == 2 and code.isalpha())


def _folded(name: str) -> str:
    plain = normalize("NFKD", name.replace("&", "and").replace("\u2019", "'").casefold())
    return " ".join("".join(each for each in plain if not combining(each)).split())
