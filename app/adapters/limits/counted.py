"""Counts for the metrics what the limits refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.domain.errors import AccessCode, AccessError
from app.domain.ports import Limit, Limiter


class CountedLimiter:
    """A limiter, and `note` is told the name of each limit that refuses a try."""

    def __init__(self, limiter: Limiter, note: Callable[[str], None]) -> None:
        self._limiter = limiter
        self._note = note

    async def hit(self, limit: Limit, *key: str) -> None:
        """Count one more for this key; raises `AccessError` RATE_LIMITED with the seconds to wait when over it."""
        try:
            await self._limiter.hit(limit, *key)
        except AccessError as error:
            if error.code is AccessCode.RATE_LIMITED:
                self._note(limit.name)
            raise

    async def check(self, limit: Limit, *key: str) -> None:
        """Raise as `hit` would at this moment, and count nothing."""
        await self._limiter.check(limit, *key)

    async def give_back(self, limit: Limit, *key: str) -> None:
        """Take one hit back."""
        await self._limiter.give_back(limit, *key)

    async def clear(self, limit: Limit, *key: str) -> None:
        """Forget every hit for this key."""
        await self._limiter.clear(limit, *key)

    async def faults(self) -> Sequence[str]:
        """Return what does not work of what the counts are kept in."""
        return await self._limiter.faults()

    async def close(self) -> None:
        """Let go of what the counts are kept in."""
        await self._limiter.close()
