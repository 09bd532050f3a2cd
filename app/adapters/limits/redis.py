"""The limiter that counts in Redis, for all processes; and in this one while Redis fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from limits.aio.storage import RedisStorage
from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisError

from app.adapters.deadlines import is_still_ahead
from app.adapters.limits.members import ENTER
from app.adapters.limits.memory import MemoryLimiter
from app.adapters.limits.redis_clients import close_redis, open_redis
from app.adapters.limits.windows import WindowLimiter, WindowStorage
from app.domain.errors import AccessError
from app.domain.ports import Clock, Limit
from app.domain.redis_url import read_redis_url

# Seconds that a step may take: to connect, to wait for a connection, or for an answer. How many of them are borne.
_TIMEOUT_SECONDS = 0.25
_MOST_STEPS = 4
_REST = timedelta(seconds=5)
# Characters of a reason that are told.
MOST_REASON = 300

logger = logging.getLogger(__name__)


class SharedWindows(RedisStorage, WindowStorage):
    """The library's Redis storage over a client of ours; it can also take a hit back, and knows who was at it."""

    def __init__(self, client: Redis | RedisCluster) -> None:
        self._client = client
        super().__init__("async+redis://", implementation="redispy")

    def configure_bridge(self) -> None:
        """Have the library use the client, whatever it leads to."""
        self.bridge.storage = self._client  # type: ignore[attr-defined]  # as the library's own bridges are set up
        self.bridge.connection_getter = lambda _: self._client  # type: ignore[attr-defined]

    async def give_back(self, key: str, expiry: int) -> None:
        """Take one hit out of the window that is open, if it has any."""
        current = self._current_window_key(key)
        if await self.incr(current, expiry, -1) < 0:
            await self.incr(current, expiry, 1)

    async def enter(self, key: str, member: str | None, amount: int, seconds: int) -> float:
        """Let a member in unless there are `amount` of them; return how many seconds it takes until there are fewer."""
        script = self._client.register_script(ENTER)
        arguments: list[int | str] = [amount, seconds, *([member] if member is not None else [])]
        return float(await script([self.bridge.prefixed_key(key)], arguments)) / 1000

    async def leave(self, key: str, member: str) -> None:
        """Forget a member."""
        await self._client.zrem(self.bridge.prefixed_key(key), member)


class RedisLimiter:
    """Counts in Redis, shared by all processes that name the same one.

    When Redis fails, half of each limit is counted in this process at once; Redis is tried again by one call every
    five seconds, so that a dead one costs the others nothing.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        """Connect with the first call; raises `ValueError` for a URL of another kind."""
        self._client = open_redis(read_redis_url(url), _TIMEOUT_SECONDS)
        self._shared = WindowLimiter(SharedWindows(self._client))
        self._local = MemoryLimiter(clock)
        self._clock = clock
        self._failed_until: datetime | None = None

    async def hit(self, limit: Limit, *key: str) -> None:
        """Count one more for this key; raises `AccessError` RATE_LIMITED with the seconds to wait when over it."""
        await self._try(WindowLimiter.hit, limit, *key)

    async def check(self, limit: Limit, *key: str) -> None:
        """Raise as `hit` would at this moment, and count nothing."""
        await self._try(WindowLimiter.check, limit, *key)

    async def give_back(self, limit: Limit, *key: str) -> None:
        """Take one hit back."""
        await self._try(WindowLimiter.give_back, limit, *key)

    async def clear(self, limit: Limit, *key: str) -> None:
        """Forget every hit for this key."""
        await self._try(WindowLimiter.clear, limit, *key)

    async def faults(self) -> Sequence[str]:
        """Return a line if Redis does not answer; then this process counts alone."""
        try:
            async with _patience():
                await self._client.ping()
        except (RedisError, OSError) as error:
            return [f"redis: {_reason(error)}"]
        return []

    async def close(self) -> None:
        """Close the connections."""
        await close_redis(self._client)

    async def _try(self, action: Callable[..., Awaitable[None]], limit: Limit, *key: str) -> None:
        now = self._clock.now()
        if not is_still_ahead(self._failed_until, now, _REST):
            if self._failed_until is not None:
                self._failed_until = now + _REST
            try:
                # Who asks Sentinels or a cluster takes several steps, and some of them wait in vain.
                async with _patience():
                    await action(self._shared, limit, *key)
            except AccessError:
                self._note_success()
                raise
            except (RedisError, OSError) as error:
                self._note_failure(error)
            else:
                self._note_success()
                return
        await action(self._local, replace(limit, amount=max(1, limit.amount // 2)), *key)

    def _note_success(self) -> None:
        if self._failed_until is not None:
            self._failed_until = None
            logger.warning("Redis answers again: the limits are shared again")

    def _note_failure(self, error: Exception) -> None:
        if self._failed_until is None:
            logger.error(
                "Redis does not answer (%s): this process counts alone, up to half of each limit", _reason(error)
            )
        self._failed_until = self._clock.now() + _REST


def _patience() -> asyncio.Timeout:
    return asyncio.timeout(_MOST_STEPS * _TIMEOUT_SECONDS)


def _reason(error: Exception) -> str:
    """Return what is wrong, in a line."""
    text = " ".join(str(error).split())[:MOST_REASON]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
