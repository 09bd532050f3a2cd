"""A Redis that failed is asked again after its rest, also when the clock was set back meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from app.adapters.limits.redis import RedisLimiter
from app.domain.ports import Limit
from tests.fakes import MovableClock
from tests.harness.postgresql import free_port

pytestmark = pytest.mark.anyio

MANY = Limit("test", 100, 60)


@pytest.mark.parametrize("seconds", [5, -3600])
async def test_is_asked_again(seconds: float) -> None:
    port, clock, callers = free_port(), MovableClock(), []
    limiter = RedisLimiter(f"redis://127.0.0.1:{port}", clock)
    await limiter.hit(MANY, "somebody")

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(writer)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", port):
        await limiter.hit(MANY, "somebody")
        assert callers == []
        clock.advance(seconds=seconds)
        await limiter.hit(MANY, "somebody")
    assert callers
    await limiter.close()
