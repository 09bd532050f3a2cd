"""What is done to the system while people make their journeys: one fault after the other, each of them undone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from random import Random

from tests.faults.history import Fault, History
from tests.faults.system import GATEWAYS, System

# Seconds that a fault lasts, that there is peace after it, and until a gateway that is not ready is given up.
_LASTS = (0.5, 8.0)
_PEACE = (1.0, 5.0)
_PATIENCE = 120.0

Undo = Callable[[], Awaitable[None]]


class Nemesis:
    """Chooses faults at random; `now` is the clock of the history."""

    def __init__(self, system: System, history: History, random: Random, now: Callable[[], float]) -> None:
        self._system = system
        self._history = history
        self._random = random
        self._now = now
        self._faults: dict[str, Callable[[int], Awaitable[Undo]]] = {
            "kill": self._kill,
            "stop": self._stop,
            "receiver away": self._receiver_away,
            "mail server away": self._mail_server_away,
        }
        if system.postgresql is not None:
            self._faults |= {
                "freeze": self._freeze,
                "freeze and more": self._freeze_all,
                "cut": self._cut,
                "slow": self._slow,
                "database crash": self._crash,
            }

    async def rage(self, over: asyncio.Event) -> None:
        """Go on until it is over; then everything is undone."""
        while not over.is_set():
            # Each kind once before one comes twice, so that a short run has met many.
            for kind in self._random.sample(sorted(self._faults), len(self._faults)):
                if over.is_set():
                    return
                await self._strike(kind)
                await asyncio.sleep(self._random.uniform(*_PEACE))

    async def _strike(self, kind: str) -> None:
        process = self._random.randrange(GATEWAYS)
        started = self._now()
        undo = await self._faults[kind](process)
        await asyncio.sleep(self._random.uniform(*_LASTS))
        await undo()
        # A process that was killed has started again by now, which takes what the machine has time for.
        ended = self._now()
        while not await self._system.ready() and self._now() < ended + _PATIENCE:  # noqa: ASYNC110 — other processes
            await asyncio.sleep(0.1)
        of_one = kind in {"kill", "stop", "freeze", "cut", "slow"}
        self._history.faults.append(Fault(kind, process if of_one else None, started, ended, self._now()))

    async def _kill(self, process: int) -> Undo:
        gateway = self._system.gateways[process]
        gateway.kill()

        async def undo() -> None:
            await asyncio.to_thread(gateway.start)

        return undo

    async def _stop(self, process: int) -> Undo:
        gateway = self._system.gateways[process]
        gateway.signal(signal.SIGSTOP)

        async def undo() -> None:
            gateway.signal(signal.SIGCONT)

        return undo

    async def _freeze(self, process: int) -> Undo:
        self._system.proxies[process].freeze()
        return _nothing

    async def _freeze_all(self, _: int) -> Undo:
        for proxy in self._system.proxies:
            proxy.freeze(new_ones_too=True)

        async def undo() -> None:
            for proxy in self._system.proxies:
                proxy.thaw()

        return undo

    async def _cut(self, process: int) -> Undo:
        proxy = self._system.proxies[process]
        for _ in range(self._random.randint(1, 4)):
            proxy.cut()
            await asyncio.sleep(self._random.uniform(0.0, 0.4))
        return _nothing

    async def _slow(self, process: int) -> Undo:
        proxy = self._system.proxies[process]
        proxy.delay = self._random.uniform(0.01, 0.15)

        async def undo() -> None:
            proxy.delay = 0.0

        return undo

    async def _crash(self, _: int) -> Undo:
        assert self._system.postgresql is not None
        await asyncio.to_thread(self._system.postgresql.restart_at_once)
        return _nothing

    async def _receiver_away(self, _: int) -> Undo:
        receiver = self._system.receiver
        heard = len(receiver.deliveries)
        receiver.hangs_up = True

        async def undo() -> None:
            receiver.hangs_up = False
            # It has answered none of them, so it has none.
            del receiver.deliveries[heard:]

        return undo

    async def _mail_server_away(self, _: int) -> Undo:
        await asyncio.to_thread(self._system.sink.stop)

        async def undo() -> None:
            await asyncio.to_thread(self._system.sink.start)

        return undo


async def _nothing() -> None:
    """Undo what undoes itself."""
