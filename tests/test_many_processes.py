"""Two hosts with two processes each, on one PostgreSQL and one Redis behind nginx: to its callers it is one gateway."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx2
import pytest

from tests.factories import PASSWORD
from tests.harness import operations
from tests.harness.client import Person, Tokens
from tests.harness.nginx import Nginx, run_nginx
from tests.harness.postgresql import PostgresqlServer, free_port
from tests.harness.redis_server import run_redis
from tests.harness.server import PATIENCE, ROOT, ServerClient, ServerProcess
from tests.harness.tenants import shop, storefront, table

pytestmark = pytest.mark.anyio

TENANT = (
    shop("shop")
    + storefront("shop", "demo-storefront")
    + table(
        "[tenants.shop.limits]",
        anonymous_login_per_ip_per_minute=100000,
        anonymous_login_per_second=100000,
        refresh_per_ip_per_minute=100000,
        login_per_ip_per_minute=12,
        login_failures_per_ip_per_minute=12,
        login_failures_per_account_per_5_minutes=12,
    )
)


@dataclass
class Cluster:
    """What stands behind one address."""

    hosts: list[ServerProcess]
    nginx: Nginx

    def client(self) -> ServerClient:
        """Return a storefront that knows nothing but the address of nginx; its connections are not kept."""
        storefront = ServerClient(self.hosts[0])
        storefront.http = httpx2.AsyncClient(
            base_url=self.nginx.url,
            trust_env=False,
            timeout=PATIENCE,
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=0),
        )
        return storefront

    def direct(self) -> list[ServerClient]:
        """Return a storefront of each host."""
        return [ServerClient(host) for host in self.hosts]


@pytest.fixture(scope="module")
def cluster(
    postgresql: PostgresqlServer, postgresql_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """Run one for all tests, each of which leaves all of it running; at the end it stops without an error."""
    folder = tmp_path_factory.mktemp("cluster")
    tenants = folder / "tenants.toml"
    tenants.write_text(TENANT)
    name = postgresql.create_database(postgresql_template)
    with run_redis(folder) as redis:
        environment = {
            "DATABASE_URL": postgresql.url(name),
            "REDIS_URL": redis.url,
            "STATE_DIR": str(folder / "state"),
            "TENANTS_FILE": str(tenants),
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "TRUSTED_PROXIES": "127.0.0.1",
            "PROCESSES": "2",
        }
        hosts = [ServerProcess({**environment, "METRICS_PORT": str(free_port())}) for _ in range(2)]
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(ServerProcess.start, hosts))
            with run_nginx(folder / "nginx", [host.port for host in hosts]) as nginx:
                yield Cluster(hosts, nginx)
            for host in hosts:
                stop(host)
        finally:
            for host in hosts:
                host.end()
    postgresql.drop_database(name)


def stop(host: ServerProcess) -> None:
    """Ask a host to end and wait until it has; an ERROR of a Redis that was slow for a moment is none of its fault."""
    process = host._running()
    process.terminate()
    assert process.wait(PATIENCE) in (0, -signal.SIGTERM), host.log
    host._process = None
    assert "Traceback" not in host.log, host.log


def children(host: ServerProcess) -> list[int]:
    """Return the processes of a host that serve."""
    parent = host._running().pid
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [pid for pid in map(int, found) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def metrics(host: ServerProcess) -> str:
    port = host._environment["METRICS_PORT"]
    return httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text


async def customer(storefront: ServerClient) -> Person:
    return await storefront.customer(password=PASSWORD)


async def me(storefront: ServerClient, tokens: Tokens) -> list[str]:
    return (await storefront.graphql("{ me { id } }", token=tokens.access)).codes


@dataclass
class Load:
    """Callers that begin visits one after the other and then look who they are; `answers` counts by outcome."""

    storefront: ServerClient
    answers: dict[str, int] = field(default_factory=dict)
    sessions: list[Tokens] = field(default_factory=list)
    _over: bool = False

    async def call(self) -> None:
        while not self._over:
            try:
                tokens = await self.storefront.anonymous()
                answer = await self.storefront.graphql("{ tokenInfo { sessionId } }", token=tokens.access)
                assert answer["tokenInfo"]["sessionId"] == tokens.session_id
            except (AssertionError, httpx2.HTTPError, ValueError) as error:
                self._count(f"{type(error).__name__}: {error}"[:300])
            else:
                self.sessions.append(tokens)
                self._count("good")

    def _count(self, outcome: str) -> None:
        self.answers[outcome] = self.answers.get(outcome, 0) + 1

    async def until(self, more: int) -> None:
        """Return as soon as so many more were good."""
        wanted = self.answers.get("good", 0) + more
        with anyio.fail_after(PATIENCE):
            while self.answers.get("good", 0) < wanted:  # noqa: ASYNC110 — it is another process that moves on
                await anyio.sleep(0.01)

    @classmethod
    @asynccontextmanager
    async def running(cls, storefront: ServerClient, callers: int = 6) -> AsyncIterator[Load]:
        """Keep so many callers busy until the block ends."""
        load = cls(storefront)
        tasks = [asyncio.create_task(load.call()) for _ in range(callers)]
        try:
            yield load
        finally:
            load._over = True
            await asyncio.gather(*tasks)


class TestTogether:
    async def test_are_one_gateway(self, cluster: Cluster) -> None:
        """Sessions, revocation, limits and numbers: in one test, for the cluster takes its time to start."""
        assert all(len(children(host)) == 2 for host in cluster.hosts)
        storefront = cluster.client()
        first, second = cluster.direct()
        async with storefront.http, first.http, second.http:
            await self._share_sessions_and_revocation(storefront, first, second)
            await self._share_limits(first, second)
        counted = "".join(metrics(host) for host in cluster.hosts)
        assert 'gateway_requests_total{field="login",outcome="RATE_LIMITED"}' in counted
        assert 'gateway_limited_total{limit="login.ip"}' in counted

    async def _share_sessions_and_revocation(
        self, storefront: ServerClient, first: ServerClient, second: ServerClient
    ) -> None:
        person = await customer(storefront)
        everywhere = (storefront, first, second)
        for _ in range(4):  # Often enough for each process of each host.
            assert [await me(each, person.tokens) for each in everywhere] == [[], [], []]
        renewed = await first.refresh(person.tokens.refresh)
        assert await me(second, renewed) == []
        await second.graphql(operations.LOGOUT, {"input": {}}, renewed.access)
        for _ in range(4):
            assert [await me(each, renewed) for each in everywhere] == [["UNAUTHENTICATED"]] * 3

    async def _share_limits(self, first: ServerClient, second: ServerClient) -> None:
        """Count the tries of one address, whoever is asked; another address is none the worse for it."""

        async def try_to_login(storefront: ServerClient, address: str, tokens: Tokens) -> list[str]:
            fields = {"email": "nobody@example.com", "password": "orange-tractor-55"}
            headers = {"X-Forwarded-For": address}
            return (await storefront.graphql(operations.LOGIN, {"input": fields}, tokens.access, headers)).codes

        codes = []
        for number in range(16):
            storefront = (first, second)[number % 2]
            codes.append(await try_to_login(storefront, "203.0.113.5", await storefront.anonymous()))
        assert codes == [[]] * 12 + [["RATE_LIMITED"]] * 4
        assert await try_to_login(second, "203.0.113.6", await second.anonymous()) == []

    async def test_lose_nothing_that_was_answered_when_one_is_killed(self, cluster: Cluster) -> None:
        storefront = cluster.client()
        async with storefront.http:
            async with Load.running(storefront) as load:
                await load.until(40)
                (victim, other) = children(cluster.hosts[0])
                os.kill(victim, signal.SIGKILL)
                await load.until(40)
                with anyio.fail_after(PATIENCE):
                    while len(children(cluster.hosts[0])) < 2 or victim in children(cluster.hosts[0]):  # noqa: ASYNC110 — as above
                        await anyio.sleep(0.05)
            # What it had under way when it died was cut off, and nothing else.
            bad = sum(count for outcome, count in load.answers.items() if outcome != "good")
            assert bad <= 6, load.answers
            assert other in children(cluster.hosts[0])
            for tokens in load.sessions[:: max(1, len(load.sessions) // 25)]:
                assert (await storefront.refresh(tokens.refresh)).session_id == tokens.session_id

    async def test_drop_no_request_when_each_host_is_restarted_in_turn(self, cluster: Cluster) -> None:
        storefront = cluster.client()
        async with storefront.http:
            async with Load.running(storefront) as load:
                for host in cluster.hosts:
                    await load.until(20)
                    await asyncio.to_thread(cluster.nginx.take_away, host.port)
                    await asyncio.to_thread(stop, host)
                    await load.until(20)
                    await asyncio.to_thread(host.start)
                    await asyncio.to_thread(cluster.nginx.take_away)
                await load.until(20)
            assert set(load.answers) == {"good"}, (load.answers, cluster.nginx.errors)

    async def test_finish_what_was_under_way_when_told_to_end_without_warning(self, cluster: Cluster) -> None:
        storefront = cluster.client()
        async with storefront.http:
            async with Load.running(storefront) as load:
                await load.until(20)
                await asyncio.to_thread(stop, cluster.hosts[0])
                await load.until(20)
            await asyncio.to_thread(cluster.hosts[0].start)
            # Nobody was told not to send more: at most what knocked in the very moment of the end was turned away.
            bad = {outcome: count for outcome, count in load.answers.items() if outcome != "good"}
            assert sum(bad.values()) <= 6, load.answers


class TestOnSqlite:
    async def test_two_processes_share_one_file(self, sqlite_template: Path, tmp_path: Path) -> None:
        database = shutil.copy(sqlite_template, tmp_path)
        tenants = tmp_path / "tenants.toml"
        tenants.write_text(TENANT)
        host = ServerProcess(
            {
                "DATABASE_URL": f"sqlite:///{database}",
                "STATE_DIR": str(tmp_path / "state"),
                "TENANTS_FILE": str(tenants),
                "PROCESSES": "2",
            }
        )
        host.start()
        try:
            assert len(children(host)) == 2
            storefront = ServerClient(host)
            async with storefront.http:
                async with Load.running(storefront) as load:
                    await load.until(60)
                assert set(load.answers) == {"good"}
            host.stop()
        finally:
            host.end()


class TestWithoutTheOneThatWatches:
    """It is killed, and can tell nobody to end."""

    @pytest.fixture
    def host(self, sqlite_template: Path, tmp_path: Path) -> Iterator[ServerProcess]:
        database = shutil.copy(sqlite_template, tmp_path)
        state = str(tmp_path / "state")
        host = ServerProcess({"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": state, "PROCESSES": "2"})
        yield host
        host.end()

    async def test_the_others_end_and_leave_the_port_to_a_new_start(self, host: ServerProcess) -> None:
        host.start()
        storefront = ServerClient(host)
        async with storefront.http:
            tokens = await storefront.anonymous()  # whose connection stays open, and keeps none of them
            with anyio.fail_after(PATIENCE):
                while host.log.count("Application startup complete") < 2:  # noqa: ASYNC110 — as above
                    await anyio.sleep(0.01)
            orphans = children(host)
            host.kill()
            await ended(orphans)
            assert host.log.count("Finished server process") == 2
            await asyncio.to_thread(host.start)
            assert (await storefront.refresh(tokens.refresh)).session_id == tokens.session_id
        host.stop()

    async def test_those_that_still_start_never_serve(self, host: ServerProcess) -> None:
        starting = asyncio.create_task(asyncio.to_thread(host.start))
        with anyio.fail_after(PATIENCE):
            while host._process is None or len(orphans := children(host)) < 2:  # noqa: ASYNC110 — as above
                await anyio.sleep(0.01)
        os.kill(host.pid, signal.SIGKILL)
        with pytest.raises(AssertionError):
            await starting
        await ended(orphans)
        assert "startup complete" not in host.log
        with socket.create_server(("127.0.0.1", host.port)):
            pass


def runs(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


async def ended(processes: Sequence[int]) -> None:
    """Return when none of them is there."""
    with anyio.fail_after(PATIENCE):
        while any(map(runs, processes)):  # noqa: ASYNC110 — as above
            await anyio.sleep(0.01)


class TestStart:
    def test_ends_with_an_error_when_no_process_can_start(self) -> None:
        """Have the children look for an application that is not there: what fails in each of them, and not before."""
        program = "from uvicorn import Config; from app.server import Listeners, _run_many; "
        program += "config = Config('app.nowhere:create_app', workers=2, log_config=None); "
        program += "_run_many(config, None, Listeners(['127.0.0.1'], 0))"
        ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=PATIENCE, check=False)
        assert ended.returncode == 3

    def test_ends_with_an_error_when_the_port_is_taken(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            variables = {"PORT": str(other.getsockname()[1]), "PROCESSES": "2", "STATE_DIR": str(tmp_path)}
            command = [sys.executable, "-m", "app", "serve", "--migrate"]
            environment = {**os.environ, **variables}
            ended = subprocess.run(command, cwd=ROOT, env=environment, timeout=PATIENCE, check=False)
        assert ended.returncode == 3
