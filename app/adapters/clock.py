"""The system's clock and its source of randomness. Nothing else in the program reads them."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime

import uuid_utils


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""
        return datetime.now(UTC)


class Stopwatch:
    """Runs from its making on, whatever becomes of the time of this machine."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self._started


class SystemRandom:
    """Identifiers that sort by time, and secrets from the operating system."""

    def new_id(self) -> str:
        """Return a new UUIDv7 (RFC 9562, method 1: a counter keeps those of one process in order) as canonical text."""
        return str(uuid_utils.uuid7())

    def secret(self) -> bytes:
        """Return 32 random bytes that nobody can guess."""
        return secrets.token_bytes(32)

    def digits(self, count: int) -> str:
        """Return `count` random decimal digits; the first is not zero."""
        lowest = 10 ** (count - 1)
        return str(lowest + secrets.randbelow(9 * lowest))
