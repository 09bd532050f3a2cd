"""Where the microseconds of one `me` go: `python -m tests.bench.profile_me [REQUESTS]`, in process, on SQLite.

Each layer is timed from outside, by wrapping the one function through which it is entered, and what the layers inside
it took is taken off. The wrappers' own time is in the figures, a fraction of a microsecond each.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import redirect_stderr
from functools import wraps
from pathlib import Path
from time import perf_counter
from typing import Any

import uvloop

from app.adapters.database.sqlite import SqliteConnection
from app.graphql import context
from app.graphql.documents import Documents
from app.http import graphql
from app.http.graphql import GraphQLEndpoint
from app.http.middleware import Edge
from app.http.request_log import RequestLog
from app.http.shortcut import Shortcut
from app.main import build_app
from app.settings import Settings
from app.wiring import build_tools, migrate
from tests.bench.servers import environment_of
from tests.bench.workloads import CLIENT_ID, DOCUMENTS, PASSWORD, body
from tests.fakes import MovableClock
from tests.harness.gateway import run_gateway

REQUESTS, WARM_UP = 20_000, 1000
# Each layer, and where it is entered; a layer stands after those that it is inside of.
LAYERS: dict[str, tuple[Any, str]] = {
    "edge: request id, client address, headers": (Edge, "__call__"),
    "log line": (RequestLog, "write"),
    "routing": (Shortcut, "__call__"),
    "endpoint: headers, body, limits, timeout": (GraphQLEndpoint, "__call__"),
    "document: found again by its text": (Documents, "get"),
    "token to caller": (context, "authenticate"),
    "the statement": (SqliteConnection, "read"),
    "execution of the operation": (Documents, "execute"),
    "answer: JSON, headers": (graphql, "_send"),
}


class Stopwatch:
    """Adds up what each layer takes, without what those inside it take."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(LAYERS, 0.0)
        self._inside: list[float] = []

    def watch(self, layer: str) -> None:
        """Have every call of the layer timed from now on."""
        owner, name = LAYERS[layer]
        function = getattr(owner, name)
        watched = self._watched if name in {"write", "get"} else self._watched_async
        setattr(owner, name, watched(layer, function))

    def _watched(self, layer: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            began = self._enter()
            try:
                return function(*arguments, **options)
            finally:
                self._leave(layer, began)

        return call

    def _watched_async(self, layer: str, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @wraps(function)
        async def call(*arguments: Any, **options: Any) -> Any:
            began = self._enter()
            try:
                return await function(*arguments, **options)
            finally:
                self._leave(layer, began)

        return call

    def _enter(self) -> float:
        self._inside.append(0.0)
        return perf_counter()

    def _leave(self, layer: str, began: float) -> None:
        took = perf_counter() - began
        self.seconds[layer] += took - self._inside.pop()
        if self._inside:
            self._inside[-1] += took


async def _log_in(environment: dict[str, str]) -> str:
    async with run_gateway(environment, MovableClock()) as gateway:
        anonymous = await gateway.anonymous(CLIENT_ID)
        email = "ada@example.com"
        await gateway.signup(anonymous.access, email=email, password=PASSWORD)
        return (await gateway.login(email, PASSWORD, anonymous.access)).access


async def _measure(environment: dict[str, str], token: str, requests: int) -> tuple[float, Stopwatch]:
    """Return the seconds of all requests without the stopwatch, and the stopwatch of as many with it."""
    settings = Settings.load({"WORKER": "off", **environment})
    app = build_app(settings, build_tools(settings, MovableClock()))
    content = body(DOCUMENTS["me"])
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"authorization", b"Bearer " + token.encode()),
    ]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body" and not message["body"].startswith(b'{"data":{"me":{"id"'):
            raise RuntimeError(message["body"].decode())

    async def ask(times: int) -> float:
        began = perf_counter()
        for _ in range(times):
            scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
            await app({**scope, "client": ("127.0.0.1", 1), "root_path": ""}, receive, send)
        return perf_counter() - began

    async with app.router.lifespan_context(app):
        await ask(WARM_UP)
        plain = await ask(requests)
        stopwatch = Stopwatch()
        for layer in LAYERS:
            stopwatch.watch(layer)
        await ask(requests)
    return plain, stopwatch


def main() -> None:
    """Print a line for each layer, in microseconds."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    with tempfile.TemporaryDirectory(prefix="profile-") as folder:
        environment = environment_of(f"sqlite:///{folder}/gateway.db", Path(folder))
        migrate(Settings.load(environment))
        with Path(folder, "log").open("w") as log, redirect_stderr(log):
            token = uvloop.run(_log_in(environment))
            plain, stopwatch = uvloop.run(_measure(environment, token, requests))
    for layer, seconds in stopwatch.seconds.items():
        sys.stdout.write(f"{seconds / requests * 1e6:6.1f}  {layer}\n")
    together = sum(stopwatch.seconds.values())
    sys.stdout.write(
        f"{together / requests * 1e6:6.1f}  together; {plain / requests * 1e6:.1f} without the stopwatch\n"
    )


if __name__ == "__main__":
    main()
