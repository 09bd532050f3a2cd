"""Rate limits, in memory and in a real Redis; each rule is shown on both."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.adapters.limits import redis
from app.adapters.limits.memory import MemoryLimiter, WindowMemory
from app.adapters.limits.redis import RedisLimiter
from app.domain.errors import AccessCode, AccessError
from app.domain.ports import Limit, Limiter
from tests.harness.redis_server import RedisServer, run_redis
from tests.harness.wall_clock import slowness

pytestmark = pytest.mark.anyio

FIVE = Limit("five", 5, 300)
PATIENCE = 30.0
GROWING = Limit("growing", 5, 300, delays=(60, 120, 240))
THREE_OF_THEM = Limit("them", 3, 600, distinct=True)


class MovableClock:
    def __init__(self) -> None:
        self.moment = datetime(2025, 3, 1, 12, 30, 15, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with run_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def server(redis_server: RedisServer) -> RedisServer:
    redis_server.client.flushall()
    return redis_server


@pytest.fixture
def redis_timeout() -> float:
    """As long as an answer may take, in seconds: on a busy machine a Redis that lives must not count as dead."""
    return PATIENCE


@pytest.fixture
async def shared(
    server: RedisServer, clock: MovableClock, redis_timeout: float, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RedisLimiter]:
    monkeypatch.setattr(redis, "_TIMEOUT_SECONDS", redis_timeout)
    limiter = RedisLimiter(server.url, clock)
    yield limiter
    await limiter.close()


@pytest.fixture(params=["memory", "redis"])
def limiter(request: pytest.FixtureRequest, clock: MovableClock) -> Limiter:
    if request.param == "memory":
        return MemoryLimiter(clock)
    shared: Limiter = request.getfixturevalue("shared")
    return shared


@pytest.fixture
def advance(request: pytest.FixtureRequest, limiter: Limiter, clock: MovableClock) -> Callable[[float], None]:
    def advance(seconds: float) -> None:
        clock.moment += timedelta(seconds=seconds)
        if isinstance(limiter, RedisLimiter):
            request.getfixturevalue("server").advance(seconds)

    return advance


async def passed(limiter: Limiter, limit: Limit, *key: str, tries: int) -> int:
    """Return how many of so many simultaneous hits go through."""
    outcomes = await asyncio.gather(*(limiter.hit(limit, *key) for _ in range(tries)), return_exceptions=True)
    refusals = [outcome for outcome in outcomes if outcome is not None]
    assert all(isinstance(refusal, AccessError) for refusal in refusals)
    return tries - len(refusals)


async def seconds_to_wait(action: Awaitable[None]) -> int:
    with pytest.raises(AccessError) as refusal:
        await action
    assert refusal.value.code is AccessCode.RATE_LIMITED
    assert refusal.value.retry_after is not None
    return refusal.value.retry_after


class TestHit:
    async def test_lets_through_as_many_as_the_limit_says(self, limiter: Limiter) -> None:
        assert await passed(limiter, FIVE, "10.0.0.1", tries=5) == 5

    async def test_refuses_the_next_one_and_says_how_long_to_wait(self, limiter: Limiter) -> None:
        await passed(limiter, FIVE, "10.0.0.1", tries=5)
        assert 200 <= await seconds_to_wait(limiter.hit(FIVE, "10.0.0.1")) <= 301

    async def test_lets_no_more_than_the_limit_through_of_a_hundred_at_once(self, limiter: Limiter) -> None:
        assert await passed(limiter, FIVE, "10.0.0.1", tries=100) == 5

    async def test_lets_one_through_after_the_wait_that_it_asked_for(
        self, limiter: Limiter, advance: Callable[[float], None]
    ) -> None:
        await passed(limiter, FIVE, "10.0.0.1", tries=5)
        advance(await seconds_to_wait(limiter.hit(FIVE, "10.0.0.1")))
        await limiter.hit(FIVE, "10.0.0.1")

    async def test_refuses_until_the_wait_is_nearly_over(
        self, limiter: Limiter, advance: Callable[[float], None]
    ) -> None:
        await passed(limiter, FIVE, "10.0.0.1", tries=5)
        advance(295)
        assert await seconds_to_wait(limiter.hit(FIVE, "10.0.0.1")) <= 6

    async def test_makes_room_one_by_one_as_the_last_window_fades(
        self, limiter: Limiter, advance: Callable[[float], None]
    ) -> None:
        await passed(limiter, FIVE, "10.0.0.1", tries=5)
        advance(330)
        assert await passed(limiter, FIVE, "10.0.0.1", tries=5) == 1
        wait = await seconds_to_wait(limiter.hit(FIVE, "10.0.0.1"))
        assert 25 <= wait <= 32
        advance(wait)
        assert await passed(limiter, FIVE, "10.0.0.1", tries=5) == 1

    async def test_forgets_after_two_windows(self, limiter: Limiter, advance: Callable[[float], None]) -> None:
        await passed(limiter, FIVE, "10.0.0.1", tries=5)
        advance(600)
        assert await passed(limiter, FIVE, "10.0.0.1", tries=6) == 5

    async def test_does_not_count_what_it_refuses(self, limiter: Limiter, advance: Callable[[float], None]) -> None:
        await passed(limiter, FIVE, "10.0.0.1", tries=50)
        advance(600)
        assert await passed(limiter, FIVE, "10.0.0.1", tries=6) == 5

    async def test_asks_for_at_least_one_second(self, limiter: Limiter, advance: Callable[[float], None]) -> None:
        limit = Limit("per-second", 1, 1)
        await limiter.hit(limit, "demo")
        advance(0.5)
        assert await seconds_to_wait(limiter.hit(limit, "demo")) == 1

    async def test_lets_nothing_through_where_the_limit_is_zero(self, limiter: Limiter) -> None:
        assert await seconds_to_wait(limiter.hit(Limit("none", 0, 60), "10.0.0.1")) == 1

    @pytest.mark.parametrize("other", [("b",), ("a", ""), ("a/b",), ("a\0b",), ("a b",), ("",), ()])
    async def test_counts_every_key_by_itself(self, limiter: Limiter, other: tuple[str, ...]) -> None:
        await passed(limiter, FIVE, "a", "b", tries=5)
        assert await passed(limiter, FIVE, *other, tries=6) == 5

    async def test_counts_every_limit_by_itself(self, limiter: Limiter) -> None:
        await passed(limiter, FIVE, "a", tries=5)
        assert await passed(limiter, Limit("other", 5, 300), "a", tries=6) == 5


class TestHitWithDelays:
    async def test_asks_for_the_first_delay_after_the_limit(self, limiter: Limiter) -> None:
        assert await passed(limiter, GROWING, "10.0.0.1", "anna", tries=100) == 5
        assert 30 <= await seconds_to_wait(limiter.hit(GROWING, "10.0.0.1", "anna")) <= 61

    async def test_lets_one_through_after_each_delay_and_asks_for_the_next_longer_one(
        self, limiter: Limiter, advance: Callable[[float], None]
    ) -> None:
        await passed(limiter, GROWING, "10.0.0.1", "anna", tries=5)
        waits = []
        for _ in range(5):
            waits.append(await seconds_to_wait(limiter.hit(GROWING, "10.0.0.1", "anna")))
            advance(waits[-1])
            assert await passed(limiter, GROWING, "10.0.0.1", "anna", tries=20) == 1
        assert waits == pytest.approx([60, 120, 240, 240, 240], abs=25)  # less what the machine took

    async def test_starts_again_when_it_has_been_quiet_long_enough(
        self, limiter: Limiter, advance: Callable[[float], None]
    ) -> None:
        await passed(limiter, GROWING, "10.0.0.1", "anna", tries=6)
        advance(4 * 240)
        assert await passed(limiter, GROWING, "10.0.0.1", "anna", tries=6) == 5

    async def test_leaves_other_keys_alone(self, limiter: Limiter) -> None:
        await passed(limiter, GROWING, "10.0.0.1", "anna", tries=6)
        assert await passed(limiter, GROWING, "10.0.0.2", "anna", tries=1) == 1


class TestCheck:
    async def test_counts_nothing(self, limiter: Limiter) -> None:
        for _ in range(10):
            await limiter.check(FIVE, "10.0.0.1")
        assert await passed(limiter, FIVE, "10.0.0.1", tries=6) == 5

    async def test_raises_when_the_next_hit_would(self, limiter: Limiter) -> None:
        await passed(limiter, FIVE, "10.0.0.1", tries=5)
        assert 200 <= await seconds_to_wait(limiter.check(FIVE, "10.0.0.1")) <= 301

    async def test_raises_during_a_delay_and_not_after_it(
        self, limiter: Limiter, advance: Callable[[float], None]
    ) -> None:
        await passed(limiter, GROWING, "anna", tries=6)
        advance(await seconds_to_wait(limiter.check(GROWING, "anna")))
        await limiter.check(GROWING, "anna")


class TestGiveBack:
    async def test_makes_room_for_one_more(self, limiter: Limiter) -> None:
        await passed(limiter, FIVE, "10.0.0.1", tries=5)
        await limiter.give_back(FIVE, "10.0.0.1")
        assert await passed(limiter, FIVE, "10.0.0.1", tries=5) == 1

    async def test_makes_no_room_beyond_the_limit(self, limiter: Limiter) -> None:
        for _ in range(3):
            await limiter.give_back(FIVE, "10.0.0.1")
        assert await passed(limiter, FIVE, "10.0.0.1", tries=9) == 5


class TestClear:
    async def test_forgets_every_hit_of_the_key(self, limiter: Limiter) -> None:
        await passed(limiter, FIVE, "a", tries=5)
        await passed(limiter, FIVE, "b", tries=5)
        await limiter.clear(FIVE, "a")
        assert await passed(limiter, FIVE, "a", tries=6) == 5
        assert await passed(limiter, FIVE, "b", tries=6) == 0

    async def test_ends_the_delays(self, limiter: Limiter) -> None:
        await passed(limiter, GROWING, "a", tries=6)
        await limiter.clear(GROWING, "a")
        assert await passed(limiter, GROWING, "a", tries=6) == 5
        assert 30 <= await seconds_to_wait(limiter.hit(GROWING, "a")) <= 61


class TestWindowMemory:
    async def test_forgets_keys_that_never_come_again(self, clock: MovableClock) -> None:
        memory = WindowMemory(clock)
        for number in range(1_000):
            await memory.acquire_sliding_window_entry(str(number), 5, 60)
        clock.moment += timedelta(seconds=120)
        await memory.acquire_sliding_window_entry("new", 5, 60)
        assert len(memory) == 1

    async def test_keeps_a_key_that_goes_on_being_used(self, clock: MovableClock) -> None:
        memory = WindowMemory(clock)
        for _ in range(10):
            assert await memory.acquire_sliding_window_entry("busy", 5, 60)
            clock.moment += timedelta(seconds=50)
            await memory.acquire_sliding_window_entry(str(clock.moment), 5, 10)
        previous, _, current, _ = await memory.get_sliding_window("busy", 60)
        assert previous + current > 0

    async def test_holds_no_more_than_it_may_and_counts_the_newest(self, clock: MovableClock) -> None:
        memory = WindowMemory(clock, most=100)
        for number in range(1_000):
            await memory.acquire_sliding_window_entry(str(number), 5, 86_400)
        assert await memory.acquire_sliding_window_entry("short", 1, 60)
        assert not await memory.acquire_sliding_window_entry("short", 1, 60)
        assert len(memory) == 100
        assert len(memory._queue) <= 200

    async def test_drops_what_is_void_after_the_queue_was_tidied(self, clock: MovableClock) -> None:
        memory = WindowMemory(clock, most=10)
        for number in range(50):
            await memory.acquire_sliding_window_entry(str(number), 5, 60)
        clock.moment += timedelta(seconds=120)
        await memory.acquire_sliding_window_entry("new", 5, 60)
        assert len(memory) == len(memory._queue) == 1

    async def test_tells_when_a_plain_counter_ends(self, clock: MovableClock) -> None:
        memory = WindowMemory(clock)
        assert await memory.get_expiry("plain") == clock.moment.timestamp()
        assert [await memory.incr("plain", 60), await memory.incr("plain", 60, 2)] == [1, 3]
        assert await memory.get_expiry("plain") == clock.moment.timestamp() + 60
        clock.moment += timedelta(seconds=60)
        assert await memory.get("plain") == 0

    async def test_forgets_everything_on_reset(self, clock: MovableClock) -> None:
        memory = WindowMemory(clock)
        await memory.incr("plain", 60)
        assert await memory.check()
        assert await memory.reset() == 1
        assert len(memory) == 0

    async def test_does_not_pile_up_what_is_cleared_and_counted_again(self, clock: MovableClock) -> None:
        memory = WindowMemory(clock)
        for _ in range(100):
            await memory.acquire_sliding_window_entry("again", 5, 60)
            await memory.clear_sliding_window("again", 60)
            clock.moment += timedelta(seconds=12)
        assert len(memory._queue) <= 11


class TestRedisLimiter:
    async def test_counts_for_all_processes_together(self, server: RedisServer, clock: MovableClock) -> None:
        one, other = RedisLimiter(server.url, clock), RedisLimiter(server.url, clock)
        assert await passed(one, FIVE, "a", tries=3) == 3
        assert await passed(other, FIVE, "a", tries=3) == 2
        await one.close()
        await other.close()

    async def test_stores_no_address_and_nothing_for_ever(self, shared: RedisLimiter, server: RedisServer) -> None:
        await passed(shared, GROWING, "10.0.0.1", "anna@example.org", tries=6)
        keys = server.client.keys()
        assert keys
        assert not any(b"anna" in key or b"10.0.0.1" in key for key in keys)
        assert all(server.client.pttl(key) > 0 for key in keys)

    async def test_survives_a_flushed_server(self, shared: RedisLimiter, server: RedisServer) -> None:
        await shared.hit(FIVE, "a")
        server.client.script_flush()
        assert await passed(shared, FIVE, "a", tries=9) == 4

    async def test_holds_under_more_calls_at_once_than_it_has_connections(self, shared: RedisLimiter) -> None:
        assert await passed(shared, Limit("many", 100, 60), "a", tries=150) == 100

    @pytest.mark.parametrize("url", ["", "localhost:6379", "http://localhost"])
    def test_refuses_a_url_of_another_kind(self, url: str, clock: MovableClock) -> None:
        with pytest.raises(ValueError, match="must be redis://host"):
            RedisLimiter(url, clock)


class TestRedisLimiterWithoutRedis:
    @pytest.fixture
    def redis_timeout(self) -> float:
        """As in production: these tests wait for it."""
        return redis._TIMEOUT_SECONDS

    @pytest.fixture(params=[signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
    def dead(self, request: pytest.FixtureRequest, server: RedisServer) -> Iterator[RedisServer]:
        server.process.send_signal(request.param)
        if request.param is signal.SIGKILL:
            server.process.wait()
        yield server
        revive(server)

    @pytest.mark.usefixtures("dead")
    async def test_counts_half_of_the_limit_in_this_process(self, shared: RedisLimiter) -> None:
        assert await passed(shared, Limit("ten", 10, 60), "a", tries=100) == 5

    @pytest.mark.usefixtures("dead")
    async def test_still_lets_one_through_where_the_limit_is_one(self, shared: RedisLimiter) -> None:
        assert await passed(shared, Limit("one", 1, 60), "a", tries=10) == 1

    @pytest.mark.wall_clock
    @pytest.mark.usefixtures("dead")
    async def test_makes_one_call_wait_and_not_each(self, shared: RedisLimiter) -> None:
        started = time.perf_counter()
        await shared.hit(FIVE, "a")
        first = time.perf_counter() - started
        started = time.perf_counter()
        for number in range(200):
            await shared.hit(FIVE, str(number))
        others = time.perf_counter() - started
        slow = slowness()
        assert first < 1 * slow
        assert others < 0.2 * slow

    async def test_says_once_that_redis_fails_and_once_that_it_is_back(
        self, shared: RedisLimiter, dead: RedisServer, clock: MovableClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, logger="app.adapters.rate_limits"):
            for _ in range(3):
                await shared.hit(Limit("hundred", 100, 60), "a")
                clock.moment += timedelta(seconds=6)
            revive(dead)
            await shared.hit(Limit("hundred", 100, 60), "a")
        assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]

    async def test_counts_in_redis_again_when_it_is_back(
        self, shared: RedisLimiter, dead: RedisServer, clock: MovableClock
    ) -> None:
        assert await passed(shared, FIVE, "a", tries=9) == 2
        revive(dead)
        dead.client.flushall()
        assert await passed(shared, FIVE, "a", tries=9) == 0
        clock.moment += timedelta(seconds=5)
        assert await passed(shared, FIVE, "a", tries=1) == 1
        assert await passed(shared, FIVE, "a", tries=9) == 4

    async def test_uses_no_answer_that_came_too_late_for_another_question(
        self, shared: RedisLimiter, dead: RedisServer, clock: MovableClock
    ) -> None:
        await passed(shared, FIVE, "a", tries=20)
        revive(dead)
        dead.client.flushall()
        clock.moment += timedelta(seconds=5)
        await shared.hit(FIVE, "b")
        for key in map(str, range(40)):
            assert await passed(shared, FIVE, key, tries=7) == 5


def revive(server: RedisServer) -> None:
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGCONT)
        server.client.ping()
    else:
        server.start()


class TestDistinct:
    async def test_counts_each_of_them_once(self, limiter: Limiter) -> None:
        for _ in range(20):
            await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.1")
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.2")
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.3")
        assert 598 <= await seconds_to_wait(limiter.hit(THREE_OF_THEM, "anna", "10.0.0.4")) <= 600

    async def test_refuses_those_that_were_counted_as_well_once_there_are_enough(self, limiter: Limiter) -> None:
        for number in range(3):
            await limiter.hit(THREE_OF_THEM, "anna", f"10.0.0.{number}")
        await seconds_to_wait(limiter.hit(THREE_OF_THEM, "anna", "10.0.0.0"))
        await seconds_to_wait(limiter.check(THREE_OF_THEM, "anna", "10.0.0.9"))

    async def test_lets_three_of_a_hundred_in_at_once(self, limiter: Limiter) -> None:
        hits = (limiter.hit(THREE_OF_THEM, "anna", f"10.0.0.{number}") for number in range(100))
        outcomes = await asyncio.gather(*hits, return_exceptions=True)
        assert outcomes.count(None) == 3
        assert all(outcome is None or isinstance(outcome, AccessError) for outcome in outcomes)

    async def test_counts_nothing_by_a_check_or_a_refusal(
        self, limiter: Limiter, advance: Callable[[float], None]
    ) -> None:
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.1")
        for number in range(5):
            await limiter.check(THREE_OF_THEM, "anna", f"10.0.1.{number}")
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.2")
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.3")
        advance(599)
        await seconds_to_wait(limiter.hit(THREE_OF_THEM, "anna", "10.0.0.4"))
        advance(2)
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.4")

    async def test_makes_room_when_the_first_has_been_quiet_for_the_window(
        self, limiter: Limiter, advance: Callable[[float], None]
    ) -> None:
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.1")
        advance(100)
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.2")
        advance(100)
        # It came again, so the second one is the first to leave.
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.1")
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.3")
        wait = await seconds_to_wait(limiter.hit(THREE_OF_THEM, "anna", "10.0.0.4"))
        assert 498 <= wait <= 500
        advance(wait)
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.4")
        await seconds_to_wait(limiter.hit(THREE_OF_THEM, "anna", "10.0.0.2"))

    async def test_forgets_one_that_is_given_back(self, limiter: Limiter) -> None:
        for number in range(3):
            await limiter.hit(THREE_OF_THEM, "anna", f"10.0.0.{number}")
        await limiter.give_back(THREE_OF_THEM, "anna", "10.0.0.1")
        await limiter.give_back(THREE_OF_THEM, "anna", "10.0.0.77")
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.4")
        await seconds_to_wait(limiter.hit(THREE_OF_THEM, "anna", "10.0.0.5"))

    async def test_forgets_all_of_them_when_it_is_cleared(self, limiter: Limiter) -> None:
        for number in range(3):
            await limiter.hit(THREE_OF_THEM, "anna", f"10.0.0.{number}")
        await limiter.clear(THREE_OF_THEM, "anna", "")
        await limiter.hit(THREE_OF_THEM, "anna", "10.0.0.4")

    async def test_counts_every_key_by_itself(self, limiter: Limiter) -> None:
        for number in range(3):
            await limiter.hit(THREE_OF_THEM, "anna", f"10.0.0.{number}")
        await limiter.hit(THREE_OF_THEM, "berta", "10.0.0.1")

    async def test_is_counted_by_half_in_this_process_while_redis_is_away(
        self, server: RedisServer, shared: RedisLimiter
    ) -> None:
        server.stop()
        try:
            await shared.hit(THREE_OF_THEM, "anna", "10.0.0.1")
            await seconds_to_wait(shared.hit(THREE_OF_THEM, "anna", "10.0.0.2"))
        finally:
            server.start()

    async def test_takes_a_bounded_memory(self, clock: MovableClock) -> None:
        memory = WindowMemory(clock, most=100)
        for number in range(1_000):
            await memory.enter(f"account-{number}", "10.0.0.1", 3, 600)
        assert len(memory) == 100
        assert await memory.enter("account-999", None, 1, 600) == 600
