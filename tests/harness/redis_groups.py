"""Several Redis servers that replace each other: under Sentinels, or as a cluster; the loopback only, nothing kept."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.harness.postgresql import free_port

PATIENCE = 60.0
# Milliseconds without an answer after which a server counts as dead.
_DEAD_AFTER = 2000
_USUAL = ("bind 127.0.0.1", 'save ""', "appendonly no")


class RedisNode:
    """One process with these lines as its configuration."""

    def __init__(self, folder: Path, *options: str, program: str = "redis-server") -> None:
        self.port = free_port()
        self.client = Redis(port=self.port, socket_timeout=2)
        folder.mkdir(parents=True)
        self._file = folder / "redis.conf"
        self._file.write_text("\n".join([f"port {self.port}", f"dir {folder}", "bind 127.0.0.1", *options, ""]))
        self._program = program
        self.start()

    @property
    def place(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; returns when it answers."""
        self._process = subprocess.Popen([self._program, str(self._file)], stdout=subprocess.DEVNULL)
        until(self.answers)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Stop it where it is; what connects to it gets no answer."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it for good."""
        self.client.close()
        self.kill()

    def answers(self) -> bool:
        """Tell whether it answers."""
        try:
            return bool(self.client.ping())
        except RedisError:
            return False

    def command(self, *words: object) -> Any:
        """Give it a command."""
        return self.client.execute_command(*words)  # type: ignore[no-untyped-call]

    def all_keys(self) -> list[bytes]:
        """Return its keys."""
        return list(self.command("keys", "*"))

    @property
    def id(self) -> str:
        """Its name in the cluster."""
        return str(self.command("cluster myid").decode())

    @property
    def replication(self) -> dict[str, Any]:
        """What it says of master and replicas; nothing if it does not answer."""
        try:
            return dict(self.client.info("replication"))
        except RedisError:
            return {}

    @property
    def is_master(self) -> bool:
        """Whether it takes writes, by its own account."""
        return self.replication.get("role") == "master"


class Watched:
    """A master with a replica, and three Sentinels, two of which decide."""

    service = "shops"

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        def run(*options: str, program: str = "redis-server") -> RedisNode:
            node = RedisNode(folder / str(len(nodes)), *options, program=program)
            stack.callback(node.close)
            nodes.append(node)
            return node

        nodes: list[RedisNode] = []
        self.master = run(*_USUAL)
        self.replica = run(*_USUAL, f"replicaof 127.0.0.1 {self.master.port}")
        until(lambda: self.replica.replication.get("master_link_status") == "up")
        watch = (
            f"sentinel monitor {self.service} 127.0.0.1 {self.master.port} 2",
            f"sentinel down-after-milliseconds {self.service} {_DEAD_AFTER}",
            f"sentinel failover-timeout {self.service} 4000",
        )
        self.sentinels = [run(*watch, program="redis-sentinel") for _ in range(3)]
        until(lambda: all(_knows(each, self.service) for each in self.sentinels))

    @property
    def url(self) -> str:
        """The REDIS_URL of it."""
        return f"redis+sentinel://{','.join(each.place for each in self.sentinels)}/{self.service}/0"

    def wait_until_replaced(self) -> None:
        """Return when the replica is the master for itself and for every Sentinel that answers."""
        until(lambda: self.replica.is_master)
        for sentinel in self.sentinels:
            if sentinel.answers():
                until(lambda each=sentinel: _master_of(each, self.service) == self.replica.port)  # type: ignore[misc]

    def wait_until_replica_has_all(self) -> None:
        """Return when the replica has what the master had."""
        self.master.client.wait(1, int(PATIENCE * 1000))


class Cluster:
    """Three masters with a replica each."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        options = ("cluster-enabled yes", f"cluster-node-timeout {_DEAD_AFTER}", "cluster-replica-validity-factor 0")
        self.nodes = []
        for number in range(6):
            node = RedisNode(folder / str(number), *_USUAL, *options, f"cluster-port {free_port()}")
            stack.callback(node.close)
            self.nodes.append(node)
        places = [node.place for node in self.nodes]
        cli("--cluster", "create", *places, "--cluster-replicas", "1", "--cluster-yes")
        until(self.is_whole)
        until(lambda: sum(node.replication.get("master_link_status") == "up" for node in self.nodes) == 3)

    @property
    def url(self) -> str:
        """The REDIS_URL of it."""
        return f"redis+cluster://{','.join(node.place for node in self.nodes[:3])}"

    def is_whole(self) -> bool:
        """Tell whether every node that answers says that all slots are served, by masters that live."""
        return all(
            "cluster_state:ok" in cli("-p", str(node.port), "cluster", "info") for node in self.nodes if node.answers()
        )

    def master_with(self, text: str) -> RedisNode:
        """Return the node that has the keys with this text in them."""
        return next(
            node
            for node in self.nodes
            if node.answers() and node.is_master and any(text.encode() in key for key in node.all_keys())
        )

    def wait_until_replaced(self, lost: RedisNode) -> None:
        """Return when three others serve all slots."""
        until(lambda: sum(node.is_master for node in self.nodes if node is not lost) == 3 and self.is_whole())

    def wait_until_replicas_have_all(self) -> None:
        """Return when every replica has what its master has."""
        for node in self.nodes:
            if node.is_master:
                node.client.wait(1, int(PATIENCE * 1000))

    @contextmanager
    def moving(self, text: str) -> Iterator[None]:
        """Move the slot of these keys to another master; meanwhile the keys are there already, and the slot is not."""
        source = self.master_with(text)
        target = next(node for node in self.nodes if node.is_master and node is not source)
        keys = [key for key in source.all_keys() if text.encode() in key]
        (slot,) = {int(source.command("cluster keyslot", key)) for key in keys}
        target.command("cluster setslot", slot, "importing", source.id)
        source.command("cluster setslot", slot, "migrating", target.id)
        source.command("migrate", "127.0.0.1", target.port, "", 0, 5000, "keys", *keys)
        yield
        for node in (target, source):
            node.command("cluster setslot", slot, "node", target.id)


def cli(*arguments: str) -> str:
    """Run redis-cli."""
    return subprocess.run(["redis-cli", *arguments], check=True, capture_output=True, text=True).stdout


def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _knows(sentinel: RedisNode, service: str) -> bool:
    """Tell whether a Sentinel knows the two others and the replica: without them it decides nothing."""
    seen = _state(sentinel, service)
    return seen.get("num-other-sentinels") == 2 and seen.get("num-slaves") == 1


def _master_of(sentinel: RedisNode, service: str) -> int:
    return int(_state(sentinel, service).get("port", 0))


def _state(sentinel: RedisNode, service: str) -> dict[str, Any]:
    try:
        state: Any = sentinel.client.sentinel_master(service)
    except RedisError:
        return {}
    return dict(state)


@contextmanager
def run_watched(folder: Path) -> Iterator[Watched]:
    """Run master, replica and Sentinels; the test is skipped on a machine that has none."""
    _need("redis-server", "redis-sentinel")
    with ExitStack() as stack:
        yield Watched(folder, stack)


@contextmanager
def run_cluster(folder: Path) -> Iterator[Cluster]:
    """Run a cluster; the test is skipped on a machine that has none."""
    _need("redis-server", "redis-cli")
    with ExitStack() as stack:
        yield Cluster(folder, stack)


def _need(*programs: str) -> Sequence[str]:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    return programs
