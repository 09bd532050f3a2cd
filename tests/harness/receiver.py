"""A receiver of webhooks on loopback: keeps what arrives, and answers as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

from anyio import fail_after
from standardwebhooks.webhooks import Webhook

# Seconds that anything may take on a machine that is busy with other things.
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it arrived; header names in lower case."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """What the sender calls the event, over all its tries."""
        return self.headers["webhook-id"]

    def verify(self, secret: str) -> dict[str, Any]:
        """Return the event if it is signed with this secret, as a receiver checks it; else raise."""
        event: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return event


class Receiver:
    """Answers with `status`, after `before_answer` where the test has given one, without end or not at all."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.status = 204
        self.headers: list[str] = []
        self.body = b""
        self.before_answer: Callable[[], Awaitable[object]] | None = None
        self.endless = False
        self.hangs_up = False
        self.port = 0
        self._arrived = asyncio.Condition()

    @property
    def url(self) -> str:
        """Where it listens, by its address."""
        return f"http://127.0.0.1:{self.port}/hooks"

    async def wait_for(self, count: int) -> list[Delivery]:
        """Return what arrived as soon as it is so many."""
        with fail_after(PATIENCE):
            async with self._arrived:
                await self._arrived.wait_for(lambda: len(self.deliveries) >= count)
        return self.deliveries

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request on one connection."""
        try:
            await self._take(reader)
            if self.before_answer is not None:
                await self.before_answer()
            if self.hangs_up:
                return
            lines = [f"HTTP/1.1 {self.status} Answer", *self.headers, "Connection: close"]
            writer.write("\r\n".join([*lines, "", ""]).encode() + self.body)
            while self.endless:
                writer.write(b"x" * 65_536)
                await writer.drain()
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _take(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
        delivery = Delivery(headers, await reader.readexactly(int(headers["content-length"])))
        async with self._arrived:
            self.deliveries.append(delivery)
            self._arrived.notify_all()


@asynccontextmanager
async def run_receiver(
    host: str = "127.0.0.1", tls: SSLContext | None = None, receiver: Receiver | None = None
) -> AsyncIterator[Receiver]:
    """Listen on a free port until the block ends; with a receiver of the test's own, that one listens."""
    receiver = receiver or Receiver()
    server = await asyncio.start_server(receiver.serve, host, 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
