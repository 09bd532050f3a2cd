"""Fixtures for the tests of the edge: an example gateway, clients of it, and a real server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import uvicorn
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from tests.http.example import Gateway


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def client(gateway: Gateway) -> TestClient:
    return gateway.client()


@pytest.fixture
def production(gateway: Gateway) -> TestClient:
    gateway.production = True
    return gateway.client()


@pytest.fixture
def serve() -> Callable[[ASGIApp], AbstractContextManager[str]]:
    """Serve an application on a free port of the loopback; a context manager that gives its address."""

    @contextmanager
    def run(app: ASGIApp) -> Iterator[str]:
        listener = socket.create_server(("127.0.0.1", 0))
        started = threading.Event()

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets=sockets)
                started.set()

        server = Server(uvicorn.Config(app, log_config=None, server_header=False, proxy_headers=False))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert started.wait(10)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
            listener.close()

    return run
