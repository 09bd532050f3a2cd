"""A server process whose database freezes: busy at most as long as the limit says, and it ends when it is told to."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator

import httpx2
import pytest

from tests.harness.freezing_proxy import FreezingProxy, run_freezing_proxy
from tests.harness.postgresql import PostgresqlServer
from tests.harness.server import PATIENCE, ServerClient, ServerProcess

pytestmark = pytest.mark.anyio

# Seconds: the limit of DATABASE_TIMEOUT_SECONDS by default, the end after SIGTERM, and some for a busy machine.
LIMIT, END, SLACK = 5.0, 20.0, 3.0


@pytest.fixture
def proxy(postgresql: PostgresqlServer) -> Iterator[FreezingProxy]:
    with run_freezing_proxy(postgresql.port) as running:
        yield running


@pytest.fixture
def database_url(postgresql: PostgresqlServer, postgresql_template: str, proxy: FreezingProxy) -> Iterator[str]:
    """Name a database behind the proxy."""
    name = postgresql.create_database(postgresql_template)
    yield postgresql.url(name).replace(f":{postgresql.port}/", f":{proxy.port}/")
    postgresql.drop_database(name)


SIGN_IN = 'mutation { anonymousLogin(input: {clientId: "demo-storefront"}) { tokens { accessToken } } }'
LOOK = "{ tokenInfo { kind } }"


async def call(storefront: ServerClient, query: str, token: str = "") -> str | None:
    """Return None if the operation was done, or else the code of the refusal."""
    headers = {"Accept": "application/graphql-response+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    answer = await storefront.http.post("/graphql", json={"query": query}, headers=headers)
    errors = answer.json().get("errors", [])
    if not errors:
        return None
    code: str = errors[0]["extensions"]["code"]
    if code == "SERVICE_BUSY":
        assert int(answer.headers["retry-after"]) >= 1
        assert errors[0]["extensions"]["outcome"] in {"NOT_DONE", "UNKNOWN"}
    return code


async def call_all(storefront: ServerClient, token: str) -> list[str | None]:
    """Make three writes and many reads at once."""
    writes = [call(storefront, SIGN_IN) for _ in range(3)]
    return await asyncio.gather(*writes, *(call(storefront, LOOK, token) for _ in range(27)))


class TestFrozen:
    async def test_connections_are_forgotten_within_the_limit(
        self, start_server: Callable[..., ServerProcess], proxy: FreezingProxy
    ) -> None:
        server = start_server()
        storefront = ServerClient(server)
        async with storefront.http:
            token = (await storefront.anonymous()).access
            assert await call_all(storefront, token) == [None] * 30
            assert proxy.freeze() > 1
            calls = asyncio.ensure_future(call_all(storefront, token))
            await asyncio.sleep(LIMIT + 0.5)
            began = time.monotonic()
            assert await call_all(storefront, token) == [None] * 30
            assert time.monotonic() - began < SLACK
            assert set(await calls) <= {None, "SERVICE_BUSY"}
            answer = await storefront.http.get("/readyz")
            assert (answer.status_code, answer.text) == (200, "ready")
        server.stop()


class TestTerminate:
    @pytest.mark.parametrize("processes", ["1", "2"])
    async def test_ends_in_time_whatever_hangs(
        self, start_server: Callable[..., ServerProcess], proxy: FreezingProxy, processes: str
    ) -> None:
        server = start_server(PROCESSES=processes)
        storefront = ServerClient(server)
        async with storefront.http:
            token = (await storefront.anonymous()).access
            proxy.freeze(new_ones_too=True)
            began = time.monotonic()
            answer = await storefront.http.get("/readyz")
            assert time.monotonic() - began < 2 + SLACK
            assert answer.status_code == 503
            assert [line.partition(":")[0] for line in answer.text.splitlines()] == ["database read", "database write"]
            calls = [asyncio.ensure_future(call(storefront, LOOK, token)) for _ in range(30)]
            await asyncio.sleep(0.5)
            began = time.monotonic()
            server.signal(signal.SIGTERM)
            assert await asyncio.to_thread(server.wait) in (0, -signal.SIGTERM)
            assert time.monotonic() - began < END + SLACK
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(each) for each in answers} <= {str, httpx2.RemoteProtocolError, httpx2.ReadError}
            assert PATIENCE > END
