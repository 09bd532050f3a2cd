"""Every way in which REDIS_URL finds Redis, with real servers: TLS, users, sockets, Sentinels and a cluster."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from redis import Redis
from redis.exceptions import RedisError

from app.adapters.limits import redis as module
from app.adapters.limits.redis import RedisLimiter
from app.domain.errors import AccessError
from app.domain.ports import Limit
from tests.harness.postgresql import free_port

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed"),
]

PATIENCE = 30.0
THREE = Limit("three", 3, 600)
USER = "user gateway on >hush ~LIMITS* +@all"


class StandingClock:
    def now(self) -> datetime:
        return datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a Redis that lives must not count as dead."""
    monkeypatch.setattr(module, "_TIMEOUT_SECONDS", 5.0)


@contextmanager
def serving(folder: Path, *options: str, program: str = "redis-server") -> Iterator[None]:
    """Run a server with these lines as its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "redis.conf"
    file.write_text("\n".join([*options, f"dir {folder}", ""]))
    process = subprocess.Popen([program, str(file)], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def until_it_answers(client: Redis) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            client.ping()
        except RedisError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


async def passed(url: str, *, key: str = "a", tries: int = 5) -> int:
    """Return how many of the tries passed; each by a process of its own, so that only Redis can have counted."""
    count = 0
    for _ in range(tries):
        limiter = RedisLimiter(url, StandingClock())
        try:
            assert await limiter.faults() == []
            await limiter.hit(THREE, key)
            count += 1
        except AccessError:
            pass
        finally:
            await limiter.close()
    return count


class TestServer:
    @pytest.fixture
    def port(self, tmp_path: Path) -> Iterator[int]:
        port = free_port()
        options = (f"port {port}", "bind 127.0.0.1", 'save ""', USER, "user default off")
        with serving(tmp_path / "redis", *options):
            until_it_answers(Redis(port=port, username="gateway", password="hush"))
            yield port

    @pytest.mark.parametrize("scheme", ["redis", "valkey"])
    async def test_lets_in_a_user_of_its_acl(self, port: int, scheme: str) -> None:
        assert await passed(f"{scheme}://gateway:hush@127.0.0.1:{port}/0") == 3

    async def test_tells_why_it_was_left(self, port: int, caplog: pytest.LogCaptureFixture) -> None:
        limiter = RedisLimiter(f"redis://gateway:wrong@127.0.0.1:{port}/0", StandingClock())
        await limiter.hit(THREE, "a")
        assert "AuthenticationError: invalid username-password pair" in caplog.text
        assert "wrong@" not in caplog.text
        (fault,) = await limiter.faults()
        assert fault.startswith("redis: AuthenticationError")
        await limiter.close()


class TestSocket:
    async def test_is_reached_by_its_path(self, tmp_path: Path) -> None:
        path = tmp_path / "redis.sock"
        with serving(tmp_path / "redis", "port 0", f"unixsocket {path}", 'save ""', "requirepass hush"):
            until_it_answers(Redis(unix_socket_path=str(path), password="hush"))
            assert await passed(f"unix://:hush@{path}?db=1") == 3


class TestTls:
    @pytest.fixture
    def port(self, tmp_path: Path, authority: trustme.CA) -> Iterator[int]:
        port = free_port()
        cert = authority.issue_cert("127.0.0.1", "localhost")
        cert.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        options = (
            "port 0",
            f"tls-port {port}",
            "bind 127.0.0.1",
            f"tls-cert-file {tmp_path}/server.pem",
            f"tls-key-file {tmp_path}/server.pem",
            f"tls-ca-cert-file {tmp_path}/ca.pem",
            "tls-auth-clients no",
            'save ""',
        )
        with serving(tmp_path / "redis", *options):
            until_it_answers(Redis(port=port, ssl=True, ssl_ca_certs=str(tmp_path / "ca.pem")))
            yield port

    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
    async def test_trusts_the_authorities_of_ssl_cert_file(
        self, port: int, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert await passed(f"{scheme}://localhost:{port}") == 3

    async def test_trusts_no_other(self, port: int, caplog: pytest.LogCaptureFixture) -> None:
        limiter = RedisLimiter(f"rediss://localhost:{port}", StandingClock())
        await limiter.hit(THREE, "a")
        assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
        await limiter.close()


class TestSentinel:
    @pytest.fixture
    def ports(self) -> tuple[int, int, int]:
        return free_port(), free_port(), free_port()

    async def test_leads_to_the_next_master_when_one_fails(self, tmp_path: Path, ports: tuple[int, int, int]) -> None:
        first, second, sentinel = ports
        usual = ("bind 127.0.0.1", 'save ""', "requirepass hush", "masterauth hush")
        watched = (
            f"port {sentinel}",
            "bind 127.0.0.1",
            f"sentinel monitor shops 127.0.0.1 {first} 1",
            "sentinel auth-pass shops hush",
            "sentinel down-after-milliseconds shops 500",
            "sentinel failover-timeout shops 2000",
        )
        url = f"redis+sentinel://:hush@127.0.0.1:{free_port()},127.0.0.1:{sentinel}/shops/0"
        replica = Redis(port=second, password="hush")
        with (
            serving(tmp_path / "second", f"port {second}", f"replicaof 127.0.0.1 {first}", *usual),
            serving(tmp_path / "first", f"port {first}", *usual),
        ):
            until_it_answers(replica)
            await until(lambda: role(replica).get("master_link_status") == "up")
            with serving(tmp_path / "sentinel", *watched, program="redis-sentinel"):
                until_it_answers(Redis(port=sentinel))
                assert await passed(url, tries=2) == 2
                await fail_over(tmp_path / "sentinel" / "redis.conf", Redis(port=first, password="hush"), replica)
                # The replica knows of both: one more passes.
                assert await passed(url, tries=3) == 1


async def fail_over(watched: Path, master: Redis, replica: Redis) -> None:
    """End the master as soon as its Sentinel knows the replica, and wait until that has taken its place."""
    await until(lambda: "known-replica" in watched.read_text())
    master.shutdown(nosave=True)
    await until(lambda: role(replica)["role"] == "master")


def role(server: Redis) -> dict[str, str]:
    return {str(key): str(value) for key, value in dict(server.info("replication")).items()}


class TestCluster:
    async def test_of_three_counts_as_one(self, tmp_path: Path) -> None:
        ports = [free_port() for _ in range(3)]
        usual = (
            "bind 127.0.0.1",
            'save ""',
            "cluster-enabled yes",
            "cluster-port {}",
        )
        with (
            serving(tmp_path / "a", f"port {ports[0]}", *(line.format(free_port()) for line in usual)),
            serving(tmp_path / "b", f"port {ports[1]}", *(line.format(free_port()) for line in usual)),
            serving(tmp_path / "c", f"port {ports[2]}", *(line.format(free_port()) for line in usual)),
        ):
            for port in ports:
                until_it_answers(Redis(port=port))
            nodes = [f"127.0.0.1:{port}" for port in ports]
            redis_cli("--cluster", "create", *nodes, "--cluster-yes")
            await until(lambda: all(is_whole(port) for port in ports))
            url = f"redis+cluster://127.0.0.1:{free_port()},{nodes[1]}"
            for key in "abcdefghijklmnop":
                assert await passed(url, key=key) == 3
            assert all(Redis(port=port).dbsize() for port in ports)
            distinct = Limit("distinct", 2, 600, distinct=True)
            limiter = RedisLimiter(url, StandingClock())
            await limiter.hit(distinct, "ip", "one")
            await limiter.hit(distinct, "ip", "two")
            with pytest.raises(AccessError):
                await limiter.hit(distinct, "ip", "three")
            await limiter.close()


def redis_cli(*arguments: str) -> str:
    return subprocess.run(["redis-cli", *arguments], check=True, capture_output=True, text=True).stdout


def is_whole(port: int) -> bool:
    return "cluster_state:ok" in redis_cli("-p", str(port), "cluster", "info")


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
