"""Password hashing with argon2id in a bounded pool of threads; other hashes are only verified."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from argon2 import PasswordHasher

from app.adapters.clock import SystemRandom
from app.adapters.keys.password_hashes import read_hash
from app.domain.errors import AccessCode, AccessError

Result = TypeVar("Result")

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Argon2Passwords:
    """argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet).

    `threads` passwords are hashed at once; best is one for each core. At most `waiting` more calls wait for a thread;
    any others are refused with `AccessError` SERVICE_BUSY before they cost anything.
    """

    def __init__(self, *, threads: int, waiting: int = 64) -> None:
        self._hasher = _HASHER
        # Made now and not at the first unknown customer, whose answer would otherwise take twice as long.
        self._dummy = _dummy_hash()
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="argon2", initializer=_give_way)
        self._threads = threads
        self._places = threads + waiting
        self._open: set[Future[Any]] = set()

    @property
    def waiting(self) -> int:
        """How many calls are waiting for a thread now."""
        return max(0, len(self._open) - self._threads)

    async def hash(self, password: str) -> str:
        """Return the encoded argon2id hash; raises `AccessError` SERVICE_BUSY when too many are waiting."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password fits the hash.

        `None` checks a dummy hash, so that it takes the same time. Raises `AccessError` SERVICE_BUSY when too many are
        waiting.
        """
        matches = await self._run(lambda: self._matches(encoded or self._dummy, password))
        return matches and encoded is not None

    def needs_rehash(self, encoded: str) -> bool:
        """Tell whether the hash was made by another system, or with old parameters."""
        return not encoded.startswith("$argon2") or self._hasher.check_needs_rehash(encoded)

    def can_verify(self, encoded: str) -> bool:
        """Tell whether `verify` supports a hash of another system, and would not take too long."""
        return read_hash(encoded) is not None

    def close(self) -> None:
        """Finish the running hashes, cancel the waiting ones, and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _matches(self, encoded: str, password: str) -> bool:
        check = read_hash(encoded)
        return check is not None and check(password)

    async def _run(self, work: Callable[[], Result]) -> Result:
        if len(self._open) >= self._places:
            raise AccessError(AccessCode.SERVICE_BUSY, "Too many logins at once: try again in a second.", retry_after=1)
        future = self._pool.submit(work)
        self._open.add(future)
        # Also called if the caller is cancelled while it waits; then its place is free at once.
        future.add_done_callback(self._open.discard)
        return await asyncio.wrap_future(future)


@cache
def _dummy_hash() -> str:
    """Return the hash of a password that nobody has; one is enough for a process."""
    return _HASHER.hash(SystemRandom().secret())


def _give_way() -> None:
    """Give the event loop's thread priority if both need the same core; on Linux each thread has its own niceness."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
