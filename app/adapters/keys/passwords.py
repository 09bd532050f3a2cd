"""Password hashing with argon2id in a bounded pool of threads; other hashes are only verified, or wrapped in ours."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from heapq import nlargest
from typing import Any, TypeVar
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.low_level import ARGON2_VERSION

from app.adapters.clock import SystemRandom
from app.adapters.keys.password_hashes import guess_seconds, kind_of, made_by_argon2, read_hash, write_phc
from app.adapters.keys.taken_hashes import judge
from app.domain.errors import BusyError
from app.domain.foreign_hashes import HashSecrets, HashVerdict, JudgedHash
from app.domain.ports import Comparison

Result = TypeVar("Result")

_OURS = ""
# Seconds: a hash that takes longer is not read, so that this was the machine's fault.
_LONGEST = 2.0
# Of how many kinds of hash it is found out how long they take before one was compared: one that is slower than all of
# these is hardly among the rest, and a shop that moved in may have dozens.
_MEASURED = 3
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Argon2Passwords:
    """argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet).

    `threads` passwords are hashed at once; best is one for each core. At most `waiting` more calls wait for a thread;
    any others are refused with `BusyError` before they cost anything.
    """

    def __init__(self, *, threads: int, waiting: int = 64) -> None:
        self._hasher = _HASHER
        # How many seconds a hash of each kind takes in this process, as it was seen; ours is among them.
        self._seconds: dict[str, float] = {}
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
        """Return the encoded argon2id hash of the password in NFC; raises `BusyError` when too many are waiting."""
        return await self._run(lambda: self._hasher.hash(normalize("NFC", password)))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password fits the hash, as it was typed or in NFC.

        `None` checks a dummy hash, so that it takes the same time. Raises `BusyError` when too many are
        waiting.
        """
        return (await self.compare(encoded, password)).is_right

    async def compare(self, encoded: str | None, password: str) -> Comparison:
        """Do as `verify` does, and return with the answer what `level` wants."""
        compared = encoded or self._dummy
        is_right, began = await self._measure(compared, password)
        return Comparison(is_right and encoded is not None, began)

    async def level(self, comparison: Comparison, kinds: Collection[str], elsewhere: float = 0) -> None:
        """Wait so that a refusal takes as long whichever of these kinds of hash (`kind_of`) was compared, or ours.

        It waits for the end of a period twice as long as the slowest of them takes, counted from when the comparison
        began, and not from when it was asked for: those that wait for a thread all wait alike. That costs no processor.
        `elsewhere` is how many seconds it takes to ask somebody else about some of the passwords.
        """
        if not kinds and not elsewhere:
            return
        slowest = nlargest(_MEASURED, kinds, key=guess_seconds)
        for kind in {_OURS, *slowest} - self._seconds.keys():
            await self._measure(kind or self._dummy, "")
        known = self._seconds.keys() & {_OURS, *kinds}
        period = 2 * max(elsewhere, *(self._seconds[kind] for kind in known))
        passed = asyncio.get_running_loop().time() - comparison.began
        await asyncio.sleep(period - passed % period)

    def kind_of(self, encoded: str) -> str | None:
        """Return the kind of a hash that was made elsewhere, and nothing else of it; None for one of ours."""
        return kind_of(encoded) if self.needs_rehash(encoded) else None

    async def _measure(self, encoded: str, password: str) -> tuple[bool, float]:
        """Compare, tell when that began, and learn how long such a hash takes."""
        now = asyncio.get_running_loop().time

        def compare() -> tuple[bool, float, float]:
            began = now()
            return self._matches(encoded, password), began, now()

        is_right, began, ended = await self._run(compare)
        # Whoever types what is not in NFC has it compared twice, whosever it is; that says nothing of the kind.
        took = min(ended - began, _LONGEST) / len(_spellings(password))
        kind = self.kind_of(encoded) or _OURS
        so_far = self._seconds.get(kind, 0)
        # A slower one counts at once, a faster one little by little: it was perhaps only a busy moment.
        self._seconds[kind] = max(took, so_far + (took - so_far) / 10)
        return is_right, began

    def needs_rehash(self, encoded: str) -> bool:
        """Tell whether the hash was made by another system, or with old parameters."""
        return not encoded.startswith("$argon2") or self._hasher.check_needs_rehash(encoded)

    def judge(self, written: str, secrets: HashSecrets) -> JudgedHash:
        """Tell what becomes of a hash that another system wrote; see the port."""
        return judge(written, secrets)

    async def adopt(self, judged: JudgedHash) -> str:
        """Return what is stored of a hash that is taken; raises `BusyError` when too many are waiting."""
        if judged.verdict is HashVerdict.WRAPPED:
            return judged.encoded + await self._run(lambda: self._hasher.hash(judged.wrapped))
        return judged.encoded

    def close(self) -> None:
        """Finish the running hashes, cancel the waiting ones, and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _matches(self, encoded: str, password: str) -> bool:
        check = read_hash(encoded)
        return check is not None and any(map(check, _spellings(password)))

    async def _run(self, work: Callable[[], Result]) -> Result:
        if len(self._open) >= self._places:
            raise BusyError("Too many logins at once: try again in a second.")
        future = self._pool.submit(work)
        self._open.add(future)
        # Also called if the caller is cancelled while it waits; then its place is free at once.
        future.add_done_callback(self._open.discard)
        return await asyncio.wrap_future(future)


def _spellings(password: str) -> tuple[str, ...]:
    """Return the password as typed, and in NFC where that is something else: keyboards differ in how they write é."""
    return tuple(dict.fromkeys((password, normalize("NFC", password))))


def _dummy_hash() -> str:
    """Return a hash of the form of ours that is of no password that anybody knows: made up, which takes no time."""
    random = SystemRandom()
    salt, digest = random.secret()[: _HASHER.salt_len], random.secret()[: _HASHER.hash_len]
    cost = _HASHER.memory_cost, _HASHER.time_cost, _HASHER.parallelism
    made = made_by_argon2("id", ARGON2_VERSION, *cost, salt, digest)
    return write_phc(made.steps[0], made.digest)


def _give_way() -> None:
    """Give the event loop's thread priority if both need the same core; on Linux each thread has its own niceness."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
