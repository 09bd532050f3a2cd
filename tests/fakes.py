"""Stand-ins for what cannot be real in a test: the time, which has to move when the test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class MovableClock:
    """A clock that stands still at the moment it was made, until it is moved."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the moment that it stands at."""
        return self._now

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move on."""
        self._now += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)
