"""Single values as other systems write them, in the form that our fields have."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from babel.core import Locale, get_global

_YES = frozenset({"true", "yes", "y", "1", "on", "x", "t", "enabled", "active", "subscribed"})
_NO = frozenset({"false", "no", "n", "0", "off", "f", "disabled", "inactive", "unsubscribed", "not_subscribed", "none"})
_BREAKS = re.compile(r"\s*[\r\n\t\v\f\u2028\u2029]+\s*")
# A number in a cell that must not become a number in a spreadsheet.
_APOSTROPHE = re.compile(r"'(?=[+\d(])")
_MILLISECONDS_FROM = 100_000_000_000


def text(value: Any) -> str | None:
    """Return a text or a number as one line; None for anything else, and for one of blanks."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return _BREAKS.sub(" ", str(value).strip()).strip() or None


def phone(value: Any) -> str | None:
    """Return a phone number without the apostrophe that keeps spreadsheets from counting with it."""
    line = text(value)
    return None if line is None else _APOSTROPHE.sub("", line, count=1)


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
    """Return a moment in ISO 8601: from that, from seconds or milliseconds since 1970, or from MongoDB's `$date`.

    Without a time zone it is UTC. None for what is nothing, or the zero of databases; else the text as it is.
    """
    if isinstance(value, dict):
        value = value.get("$date", value.get("$numberLong"))
        if isinstance(value, dict):
            value = value.get("$numberLong")
    written = text(value)
    if written is None or written.startswith("0000-00-00") or written == "0":
        return None
    try:
        if re.fullmatch(r"\d{9,14}", written):
            seconds = int(written) / (1000 if int(written) >= _MILLISECONDS_FROM else 1)
            return datetime.fromtimestamp(seconds, UTC).isoformat()
        read = datetime.fromisoformat(re.sub(r"\s*(?:UTC|GMT)$", "+00:00", written))
    except (ValueError, OverflowError, OSError):
        return written
    return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).isoformat()


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
    """Return a country's code of two letters for that, its code of three, or its English name; else as it is."""
    written = text(value)
    if written is None or len(written) == 2:
        return written
    alias = get_global("territory_aliases").get(written.upper())
    if alias and len(alias) == 1 and len(alias[0]) == 2:
        return str(alias[0])
    return _countries().get(_folded(written), written)


@cache
def _countries() -> Mapping[str, str]:
    names = {_folded(name): code for code, name in Locale("en").territories.items() if len(code) == 2}
    return {**names, "usa": "US", "united states of america": "US", "great britain": "GB", "holland": "NL"}


def _folded(name: str) -> str:
    return re.sub(r"\s+", " ", name.replace("&", "and").casefold()).strip()
