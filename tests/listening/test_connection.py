"""What one connection may cost: bytes and seconds have bounds, and a thousand half requests change nothing."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx2
import pytest

from app.listening.connection import MAX_HEAD
from tests.harness.server import PATIENCE, ServerProcess
from tests.listening.conftest import ASK, Listening, read_all, status

BODY = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n"
CHUNKS = BODY.replace(b"Content-Length: 50", b"Transfer-Encoding: chunked")
# As many bytes as stay within what the machine itself keeps for a connection, and more.
FLOOD = 50_000_000


def padded(size: int) -> bytes:
    """Return a request whose line and headers have so many bytes."""
    start = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: "
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


def read_answer(connection: socket.socket) -> bytes:
    """Return one answer of a connection that stays open."""
    answer = b""
    while not answer.endswith(b"\r\n\r\nok"):
        more = connection.recv(65_536)
        assert more, answer
        answer += more
    return answer


def flood(connection: socket.socket, start: bytes, piece: bytes) -> tuple[int, int]:
    """Send the same again and again until nobody takes it; return how much was sent, and the status."""
    sent = 0
    with suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(start)
        while sent < FLOOD:
            connection.sendall(piece)
            sent += len(piece)
    with suppress(ConnectionResetError, BrokenPipeError):
        return sent, status(connection.recv(100))
    return sent, 0


def memory(server: ServerProcess) -> int:
    """Return how much memory the process and those that it watches over have, in bytes."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    statuses = (Path(f"/proc/{pid}/status").read_text() for pid in (server.pid, *children))
    return sum(int(text.partition("VmRSS:")[2].split()[0]) for text in statuses) * 1024


class TestHead:
    @pytest.mark.parametrize("place", ["127.0.0.1", "::1", "unix"])
    def test_is_served_up_to_its_most(self, listening: Listening, place: str) -> None:
        with listening.connect(place) as connection:
            connection.sendall(padded(MAX_HEAD))
            assert status(read_all(connection)) == 200

    @pytest.mark.parametrize("size", [MAX_HEAD + 1, MAX_HEAD * 2, 1_000_000])
    def test_is_refused_above_it(self, listening: Listening, size: int) -> None:
        with listening.connect() as connection:
            with suppress(ConnectionResetError, BrokenPipeError):
                connection.sendall(padded(size))
            answer = read_all(connection)
        assert status(answer) in (431, 0), answer

    def test_says_what_is_too_much(self, listening: Listening) -> None:
        with listening.connect() as connection:
            connection.sendall(padded(MAX_HEAD + 1))
            assert b"431 Request Header Fields Too Large" in (answer := read_all(connection))
            assert answer.endswith(b"The request line and the headers have more than 32768 bytes.\n")

    def test_has_its_most_for_each_request_of_a_connection(self, listening: Listening) -> None:
        kept = padded(MAX_HEAD - 100).replace(b"Connection: close\r\n", b"")
        with listening.connect() as connection:
            for _ in range(3):
                connection.sendall(kept)
                assert status(read_answer(connection)) == 200
            connection.sendall(padded(MAX_HEAD + 1))
            assert status(read_all(connection)) == 431

    def test_is_counted_without_the_body(self, listening: Listening) -> None:
        head = BODY.replace(b"50", b"90000").replace(b"Host: x", b"Connection: close\r\nHost: x")
        with listening.connect() as connection:
            connection.sendall(head + b"[" * 90_000)
            assert status(read_all(connection)) == 400

    @pytest.mark.parametrize(
        ("start", "piece"),
        [
            (b"GET /healthz HTTP/1.1\r\nX: ", b"x" * 1000),
            (b"GET /healthz HTTP/1.1\r\n", b"Name: value\r\n" * 100),
            (b"GET /", b"x" * 1000),
            (b"GET /healthz HTTP/1.1\r\n", b"x" * 1000),
            (b"GET /healthz HTTP/1.1\r\nX:", b" " * 1000),
            (b"", b"\r\n" * 500),
            (CHUNKS, b"1;" + b"x" * 1000),
            (CHUNKS + b"0\r\nX: ", b"x" * 1000),
            (CHUNKS + b"0\r\n", b"Name: value\r\n" * 100),
            (ASK + b"GET /healthz HTTP/1.1\r\nX: ", b"x" * 1000),
        ],
        ids=["value", "headers", "path", "name", "spaces", "lines", "extension", "trailer", "trailers", "pipelined"],
    )
    def test_without_an_end_is_not_taken(self, listening: Listening, start: bytes, piece: bytes) -> None:
        before = memory(listening.server)
        with listening.connect() as connection:
            sent, answer = flood(connection, start, piece)
        assert sent < FLOOD
        assert answer in (431, 400, 200 if start.startswith(ASK) else 0, 0)
        assert memory(listening.server) - before < FLOOD / 2


