"""A TCP proxy whose connections can freeze: they stay open, and nothing goes through them any more.

That is what a firewall does that has forgotten a connection, and a host that has lost its power.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_PIECE = 65_536


class FreezingProxy:
    """Listens on the loopback and passes everything on to one port. Runs on a thread of its own.

    `delay` is how many seconds each piece of data waits on its way.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._frozen: set[int] = set()
        self._open: set[int] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self._made = 0
        # What frozen connections wait for.
        self._cut_off = asyncio.Event()
        self.takes_new = True
        self.delay = 0.0
        self.port = 0

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        self.port = self._run(self._listen())

    def stop(self) -> None:
        """Close everything."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def open(self) -> int:
        """How many connections are open and not frozen."""
        return len(self._open - self._frozen)

    def freeze(self, *, new_ones_too: bool = False) -> int:
        """Freeze all open connections, for good; return how many. New ones work unless they are to freeze as well."""
        self.takes_new = not new_ones_too
        frozen = self.open
        self._frozen |= self._open
        return frozen

    def thaw(self) -> None:
        """Let new connections through again; those that froze stay as they are."""
        self.takes_new = True

    def cut(self) -> None:
        """End all open connections at once, frozen ones too; new ones work."""
        self._run(self._cut())

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self._cut_off.set()
        self._cut_off = asyncio.Event()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._made += 1
        number = self._made
        self._open.add(number)
        if not self.takes_new:
            self._frozen.add(number)
        self._writers.append(writer)
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.close()
            return
        self._writers.append(server_writer)
        # The stream's own callback does not expect to be cancelled.
        with suppress(asyncio.CancelledError):
            await asyncio.gather(
                self._pass_on(number, reader, server_writer), self._pass_on(number, server_reader, writer)
            )
        self._open.discard(number)

    async def _pass_on(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(_PIECE):
                if number in self._frozen:
                    await self._cut_off.wait()
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(piece)
                await writer.drain()
            if number in self._frozen:
                await self._cut_off.wait()
            writer.close()
        except OSError:
            writer.close()

    async def _close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@contextmanager
def run_freezing_proxy(target_port: int) -> Iterator[FreezingProxy]:
    """Run one in front of a port."""
    proxy = FreezingProxy(target_port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
