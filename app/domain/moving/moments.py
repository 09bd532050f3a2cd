"""When an account was made, as databases, programs and spreadsheets write it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_MILLISECONDS_FROM = 100_000_000_000
_EXCEL_BEGINS = datetime(1899, 12, 30, tzinfo=UTC)
# The days of 1954 to 2119 in a spreadsheet whose cells are no dates.
_EXCEL_DAY = re.compile(r"([2-7]\d{4})(?:[.,](\d+))?", re.ASCII)
_RFC_5322 = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d.*", re.ASCII)
_TIME = (
    r"(?:,?\s+(?:at )?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?(?:\s*(?P<half>[AP])\.?M\.?)?)?"
)
_NUMBERS = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})\.?" + _TIME, re.ASCII | re.IGNORECASE)
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})" + _TIME, re.ASCII | re.IGNORECASE)
_DAY_FIRST = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|\.)?[ -]([a-z]{3,9})\.?,?[ -](\d{4})" + _TIME, re.ASCII | re.IGNORECASE
)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def read_moment(written: str) -> datetime | None:
    """Return the moment, in UTC where no zone is told; None for what is none, or may be one of two days (3/4/2020)."""
    for reader in _READERS:
        with suppress(ValueError, OverflowError, OSError):
            read = reader(written)
            if read is not None:
                return read if read.tzinfo is not None else read.replace(tzinfo=UTC)
    return None


def _by_number(written: str) -> datetime | None:
    """Read seconds or milliseconds since 1970, MySQL's fourteen digits, and the days of a spreadsheet."""
    if re.fullmatch(r"\d{14}", written, re.ASCII):
        return datetime.strptime(written, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    if re.fullmatch(r"\d{9,13}", written, re.ASCII):
        return datetime.fromtimestamp(int(written) / (1000 if int(written) >= _MILLISECONDS_FROM else 1), UTC)
    if found := _EXCEL_DAY.fullmatch(written):
        seconds = round(float(f"0.{found[2] or 0}") * 86_400)
        return _EXCEL_BEGINS + timedelta(days=int(found[1]), seconds=seconds)
    return None


def _iso(written: str) -> datetime | None:
    return datetime.fromisoformat(re.sub(r"\s*(?:UTC|GMT)$", "+00:00", written))


def _rfc_5322(written: str) -> datetime | None:
    return parsedate_to_datetime(written) if _RFC_5322.fullmatch(written) else None


def _numbers(written: str) -> datetime | None:
    """Read a date of three numbers: dots mean that the day is first; else it must be clear which is the month."""
    found = _NUMBERS.fullmatch(written)
    if found is None:
        return None
    first, separator, second, third = found[1], found[2], int(found[3]), found[4]
    if len(first) == 4:
        return _moment(int(first), second, int(third), found)
    if len(third) != 4 or len(first) > 2:
        return None
    if separator == "." or int(first) > 12 or int(first) == second:
        return _moment(int(third), second, int(first), found)
    return _moment(int(third), int(first), second, found) if second > 12 else None


def _words(written: str) -> datetime | None:
    """Read a date with the English name of its month."""
    if found := _MONTH_FIRST.fullmatch(written):
        return _moment(int(found[3]), _month(found[1]), int(found[2]), found)
    if found := _DAY_FIRST.fullmatch(written):
        return _moment(int(found[3]), _month(found[2]), int(found[1]), found)
    return None


def _month(name: str) -> int:
    begin = name.casefold()[:3]
    found = next((index for index, month in enumerate(_MONTHS, start=1) if month.startswith(begin)), 0)
    if not found or not ("sept" if begin == "sep" else _MONTHS[found - 1]).startswith(name.casefold()[:4]):
        raise ValueError("There is no such month.")
    return found


def _moment(year: int, month: int, day: int, time: re.Match[str]) -> datetime:
    hour = int(time["hour"] or 0)
    if time["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("There is no such hour.")
        hour = hour % 12 + 12 * (time["half"].upper() == "P")
    return datetime(year, month, day, hour, int(time["minute"] or 0), int(time["second"] or 0), tzinfo=UTC)


_READERS: tuple[Callable[[str], datetime | None], ...] = (_by_number, _iso, _rfc_5322, _numbers, _words)
