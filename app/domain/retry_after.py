"""How long another server wants to be left alone: the header `Retry-After` (RFC 9110 section 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# The statuses with which a server says that it is the moment, and not the request (RFC 6585 section 4, RFC 9110
# section 15.6.4).
_FOR_NOW = frozenset({429, 503})
# Longer than that we wait for nobody.
LONGEST = timedelta(days=1)
_DIGITS_OF_LONGEST = 5


def postponed(status: int, header: str | None, now: datetime) -> timedelta | None:
    """Return how long to wait after this answer, at most a day; None where it names no time that is to come."""
    if status not in _FOR_NOW or header is None:
        return None
    wait = _wait(header.strip(), now)
    return min(wait, LONGEST) if wait is not None and wait > timedelta(0) else None


def _wait(value: str, now: datetime) -> timedelta | None:
    if value.isascii() and value.isdigit():
        return LONGEST if len(value.lstrip("0")) > _DIGITS_OF_LONGEST else timedelta(seconds=int(value))
    try:
        until = parsedate_to_datetime(value)
        return (until if until.tzinfo is not None else until.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
