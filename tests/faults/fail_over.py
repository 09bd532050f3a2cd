"""The other surroundings: a PostgreSQL of three nodes under Patroni, whose primary goes away in every way there is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings
from app.wiring import migrate
from tests.faults.history import History, Outcome
from tests.faults.system import GATEWAYS, System, run_gateways
from tests.harness.patroni import NAMES, Node, PatroniCluster, stays_deposed
from tests.harness.wall_clock import slowness

# Seconds that all goes well before something is done, and that etcd is away: longer than Patroni tries again.
_PEACE, _LASTS = 1.0, 6.0
# What is called in every process all the time.
SERVICES = frozenset(
    (process, name) for process in range(GATEWAYS) for name in ("anonymousLogin", "tokenInfo", "refresh")
)
# How often it is looked whether all of that is done again, and the seconds between.
_LOOKS, _PAUSE = 300, 0.1


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that was lost. Times are seconds of the history's clock.

    `replaced` is when Patroni had another in its place; where it needs none, that is when it was lost. `over` is when
    a synchronous standby was there again. `slowness` is that of the machine meanwhile.
    """

    kind: str
    started: float
    replaced: float
    over: float
    slowness: float


@asynccontextmanager
async def run_on_patroni(folder: Path, cluster: PatroniCluster) -> AsyncIterator[System]:
    """Start two gateways that find the primary by HAProxy, and one by the names of all nodes."""
    await asyncio.to_thread(migrate, Settings.load({"DATABASE_URL": cluster.direct_url}))
    urls = [cluster.primary_url, cluster.primary_url, cluster.direct_url]
    async with run_gateways(folder, urls, cluster, "gateway", {}) as system:
        yield system


class FailOvers:
    """Has the cluster lose what it can lose, one after the other; `now` is the clock of the history.

    Nothing is lost before every process has served again.
    """

    def __init__(self, cluster: PatroniCluster, history: History, now: Callable[[], float]) -> None:
        self._cluster = cluster
        self._history = history
        self._now = now
        self.losses: list[Loss] = []
        self._slowness = 1.0

    async def run(self) -> None:
        """Go through all of them, but for what the installed Patroni is known not to survive."""
        await self._lose_primary("killed", Node.kill, Node.start)
        if stays_deposed():
            await self._lose_primary("frozen", Node.freeze, Node.thaw)
        await self._lose_primary("switched over", lambda _: self._cluster.switch_over(), _nothing)
        await self._lose_standby()
        await self._lose_etcd("etcd away")
        await self._lose_primary("cut off", _cut_off, _join)
        # In failsafe mode a primary goes on without etcd as long as it reaches all others.
        await asyncio.to_thread(self._cluster.change, failsafe_mode=True)
        await self._lose_etcd("etcd away, failsafe")

    async def _lose_primary(self, kind: str, strike: Callable[[Node], None], undo: Callable[[Node], None]) -> None:
        primary = await asyncio.to_thread(self._cluster.wait_until_safe)
        await asyncio.sleep(_PEACE)
        started = await self._begin()
        await asyncio.to_thread(strike, primary)
        moment = await asyncio.to_thread(self._cluster.wait_for_primary, but=primary)
        replaced = self._now() - (time.monotonic() - moment)
        # The old one comes back while all write to the new one.
        await asyncio.sleep(_PEACE)
        await asyncio.to_thread(undo, primary)
        await self._note(kind, started, replaced)

    async def _lose_standby(self) -> None:
        await asyncio.to_thread(self._cluster.wait_until_safe, members=len(NAMES))
        standby = await asyncio.to_thread(self._cluster.synchronous)
        assert standby is not None
        await asyncio.sleep(_PEACE)
        started = await self._begin()
        await asyncio.to_thread(standby.kill)
        await asyncio.to_thread(self._cluster.wait_for_synchronous, but=standby)
        replaced = self._now()
        await asyncio.sleep(_PEACE)
        await asyncio.to_thread(standby.start)
        await self._note("standby killed", started, replaced)

    async def _lose_etcd(self, kind: str) -> None:
        await asyncio.to_thread(self._cluster.wait_until_safe, members=len(NAMES))
        await asyncio.to_thread(self._cluster.wait_until_all_have_looked)
        started = await self._begin()
        await asyncio.to_thread(self._cluster.stop_etcd)
        await asyncio.sleep(_LASTS)
        await asyncio.to_thread(self._cluster.start_etcd)
        await asyncio.to_thread(self._cluster.wait_until_safe)
        await self._note(kind, started, self._now())

    async def _begin(self) -> float:
        self._slowness = await asyncio.to_thread(slowness)
        return self._now()

    async def _note(self, kind: str, started: float, replaced: float) -> None:
        factor = max(self._slowness, await asyncio.to_thread(slowness))
        await asyncio.to_thread(self._cluster.wait_until_safe)
        over = self._now()
        for _ in range(_LOOKS):
            if self._served_since(replaced) >= SERVICES:
                break
            await asyncio.sleep(_PAUSE)
        self.losses.append(Loss(kind, started, replaced, over, factor))

    def _served_since(self, moment: float) -> set[tuple[int, str]]:
        done = (call for call in self._history.calls if call.ended >= moment and call.outcome is Outcome.OK)
        return {(call.process, call.operation) for call in done}


def _nothing(_: Node) -> None:
    """There is nothing to undo."""


def _cut_off(node: Node) -> None:
    node.network.freeze(new_ones_too=True)


def _join(node: Node) -> None:
    node.network.thaw()
    node.network.cut()
