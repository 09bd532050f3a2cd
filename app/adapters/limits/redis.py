"""The limiter that counts in Redis, for all processes; and in this one while Redis fails."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from limits.aio.storage import RedisStorage
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from app.adapters.limits.members import ENTER
from app.adapters.limits.memory import MemoryLimiter
from app.adapters.limits.windows import WindowLimiter, WindowStorage
from app.domain.errors import AccessError
from app.domain.ports import Clock, Limit

_CONNECTIONS = 32
_TIMEOUT_SECONDS = 0.25
_REST = timedelta(seconds=5)

logger = logging.getLogger(__name__)


class SharedWindows(RedisStorage, WindowStorage):
    """The library's Redis storage, which can also take a hit back, and which knows who was at it."""

    async def give_back(self, key: str, expiry: int) -> None:
        """Take one hit out of the window that is open, if it has any."""
        current = self._current_window_key(key)
        if await self.incr(current, expiry, -1) < 0:
            await self.incr(current, expiry, 1)

    @property
    def _redis(self) -> Redis:
        client: Redis = self.bridge.get_connection()  # type: ignore[attr-defined]  # only the bridges of clients have it
        return client

    async def enter(self, key: str, member: str | None, amount: int, seconds: int) -> float:
        """Let a member in unless there are `amount` of them; return how many seconds it takes until there are fewer."""
        script = self._redis.register_script(ENTER)
        arguments: list[int | str] = [amount, seconds, *([member] if member is not None else [])]
        return float(await script([self.bridge.prefixed_key(key)], arguments)) / 1000

    async def leave(self, key: str, member: str) -> None:
        """Forget a member."""
        await self._redis.zrem(self.bridge.prefixed_key(key), member)


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
        self._shared = WindowLimiter(
            SharedWindows(
                f"async+{url}",
                implementation="redispy",
                connection_pool=self._pool,  # type: ignore[arg-type]  # the library documents it, its types do not
            )
        )
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
            await Redis(connection_pool=self._pool).ping()
        except (RedisError, OSError) as error:
            return [f"redis: {type(error).__name__}"]
        return []

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def _try(self, action: Callable[..., Awaitable[None]], limit: Limit, *key: str) -> None:
        now = self._clock.now()
        if self._failed_until is None or now >= self._failed_until:
            if self._failed_until is not None:
                self._failed_until = now + _REST
            try:
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
                "Redis does not answer (%s): this process counts alone, up to half of each limit", type(error).__name__
            )
        self._failed_until = self._clock.now() + _REST
