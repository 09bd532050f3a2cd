"""How the waiting times grow for a caller who keeps failing."""

from __future__ import annotations

_SHORTEST_SECONDS = 60


def growing_delays(longest: int) -> tuple[int, ...]:
    """Return waiting times in seconds that start at a minute and double up to the longest one."""
    delays: list[int] = []
    delay = _SHORTEST_SECONDS
    while delay < longest:
        delays.append(delay)
        delay *= 2
    return (*delays, longest)
