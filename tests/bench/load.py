"""A load generator in a process of its own: keep-alive connections in a closed loop, every answer checked.

`python -m tests.bench.load` reads what to do from its input, a line of JSON each; it writes a line when that is
prepared and begins, and at its end one of JSON with what it measured.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvloop

from tests.bench.workloads import Person, Script, WrongAnswerError

# Seconds that any one answer may take.
PATIENCE = 60.0
READY = b"ready\n"


@dataclass
class Measured:
    """Seconds of each answer, and how much of its time the generator itself was busy."""

    seconds: list[float] = field(default_factory=list)
    duration: float = 0.0
    busy: float = 0.0


class Connection(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, hands it on."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand on the body as soon as it is whole."""
        self._received += data
        head, separator, content = self._received.partition(b"\r\n\r\n")
        if not separator or self._answer is None:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(content) < length:
            return
        self._received = b""
        if not head.startswith(b"HTTP/1.1 200 "):
            self._answer.set_exception(WrongAnswerError((head + content).decode(errors="replace")))
        else:
            self._answer.set_result(content)

    def connection_lost(self, error: Exception | None) -> None:
        """Let whoever waits for an answer know."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(WrongAnswerError(f"The server closed the connection: {error}"))

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    async def ask(self, request: bytes) -> bytes:
        """Send a request and return the body of its answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer


async def _run(task: dict[str, Any]) -> Measured:
    people = [Person(**person) for person in task["people"]]
    scripts = [Script(task["workload"], people[number % len(people)], number) for number in range(task["connections"])]
    await asyncio.gather(*(_prepare(task["port"], script, task["logins"]) for script in scripts))
    # New ones: the server closes a connection that has had to wait for the preparation of the others.
    connections = [await _connect(task["port"]) for _ in scripts]
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    measured = Measured()
    started, busy = time.perf_counter(), time.process_time()
    end = started + task["seconds"]
    pairs = zip(connections, scripts, strict=True)
    async with asyncio.timeout(task["seconds"] + PATIENCE):
        await asyncio.gather(*(_talk(*pair, end, task["pause"], measured.seconds) for pair in pairs))
    measured.duration = time.perf_counter() - started
    measured.busy = (time.process_time() - busy) / measured.duration
    return measured


async def _connect(port: int) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


async def _prepare(port: int, script: Script, logins: int) -> None:
    connection = await _connect(port)
    for request in script.preparation(logins):
        script.prepared(await connection.ask(request))


async def _talk(connection: Connection, script: Script, end: float, pause: float, seconds: list[float]) -> None:
    while (started := time.perf_counter()) < end:
        request = script.next()
        if request is None:
            return
        answer = await connection.ask(request)
        seconds.append(time.perf_counter() - started)
        script.check(answer)
        if pause:
            await asyncio.sleep(pause)


def main() -> None:
    """Do what the input says, one after the other, until it ends."""
    for line in sys.stdin.buffer:
        measured = uvloop.run(_run(orjson.loads(line)))
        sys.stdout.buffer.write(orjson.dumps(measured) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
