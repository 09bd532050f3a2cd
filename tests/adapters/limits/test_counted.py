"""Which limits refuse, and how often: noted by name."""

from __future__ import annotations

import pytest

from app.adapters.limits.counted import CountedLimiter
from app.adapters.limits.memory import MemoryLimiter
from app.domain.errors import AccessError
from app.domain.ports import Limit
from tests.fakes import MovableClock

pytestmark = pytest.mark.anyio

ONE = Limit("login.ip", 1)


class TestCountedLimiter:
    async def test_notes_each_refusal_by_the_name_of_its_limit(self) -> None:
        noted: list[str] = []
        limiter = CountedLimiter(MemoryLimiter(MovableClock()), noted.append)
        await limiter.hit(ONE, "a")
        assert noted == []
        for _ in range(2):
            with pytest.raises(AccessError):
                await limiter.hit(ONE, "a")
        assert noted == ["login.ip", "login.ip"]

    async def test_leaves_the_counting_to_the_limiter(self) -> None:
        noted: list[str] = []
        limiter = CountedLimiter(MemoryLimiter(MovableClock()), noted.append)
        await limiter.hit(ONE, "a")
        with pytest.raises(AccessError):
            await limiter.check(ONE, "a")
        await limiter.give_back(ONE, "a")
        await limiter.check(ONE, "a")
        await limiter.hit(ONE, "a")
        await limiter.clear(ONE, "a")
        await limiter.hit(ONE, "a")
        await limiter.close()
