"""Rate limits on the `limits` library's sliding windows, wherever they are counted."""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections.abc import Sequence
from hashlib import blake2b

from limits import RateLimitItemPerSecond
from limits.aio.storage import SlidingWindowCounterSupport, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from app.domain.errors import AccessCode, AccessError
from app.domain.ports import Limit

_LEVEL_MEMORY = 4


class WindowStorage(Storage, SlidingWindowCounterSupport):
    """A storage of the library that can also take a hit back, and that knows who was at it."""

    @abstractmethod
    async def give_back(self, key: str, expiry: int) -> None:
        """Take one hit out of the window that is open, if it has any."""

    @abstractmethod
    async def enter(self, key: str, member: str | None, amount: int, seconds: int) -> float:
        """Let a member in unless there are `amount` of them; None only looks.

        Returns how many seconds it takes until there are fewer, or 0 when there are.
        """

    @abstractmethod
    async def leave(self, key: str, member: str) -> None:
        """Forget a member."""


class WindowLimiter:
    """The `Limiter` on either storage."""

    def __init__(self, storage: WindowStorage) -> None:
        self._storage = storage
        self._windows = SlidingWindowCounterRateLimiter(storage)

    async def hit(self, limit: Limit, *key: str) -> None:
        """Count one more for this key; raises `AccessError` RATE_LIMITED with the seconds to wait when over it."""
        if limit.distinct:
            await self._enter(limit, key, _digest(key[-1:]))
            return
        name = _digest(key)
        level = await self._level(limit, name)
        if level:
            await self._pass(_gate(limit, level), name)
            await self._close_gate(limit, level + 1, name)
        elif not await self._windows.hit(_item(limit), name):
            if not limit.delays:
                raise await self._over_limit(limit, name)
            await self._close_gate(limit, 1, name)
            raise await self._over_limit(_gate(limit, 1), name)

    async def check(self, limit: Limit, *key: str) -> None:
        """Raise as `hit` would at this moment, and count nothing."""
        if limit.distinct:
            await self._enter(limit, key, None)
            return
        name = _digest(key)
        level = await self._level(limit, name)
        deciding = _gate(limit, level) if level else limit
        if not await self._windows.test(_item(deciding), name):
            raise await self._over_limit(deciding, name)

    async def give_back(self, limit: Limit, *key: str) -> None:
        """Take one hit back, or forget whoever the key of a `distinct` limit names."""
        if limit.distinct:
            await self._storage.leave(_members_key(limit, key), _digest(key[-1:]))
            return
        await self._storage.give_back(_item(limit).key_for(_digest(key)), limit.seconds)

    async def faults(self) -> Sequence[str]:
        """Return nothing: this process itself does not fail."""
        return []

    async def clear(self, limit: Limit, *key: str) -> None:
        """Forget every hit for this key, or whoever was at it."""
        if limit.distinct:
            await self._storage.clear(_members_key(limit, key))
            return
        name = _digest(key)
        for level in range(await self._level(limit, name)):
            await self._windows.clear(_item(_gate(limit, level + 1)), name)
        await self._storage.clear(_level_key(limit, name))
        await self._windows.clear(_item(limit), name)

    async def close(self) -> None:
        """Let go of what is held open: nothing here."""

    async def _enter(self, limit: Limit, key: tuple[str, ...], member: str | None) -> None:
        wait = await self._storage.enter(_members_key(limit, key), member, limit.amount, limit.seconds)
        if wait > 0:
            raise _too_many(max(1, math.ceil(wait)))

    async def _level(self, limit: Limit, name: str) -> int:
        return await self._storage.get(_level_key(limit, name)) if limit.delays else 0

    async def _pass(self, gate: Limit, name: str) -> None:
        if not await self._windows.hit(_item(gate), name):
            raise await self._over_limit(gate, name)

    async def _close_gate(self, limit: Limit, level: int, name: str) -> None:
        # Closed before the level names it: whoever comes in between finds the gate before it closed as well.
        if await self._windows.hit(_item(_gate(limit, level)), name):
            await self._storage.incr(_level_key(limit, name), _LEVEL_MEMORY * limit.delays[-1])

    async def _over_limit(self, limit: Limit, name: str) -> AccessError:
        window = await self._storage.get_sliding_window(_item(limit).key_for(name), limit.seconds)
        return _too_many(_seconds_to_wait(limit, *window))


def _too_many(seconds: int) -> AccessError:
    return AccessError(AccessCode.RATE_LIMITED, f"Too many attempts: try again in {seconds} s.", retry_after=seconds)


def _digest(key: tuple[str, ...]) -> str:
    """Return a short name for the key that no other has, and that shows no address to whoever looks into Redis."""
    return blake2b(json.dumps(key).encode(), digest_size=16).hexdigest()


def _item(limit: Limit) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(limit.amount, limit.seconds, namespace=limit.name)


def _gate(limit: Limit, level: int) -> Limit:
    """Return the limit that lets one try through after the delay of this level, counted from 1."""
    delay = limit.delays[min(level, len(limit.delays)) - 1]
    return Limit(f"{limit.name}.gate{level}", 1, delay)


def _level_key(limit: Limit, name: str) -> str:
    return f"{limit.name}.level/{name}"


def _members_key(limit: Limit, key: tuple[str, ...]) -> str:
    return f"{limit.name}.members/{_digest(key[:-1])}"


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
