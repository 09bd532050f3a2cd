"""Password hashing with argon2id in a bounded pool of threads, away from the event loop; other hashes only compared."""

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

    `threads` passwords are hashed at once, best as many as there are cores; at most `waiting` further calls wait for
    a thread, and any beyond them are refused with `AccessError` SERVICE_BUSY before they cost anything.
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
        """How many calls wait for a thread at this moment."""
        return max(0, len(self._open) - self._threads)

    async def hash(self, password: str) -> str:
        """Return the encoded argon2id hash; raises `AccessError` SERVICE_BUSY when too many are waiting."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password is the hashed one. `None` verifies a dummy, so that it takes as long.

        Raises `AccessError` SERVICE_BUSY when too many are waiting.
        """
        matches = await self._run(lambda: self._matches(encoded or self._dummy, password))
        return matches and encoded is not None

    def needs_rehash(self, encoded: str) -> bool:
        """Tell whether the hash was made by another system, or with other parameters than today's."""
        return not encoded.startswith("$argon2") or self._hasher.check_needs_rehash(encoded)

    def can_verify(self, encoded: str) -> bool:
        """Tell whether this is a hash that `verify` understands, at a cost within bounds; for hashes from elsewhere."""
        return read_hash(encoded) is not None

    def close(self) -> None:
        """Let the hashes being made finish, cancel the waiting ones, and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _matches(self, encoded: str, password: str) -> bool:
        check = read_hash(encoded)
        return check is not None and check(password)

    async def _run(self, work: Callable[[], Result]) -> Result:
        if len(self._open) >= self._places:
            raise AccessError(AccessCode.SERVICE_BUSY, "Too many logins at once: try again in a second.", retry_after=1)
        future = self._pool.submit(work)
        self._open.add(future)
        # Also called when the caller is cancelled while it waits: that frees its place at once.
        future.add_done_callback(self._open.discard)
        return await asyncio.wrap_future(future)


@cache
def _dummy_hash() -> str:
    """Return the hash of a password that nobody has; one is enough for a process."""
    return _HASHER.hash(SystemRandom().secret())


def _give_way() -> None:
    """Let the event loop's thread go first wherever the two want the same core; Linux counts niceness by thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
