"""Redis that is replaced while it counts, under Sentinels and as a cluster: real servers that end, freeze and move."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from app.adapters.limits import redis as module
from app.adapters.limits.redis import RedisLimiter
from app.domain.errors import AccessError
from app.domain.ports import Limit
from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.client import StorefrontClient
from tests.harness.gateway import run_gateway
from tests.harness.redis_groups import Cluster, RedisNode, Watched, run_cluster, run_watched

pytestmark = pytest.mark.anyio

TEN = Limit("ten", 10, 600)
# What a process lets through alone.
HALF = TEN.amount // 2
# What is left in Redis after four, and what may pass while one Redis gives way to another.
LEFT = TEN.amount - 4
MOST = LEFT + HALF
# More than the seconds after which Redis is tried again.
LATER = 6


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a Redis that lives must not count as dead."""
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", 2.0)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with run_watched(tmp_path / "redis") as running:
        yield running


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with run_cluster(tmp_path / "redis") as running:
        yield running


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_template: Path) -> dict[str, str]:
    """Return the environment of a gateway on SQLite."""
    file = tmp_path / "gateway.db"
    shutil.copy(sqlite_template, file)
    return {"DATABASE_URL": f"sqlite:///{file}", "STATE_DIR": str(tmp_path / "state")}


@asynccontextmanager
async def two_processes(url: str, clock: MovableClock) -> AsyncIterator[tuple[RedisLimiter, RedisLimiter]]:
    """Run the limiters of two processes."""
    limiters = RedisLimiter(url, clock), RedisLimiter(url, clock)
    try:
        yield limiters
    finally:
        for limiter in limiters:
            await limiter.close()


async def passed(limiter: RedisLimiter, tries: int) -> int:
    """Return how many of the tries passed; the others were refused by the limit, and nothing else came of any."""
    count = 0
    for _ in range(tries):
        with suppress(AccessError):
            await limiter.hit(TEN, "ada")
            count += 1
    return count


def kill(watched: Watched) -> None:
    watched.master.kill()


def kill_with_a_sentinel(watched: Watched) -> None:
    # The one that is asked first.
    watched.sentinels[0].kill()
    watched.master.kill()


def freeze(watched: Watched) -> None:
    watched.master.freeze()


class TestSentinel:
    @pytest.mark.parametrize("lose", [kill, kill_with_a_sentinel, freeze])
    async def test_leads_a_running_process_to_the_next_master(
        self, watched: Watched, clock: MovableClock, lose: Callable[[Watched], None]
    ) -> None:
        async with two_processes(watched.url, clock) as (one, two):
            assert await passed(one, 2) + await passed(two, 2) == 4
            await asyncio.to_thread(watched.wait_until_replica_has_all)
            lose(watched)
            assert 1 <= await passed(one, 20) <= MOST
            assert 1 <= await passed(two, 20) <= MOST
            await asyncio.to_thread(watched.wait_until_replaced)
            clock.advance(seconds=LATER)
            assert [*await one.faults(), *await two.faults()] == []
            # The replica knows of the first four.
            assert await passed(one, 20) + await passed(two, 20) <= LEFT
            assert await passed(one, 1) + await passed(two, 1) == 0

    async def test_may_move_the_master_at_any_time(self, watched: Watched, clock: MovableClock) -> None:
        async with two_processes(watched.url, clock) as (one, two):
            assert await passed(one, 4) == 4
            await asyncio.to_thread(watched.wait_until_replica_has_all)
            watched.sentinels[0].command("sentinel failover", watched.service)
            assert 1 <= await passed(one, 20) <= MOST
            assert 0 <= await passed(two, 20) <= MOST
            await asyncio.to_thread(watched.wait_until_replaced)
            clock.advance(seconds=LATER)
            # What the old master has counted after the new one was chosen is lost.
            assert await passed(one, 20) + await passed(two, 20) <= LEFT
            assert await passed(one, 1) + await passed(two, 1) == 0

    async def test_lets_nobody_guess_passwords_while_it_is_away(
        self, watched: Watched, sqlite: dict[str, str], clock: MovableClock
    ) -> None:
        async with run_gateway({**sqlite, "REDIS_URL": watched.url}, clock) as gateway:
            watched.master.kill()
            codes = [await guess(gateway) for _ in range(12)]
            assert set(codes) == {"INVALID_CREDENTIALS", "RATE_LIMITED"}
            await asyncio.to_thread(watched.wait_until_replaced)
            clock.advance(seconds=LATER)
            codes = [await guess(gateway) for _ in range(24)]
            assert set(codes) == {"INVALID_CREDENTIALS", "RATE_LIMITED"}
            assert await gateway.tools.limiter.faults() == []


async def guess(gateway: StorefrontClient) -> str:
    """Log in with a wrong password, in a session of its own; return the code of the refusal."""
    session = await gateway.anonymous()
    given = {"email": "ada@example.com", "password": "violet-wrong-harbour"}
    answer = await gateway.graphql(operations.LOGIN, {"input": given}, session.access)
    (code,) = answer.codes or [code for code, _ in answer.user_errors("login")]
    return code


class TestCluster:
    @pytest.mark.parametrize("lose", [RedisNode.kill, RedisNode.freeze])
    async def test_goes_on_when_a_replica_takes_over(
        self, cluster: Cluster, clock: MovableClock, lose: Callable[[RedisNode], None]
    ) -> None:
        async with two_processes(cluster.url, clock) as (one, two):
            assert await passed(one, 2) + await passed(two, 2) == 4
            await asyncio.to_thread(cluster.wait_until_replicas_have_all)
            lost = cluster.master_with(TEN.name)
            lose(lost)
            assert 1 <= await passed(one, 20) <= MOST
            assert 1 <= await passed(two, 20) <= MOST
            await asyncio.to_thread(cluster.wait_until_replaced, lost)
            clock.advance(seconds=LATER)
            assert [*await one.faults(), *await two.faults()] == []
            assert await passed(one, 20) + await passed(two, 20) <= LEFT
            assert await passed(one, 1) + await passed(two, 1) == 0

    async def test_counts_on_when_a_slot_moves(self, cluster: Cluster, clock: MovableClock) -> None:
        async with two_processes(cluster.url, clock) as (one, two):
            assert await passed(one, 2) + await passed(two, 2) == 4
            with cluster.moving(TEN.name):
                # The library may not find a key between its old place and its new one.
                assert 1 <= await passed(one, 20) <= MOST
            clock.advance(seconds=LATER)
            assert await passed(one, 20) + await passed(two, 20) <= LEFT
            assert await passed(one, 1) + await passed(two, 1) == 0
