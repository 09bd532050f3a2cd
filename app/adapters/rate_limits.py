"""Rate limits: counted in this process, or in Redis for all of them, on the `limits` library's sliding windows."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b

from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from app.adapters.rate_limit_memory import WindowMemory
from app.domain.errors import AccessCode, AccessError
from app.domain.ports import Clock, Limit

_CONNECTIONS = 32
_TIMEOUT_SECONDS = 0.25
_REST = timedelta(seconds=5)
_LEVEL_MEMORY = 4

logger = logging.getLogger(__name__)


class SharedWindows(RedisStorage):
    """The library's Redis storage, which can also take a hit back."""

    async def give_back(self, key: str, expiry: int) -> None:
        """Take one hit out of the window that is open, if it has any."""
        current = self._current_window_key(key)
        if await self.incr(current, expiry, -1) < 0:
            await self.incr(current, expiry, 1)


class _WindowLimiter:
    """The rules of the `Limiter` port, on either storage."""

    def __init__(self, storage: WindowMemory | SharedWindows) -> None:
        self._storage = storage
        self._windows = SlidingWindowCounterRateLimiter(storage)

    async def hit(self, limit: Limit, key: str) -> None:
        level = await self._level(limit, key)
        if level:
            await self._pass(_gate(limit, level), key)
            await self._close_gate(limit, level + 1, key)
        elif not await self._windows.hit(_item(limit), key):
            if not limit.delays:
                raise await self._refusal(limit, key)
            await self._close_gate(limit, 1, key)
            raise await self._refusal(_gate(limit, 1), key)

    async def check(self, limit: Limit, key: str) -> None:
        level = await self._level(limit, key)
        deciding = _gate(limit, level) if level else limit
        if not await self._windows.test(_item(deciding), key):
            raise await self._refusal(deciding, key)

    async def give_back(self, limit: Limit, key: str) -> None:
        await self._storage.give_back(_item(limit).key_for(key), limit.seconds)

    async def clear(self, limit: Limit, key: str) -> None:
        for level in range(await self._level(limit, key)):
            await self._windows.clear(_item(_gate(limit, level + 1)), key)
        await self._storage.clear(_level_key(limit, key))
        await self._windows.clear(_item(limit), key)

    async def _level(self, limit: Limit, key: str) -> int:
        return await self._storage.get(_level_key(limit, key)) if limit.delays else 0

    async def _pass(self, gate: Limit, key: str) -> None:
        if not await self._windows.hit(_item(gate), key):
            raise await self._refusal(gate, key)

    async def _close_gate(self, limit: Limit, level: int, key: str) -> None:
        # Closed before the level names it: whoever comes in between finds the gate before it closed as well.
        if await self._windows.hit(_item(_gate(limit, level)), key):
            await self._storage.incr(_level_key(limit, key), _LEVEL_MEMORY * limit.delays[-1])

    async def _refusal(self, limit: Limit, key: str) -> AccessError:
        window = await self._storage.get_sliding_window(_item(limit).key_for(key), limit.seconds)
        seconds = _seconds_to_wait(limit, *window)
        return AccessError(
            AccessCode.RATE_LIMITED, f"Too many attempts: try again in {seconds} s.", retry_after=seconds
        )


class MemoryLimiter:
    """Counts in this process."""

    def __init__(self, clock: Clock) -> None:
        self._limiter = _WindowLimiter(WindowMemory(clock))

    async def hit(self, limit: Limit, *key: str) -> None:
        """Count one more for this key; raises `AccessError` RATE_LIMITED with the seconds to wait when over it."""
        await self._limiter.hit(limit, _digest(key))

    async def check(self, limit: Limit, *key: str) -> None:
        """Raise as `hit` would at this moment, and count nothing."""
        await self._limiter.check(limit, _digest(key))

    async def give_back(self, limit: Limit, *key: str) -> None:
        """Take one hit back."""
        await self._limiter.give_back(limit, _digest(key))

    async def clear(self, limit: Limit, *key: str) -> None:
        """Forget every hit for this key."""
        await self._limiter.clear(limit, _digest(key))

    async def close(self) -> None:
        """Nothing is held open."""


