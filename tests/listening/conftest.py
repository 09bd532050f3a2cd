"""A gateway that listens in every way at once, and raw connections to it."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness import operations
from tests.harness.redis_server import run_redis
from tests.harness.server import PATIENCE, ServerProcess
from tests.harness.tenants import shop, storefront, table

# One login for each address: whoever comes from another one is served, whoever comes twice is not.
TENANT = (
    shop("shop")
    + storefront("shop", "shop-storefront")
    + table("[tenants.shop.limits]", anonymous_login_per_ip_per_minute=1, anonymous_login_per_second=1000)
)
LOGIN = json.dumps({"query": operations.ANONYMOUS_LOGIN, "variables": {"input": {"clientId": "shop-storefront"}}})
ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Listening:
    """A gateway: its proxy is 127.0.0.1, also at the socket, and a stranger comes from ::1."""

    server: ServerProcess
    path: Path

    def connect(self, place: str = "127.0.0.1") -> socket.socket:
        """Return a new connection; the place is an address, or `unix`."""
        if place == "unix":
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(PATIENCE)
            connection.connect(str(self.path))
            return connection
        return socket.create_connection((place, self.server.port), PATIENCE)

    def is_served(self, *, before: bytes = b"", place: str = "127.0.0.1", headers: str = "") -> bool:
        """Whether a login is served, and not one too many from its address."""
        with self.connect(place) as connection:
            connection.sendall(before + login(headers))
            return was_served(connection)


def login(headers: str = "") -> bytes:
    """Return the request of an anonymous login, after which the connection is closed."""
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}"
    return f"{head}Content-Length: {len(LOGIN)}\r\n\r\n{LOGIN}".encode()


def was_served(connection: socket.socket) -> bool:
    """Read the answer to a login."""
    answer = read_all(connection)
    assert b"accessToken" in answer or b"RATE_LIMITED" in answer, answer
    return b"accessToken" in answer


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes, in whichever way."""
    answer = b""
    try:
        while chunk := connection.recv(65_536):
            answer += chunk
    except ConnectionResetError:
        pass
    return answer


def status(answer: bytes) -> int:
    """Return the status of an answer; 0 for a connection that was closed without one."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.fixture(scope="module", params=["1", "2"], ids=["one process", "two processes"])
def listening(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Listening]:
    """Run one for all tests of a file; at the end it stops without an error, and leaves no socket."""
    folder = tmp_path_factory.mktemp("listening")
    shutil.copy(sqlite_template, folder / "gateway.db")
    (folder / "tenants.toml").write_text(TENANT)
    # nginx runs as somebody else, who may not look into the folders of tests.
    shared = Path(tempfile.mkdtemp(prefix="gateway-"))
    shared.chmod(0o755)
    path = shared / "gateway.sock"
    redis = ExitStack()
    # Several processes count together there.
    together = {"REDIS_URL": redis.enter_context(run_redis(folder)).url} if request.param != "1" else {}
    server = ServerProcess(
        {
            **together,
            "DATABASE_URL": f"sqlite:///{folder / 'gateway.db'}",
            "STATE_DIR": str(folder / "state"),
            "TENANTS_FILE": str(folder / "tenants.toml"),
            "HOST": f"127.0.0.1, ::1, unix:{path}",
            "PROXY_PROTOCOL": "on",
            "TRUSTED_PROXIES": "127.0.0.1",
            "PROCESSES": request.param,
        }
    )
    server.start()
    try:
        yield Listening(server, path)
        server.stop()
        assert not path.exists()
    finally:
        server.end()
        redis.close()
        shutil.rmtree(shared)