class TestHalfRequests:
    async def test_change_nothing(self, listening: Listening) -> None:
        """Have 1,000 at once: without a head's end, without a body, with too few bytes for a PROXY header."""
        starts = [b"GET / HTTP/1.1\r\nX: " + b"x" * 16_000, BODY, BODY + b'{"query": "', b"P", b"\r\n\r\n\0", b""]
        before = memory(listening.server)
        with ExitStack() as connections:
            for number in range(1000):
                connection = connections.enter_context(listening.connect(("127.0.0.1", "::1", "unix")[number % 3]))
                connection.sendall(starts[number % len(starts)])
            async with httpx2.AsyncClient(base_url=listening.server.url, trust_env=False, timeout=PATIENCE) as http:
                answers = await asyncio.gather(*(http.get("/readyz") for _ in range(50)))
                began = time.monotonic()
                await http.get("/healthz")
                seconds = time.monotonic() - began
            assert {answer.status_code for answer in answers} == {200}
            assert seconds < 2
            assert memory(listening.server) - before < 100_000_000


pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("listening", ["1"], indirect=True)
class TestTime:
    """All at once, as each takes its time."""

    DRIPPING = (b"GET /healthz HTTP/1.1\r\nX: ", BODY, CHUNKS + b"30\r\n", b"\r\n\r\n\0", b"\r")

    @pytest.fixture
    def connections(self, listening: Listening) -> Iterator[list[socket.socket]]:
        with ExitStack() as stack:
            yield [stack.enter_context(listening.connect()) for _ in self.DRIPPING]

    def test_is_counted_from_the_first_byte_whatever_comes_after_it(
        self, listening: Listening, connections: list[socket.socket]
    ) -> None:
        def drip(connection: socket.socket, start: bytes) -> tuple[float, int]:
            began = time.monotonic()
            connection.settimeout(1)
            connection.sendall(start)
            answer = b""
            while time.monotonic() - began < PATIENCE:
                try:
                    answer = connection.recv(100)
                    break
                except TimeoutError:
                    with suppress(OSError):
                        connection.sendall(b"\0" if start.endswith(b"\0") else b"\r" if start == b"\r" else b"x")
                except ConnectionResetError:
                    break
            return time.monotonic() - began, status(answer)

        with ThreadPoolExecutor(len(connections)) as threads:
            ends = list(threads.map(drip, connections, self.DRIPPING))
        (head, head_status), (body, body_status), (chunks, chunks_status), *_ = ends
        assert 9.9 < head < 15
        assert 29.9 < body < 35
        assert 29.9 < chunks < 35
        assert {head_status, body_status, chunks_status} == {408}
        assert all(seconds < 15 for seconds, _ in ends[3:])

    def test_does_not_pass_between_requests(self, listening: Listening) -> None:
        with listening.connect() as connection:
            for pause in (0, 11, 5):
                time.sleep(pause)
                connection.sendall(ASK[:10])
                time.sleep(0.1)
                connection.sendall(ASK[10:])
                assert status(read_answer(connection)) == 200
