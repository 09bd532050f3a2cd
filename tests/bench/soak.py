"""Does the memory of a process stay flat? `python -m tests.bench.soak [REQUESTS]`, of which 200,000 are the default.

Every request brings a text, a token and a client address that were never seen before; every fourth begins a session.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from itertools import count
from pathlib import Path

import uvloop

from app.settings import Settings
from app.wiring import migrate
from tests.bench.load import Connection
from tests.bench.servers import GATEWAY, Server
from tests.bench.workloads import CLIENT_ID, DOCUMENTS, body, request

REQUESTS = 200_000
CONNECTIONS = 16
SAMPLES = 20
# MiB that the second half may add: what is bounded is full by then.
MOST_GROWTH = 8.0

_NUMBERS = count()
_RANDOM = random.Random(7)


def _next() -> bytes:
    number = next(_NUMBERS)
    if number % 4 == 0:
        text = DOCUMENTS["anonymousLogin"].replace("refreshToken", f"refreshToken again{number}: refreshToken")
        return _from_somewhere(request(body(text, clientId=CLIENT_ID), None))
    if number % 4 == 1:
        return _from_somewhere(request(body(f"{{ nothing{number} }}"), None))
    token = "cg_ca_" + "".join(_RANDOM.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=43))
    return _from_somewhere(request(body(f"{{ a{number}: me {{ id b{number}: email }} }}"), token))


def _from_somewhere(content: bytes) -> bytes:
    address = ".".join(str(_RANDOM.randrange(1, 255)) for _ in range(4))
    return content.replace(b"\r\n", f"\r\nx-forwarded-for: {address}\r\n".encode(), 1)


async def _load(server: Server, requests: int) -> list[float]:
    """Send the requests and return the memory in MiB, measured again and again meanwhile."""
    loop = asyncio.get_running_loop()
    pairs = [await loop.create_connection(Connection, "127.0.0.1", server.port) for _ in range(CONNECTIONS)]
    memory: list[float] = []
    share = requests // SAMPLES // CONNECTIONS
    for sample in range(1, SAMPLES + 1):
        await asyncio.gather(*(_send(connection, share) for _, connection in pairs))
        memory.append(server.memory_mib())
        sys.stdout.write(f"{sample * share * CONNECTIONS:>8} requests: {memory[-1]:6.1f} MiB\n")
        sys.stdout.flush()
    return memory


async def _send(connection: Connection, requests: int) -> None:
    for _ in range(requests):
        await connection.ask(_next())


def main() -> int:
    """Say how the memory grew; 1 when it did not stop."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        url = f"sqlite:///{folder}/gateway.db"
        migrate(Settings.load({"DATABASE_URL": url}))
        with Server(GATEWAY, url, Path(folder), TRUSTED_PROXIES="127.0.0.1") as server:
            memory = uvloop.run(_load(server, requests))
    growth = memory[-1] - memory[len(memory) // 2]
    sys.stdout.write(f"The second half added {growth:.1f} MiB.\n")
    return int(growth > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
