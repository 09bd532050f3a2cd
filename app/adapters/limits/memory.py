"""The counters of the rate limits in this process: a storage for the `limits` library that cannot grow without end."""

from __future__ import annotations

import heapq
import math
from collections import OrderedDict
from dataclasses import dataclass

from app.adapters.limits.members import MemberMemory
from app.adapters.limits.windows import WindowLimiter, WindowStorage
from app.domain.ports import Clock


@dataclass(slots=True)
class _Counter:
    """`count` belongs to the window that ends at `ends`, `previous` to the one before; all is void from `void` on.

    `queued` is the moment at which the queue of what to forget names it next.
    """

    ends: float
    void: float
    queued: float
    count: int = 0
    previous: int = 0


class WindowMemory(WindowStorage):
    """Counters that vanish when they are void; beyond `most` of them the oldest goes.

    The library's own memory storage looks at every key for every hit and reads the system's clock; this one costs the
    same however many keys there are, and its time is the clock's. Nothing in it waits, so each call is atomic. As in
    the library's Redis storage, a key's first window opens with its first hit.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock, most: int = 20_000) -> None:
        super().__init__()
        self._clock = clock
        self._most = most
        self._counters: OrderedDict[str, _Counter] = OrderedDict()
        self._queue: list[tuple[float, str]] = []
        self._members = MemberMemory(most)

    def __len__(self) -> int:
        return len(self._counters) + len(self._members)

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors that mean that the storage failed: there are none."""
        return OSError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count in a window that is not followed by another; return the new count."""
        now = self._now()
        counter = self._find(key, now) or self._add(key, now, ends=now + expiry, void=now + expiry)
        counter.count += amount
        return counter.count

    async def get(self, key: str) -> int:
        """Return the count of such a window."""
        counter = self._find(key, self._now())
        return counter.count if counter else 0

    async def get_expiry(self, key: str) -> float:
        """Return when such a window ends, in seconds since 1970."""
        now = self._now()
        counter = self._find(key, now)
        return counter.ends if counter else now

    async def clear(self, key: str) -> None:
        """Forget one key."""
        self._counters.pop(key, None)
        self._members.clear(key)

    async def reset(self) -> int | None:
        """Forget all keys; return how many there were."""
        forgotten = len(self._counters)
        self._counters.clear()
        self._queue.clear()
        return forgotten

    async def check(self) -> bool:
        """Tell whether the storage works: always."""
        return True

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` unless that would exceed the limit; tell whether it was counted."""
        now = self._now()
        counter = self._window(key, expiry, now)
        if counter is None:
            if amount > limit:
                return False
            counter = self._add(key, now, ends=now + expiry, void=now + 2 * expiry)
        faded = math.floor(counter.previous * (counter.ends - now) / expiry)
        if faded + counter.count + amount > limit:
            return False
        counter.count += amount
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return count and seconds left of the previous window, then of the current one, as the library wants them."""
        now = self._now()
        counter = self._window(key, expiry, now)
        if counter is None:
            return 0, 0.0, 0, 0.0
        left = counter.ends - now
        return counter.previous, left, counter.count, left + expiry

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget one key."""
        self._counters.pop(key, None)

    async def give_back(self, key: str, expiry: int) -> None:
        """Take one hit out of the window that is open, if it has any."""
        counter = self._window(key, expiry, self._now())
        if counter and counter.count > 0:
            counter.count -= 1

    async def enter(self, key: str, member: str | None, amount: int, seconds: int) -> float:
        """Let a member in unless there are `amount` of them; return how many seconds it takes until there are fewer."""
        now = self._now()
        wait = self._members.wait(key, amount, seconds, now)
        if member is not None and wait == 0:
            self._members.enter(key, member, now)
        return wait

    async def leave(self, key: str, member: str) -> None:
        """Forget a member."""
        self._members.leave(key, member)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _find(self, key: str, now: float) -> _Counter | None:
        counter = self._counters.get(key)
        return counter if counter and counter.void > now else None

    def _window(self, key: str, expiry: int, now: float) -> _Counter | None:
        counter = self._find(key, now)
        if counter and counter.ends <= now:
            counter.previous, counter.count = counter.count, 0
            counter.ends += expiry
            counter.void += expiry
        return counter

    def _add(self, key: str, now: float, *, ends: float, void: float) -> _Counter:
        self._counters.pop(key, None)
        self._counters[key] = counter = _Counter(ends, void, queued=void)
        heapq.heappush(self._queue, (void, key))
        while self._queue[0][0] <= now:
            self._drop_if_void(*heapq.heappop(self._queue))
        while len(self._counters) > self._most:
            # The oldest and never the newest, or whoever fills the memory would not be counted any more.
            self._counters.popitem(last=False)
        if len(self._queue) > 2 * self._most:
            # What was dropped or cleared early still stands in the queue.
            self._queue = [(counted.queued, name) for name, counted in self._counters.items()]
            heapq.heapify(self._queue)
        return counter

    def _drop_if_void(self, queued: float, key: str) -> None:
        """Drop a counter whose turn in the queue has come, or queue it again when a further window was opened."""
        counter = self._counters.get(key)
        if counter is None or counter.queued != queued:
            return
        if counter.void > queued:
            counter.queued = counter.void
            heapq.heappush(self._queue, (counter.queued, key))
        else:
            del self._counters[key]


class MemoryLimiter(WindowLimiter):
    """Counts in this process."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(WindowMemory(clock))