class RedisLimiter:
    """Counts in Redis, shared by all processes that name the same one.

    When Redis fails, half of each limit is counted in this process at once; Redis is tried again by one call every
    five seconds, so that a dead one costs the others nothing.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        if not url.startswith(("redis://", "rediss://")):
            raise ValueError("The Redis URL must look like redis://[user:password@]host:port[/database] or rediss://…")
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_TIMEOUT_SECONDS,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            # One more try, for a connection that the server closed while it was idle.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._shared = _WindowLimiter(
            SharedWindows(
                f"async+{url}",
                implementation="redispy",
                connection_pool=self._pool,  # type: ignore[arg-type]  # the library documents it, its types do not
            )
        )
        self._local = _WindowLimiter(WindowMemory(clock))
        self._clock = clock
        self._failed_until: datetime | None = None

    async def hit(self, limit: Limit, *key: str) -> None:
        """Count one more for this key; raises `AccessError` RATE_LIMITED with the seconds to wait when over it."""
        await self._try(_WindowLimiter.hit, limit, _digest(key))

    async def check(self, limit: Limit, *key: str) -> None:
        """Raise as `hit` would at this moment, and count nothing."""
        await self._try(_WindowLimiter.check, limit, _digest(key))

    async def give_back(self, limit: Limit, *key: str) -> None:
        """Take one hit back."""
        await self._try(_WindowLimiter.give_back, limit, _digest(key))

    async def clear(self, limit: Limit, *key: str) -> None:
        """Forget every hit for this key."""
        await self._try(_WindowLimiter.clear, limit, _digest(key))

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def _try(
        self, action: Callable[[_WindowLimiter, Limit, str], Awaitable[None]], limit: Limit, key: str
    ) -> None:
        now = self._clock.now()
        if self._failed_until is None or now >= self._failed_until:
            if self._failed_until is not None:
                self._failed_until = now + _REST
            try:
                await action(self._shared, limit, key)
            except AccessError:
                self._note_success()
                raise
            except (RedisError, OSError) as error:
                self._note_failure(error)
            else:
                self._note_success()
                return
        await action(self._local, replace(limit, amount=max(1, limit.amount // 2)), key)

    def _note_success(self) -> None:
        if self._failed_until is not None:
            self._failed_until = None
            logger.warning("Redis answers again: limits are shared")

    def _note_failure(self, error: Exception) -> None:
        if self._failed_until is None:
            logger.error("Redis fails (%s): half of each limit is counted in this process", type(error).__name__)
        self._failed_until = self._clock.now() + _REST


def _digest(key: tuple[str, ...]) -> str:
    """Return a short name for the key that no other has, and that shows no address to whoever looks into Redis."""
    return blake2b(json.dumps(key).encode(), digest_size=16).hexdigest()


def _item(limit: Limit) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(limit.amount, limit.seconds, namespace=limit.name)


def _gate(limit: Limit, level: int) -> Limit:
    """Return the limit that lets one try through after the delay of this level, counted from 1."""
    delay = limit.delays[min(level, len(limit.delays)) - 1]
    return Limit(f"{limit.name}.gate{level}", 1, delay)


def _level_key(limit: Limit, key: str) -> str:
    return f"{limit.name}.level/{key}"


def _seconds_to_wait(
    limit: Limit, previous_count: int, previous_seconds: float, current_count: int, current_seconds: float
) -> int:
    """Return when the weighted count makes room: within this window as the previous one fades, or at its end."""
    room = limit.amount - current_count
    if room > 0 and previous_count:
        wait = previous_seconds - room * limit.seconds / previous_count
    else:
        wait = current_seconds - limit.seconds
    # At the very moment there is no room yet, so the next whole second is the first that is worth a try.
    return max(1, math.floor(wait) + 1)
