"""PostgreSQL that fails over by itself, on one machine: Patroni's nodes, an etcd they agree in, HAProxy before them.

Every node reaches etcd by a network of its own, which can be cut. All of it runs as a user without rights.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.harness.account import account_of_servers, give_to_servers
from tests.harness.freezing_proxy import FreezingProxy
from tests.harness.postgresql import free_port
from tests.harness.postgresql_host import PASSWORD, find_programs
from tests.harness.source import ROOT

# Seconds that the cluster may take for anything.
PATIENCE = 90.0
NAMES = ("one", "two", "three")
_NEEDED = {"patroni": "Patroni", "etcd": "etcd", "haproxy": "HAProxy"}
_USER = "postgres"
_LIKE_ITSELF = {"username": _USER, "password": PASSWORD}
# The composition that operators begin with: what is tried is what it says.
SHIPPED = ROOT / "scripts" / "availability"
# Patroni wants loop_wait + 2 * retry_timeout <= ttl. Its manual's least ttl is 20, which is ten seconds more for each
# election that tests wait for.
_SHORTER = {"ttl": 10, "loop_wait": 1, "retry_timeout": 3, "failsafe_mode": False}
# Of a small server, on a machine that does not lose its power.
_SMALLER = {"max_connections": 120, "shared_buffers": "16MB", "wal_keep_size": "64MB", "fsync": "off"}
# From this release on, a primary that stood still leaves the lead to its successor (Patroni's pull request 2689).
_STAYS_DEPOSED = (3, 0, 3)
# What Patroni says each time that it does not write who is synchronous; beyond so many times it never will again.
_STALE, _TOO_OFTEN = "Synchronous replication key updated by someone else", 10


class NotWholeError(Exception):
    """The cluster has not come to itself in time, whatever the gateways do.

    Patroni before 3.1.1 can lose sight of etcd for good (its pull request 2783).
    """


def skip_unless_installed() -> None:
    """Skip the test where a part is missing."""
    for program, name in _NEEDED.items():
        if shutil.which(program) is None:
            pytest.skip(f"{name} is not installed")
    find_programs()


def stays_deposed() -> bool:
    """Tell whether a primary that was frozen leaves the lead to its successor, under the Patroni that is installed."""
    said = subprocess.run(["patroni", "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(map(int, re.findall(r"\d+", said))) >= _STAYS_DEPOSED


def _start(folder: Path, log: str, *command: object) -> subprocess.Popen[bytes]:
    with (folder / log).open("ab") as output:
        return subprocess.Popen(
            [*map(str, command)],
            cwd=folder,
            stdout=output,
            stderr=output,
            user=account_of_servers(),
            env={**os.environ, "HOME": str(folder), "GATEWAY_PASSWORD": PASSWORD},
        )


class Node:
    """A member: Patroni, and the PostgreSQL that it starts. `network` is its way to etcd."""

    def __init__(self, name: str, folder: Path, etcd_port: int) -> None:
        self.name = name
        self.port, self.rest_port = free_port(), free_port()
        self.network = FreezingProxy(etcd_port)
        self.network.start()
        self._folder = folder
        folder.mkdir()
        give_to_servers(folder)
        self._data = folder / "data"
        self._file = folder / "patroni.yaml"
        self._file.write_text(yaml.safe_dump(self._configuration()))
        give_to_servers(self._file)
        # Where the account can read it.
        shutil.copy(SHIPPED / "make-database", folder)
        self._patroni: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start Patroni, as the machine's own services do after its start."""
        self._patroni = _start(self._folder, "patroni.log", shutil.which("patroni"), self._file)

    def freeze(self) -> None:
        """Stop all processes where they are."""
        for pid in self._processes():
            _signal(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for pid in self._processes():
            _signal(pid, signal.SIGCONT)

    def kill(self) -> None:
        """End all processes as a power cut does."""
        # None may notice that another is gone.
        self.freeze()
        for pid in self._processes():
            _signal(pid, signal.SIGKILL)
        if self._patroni is not None:
            self._patroni.wait(PATIENCE)
            self._patroni = None

    def close(self) -> None:
        """End everything for good."""
        self.kill()
        self.network.stop()

    def ask(self, path: str) -> httpx2.Response | None:
        """Return what its REST interface answers; nothing if it does not."""
        try:
            return httpx2.get(f"http://127.0.0.1:{self.rest_port}{path}", trust_env=False, timeout=2)
        except httpx2.TransportError:
            return None

    def is_primary(self) -> bool:
        """Tell whether it is what HAProxy would send writers to."""
        answer = self.ask("/primary")
        return answer is not None and answer.status_code == 200

    def last_look(self) -> float:
        """Return when it has read from etcd, in whole seconds of the epoch."""
        answer = self.ask("/patroni")
        return float(answer.json().get("dcs_last_seen", 0)) if answer is not None else 0.0

    @property
    def log(self) -> str:
        """What Patroni and PostgreSQL have said."""
        return (self._folder / "patroni.log").read_text()

    def _processes(self) -> list[int]:
        """Return Patroni's process, PostgreSQL's first and all that those have started, the parents first."""
        found = [self._patroni.pid] if self._patroni is not None else []
        with suppress(FileNotFoundError, ValueError):
            postmaster = int((self._data / "postmaster.pid").read_text().split(maxsplit=1)[0])
            if str(self._data) in Path(f"/proc/{postmaster}/cmdline").read_text():
                found.append(postmaster)
        for pid in found:
            with suppress(OSError):
                children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
                found += [child for child in children if child not in found]
        return found

    def _configuration(self) -> dict[str, Any]:
        shipped: dict[str, Any] = yaml.safe_load((SHIPPED / "patroni.yaml").read_text())
        settings = {**shipped["bootstrap"]["dcs"], **_SHORTER}
        settings["postgresql"]["parameters"] |= _SMALLER
        return {
            **shipped,
            "name": self.name,
            "restapi": _places(self.rest_port),
            # As proxies: else the members would go where etcd says that it is, past their network.
            "etcd3": {"hosts": [f"127.0.0.1:{self.network.port}"], "use_proxies": True},
            "bootstrap": {**shipped["bootstrap"], "dcs": settings, "post_init": str(self._folder / "make-database")},
            "postgresql": {
                **shipped["postgresql"],
                **_places(self.port),
                "data_dir": str(self._data),
                "bin_dir": str(find_programs()),
                "pgpass": str(self._folder / "pgpass"),
                "authentication": {"superuser": _LIKE_ITSELF, "replication": _LIKE_ITSELF},
                "parameters": {"unix_socket_directories": str(self._folder)},
            },
        }


class PatroniCluster:
    """Three nodes in synchronous mode; a database `gateway` whose owner is the user `gateway`."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="patroni-"))
        give_to_servers(self._folder)
        self._etcd_port = free_port()
        self._etcd: subprocess.Popen[bytes] | None = None
        self._haproxy: subprocess.Popen[bytes] | None = None
        self.write_port, self.read_port = free_port(), free_port()
        self.nodes: list[Node] = []

    @property
    def primary_url(self) -> str:
        """The database by way of HAProxy, which leads to the primary."""
        return f"postgresql://gateway:{PASSWORD}@127.0.0.1:{self.write_port}/gateway?target_session_attrs=read-write"

    @property
    def replica_url(self) -> str:
        """The database by way of HAProxy, which leads to the standbys."""
        return f"postgresql://gateway:{PASSWORD}@127.0.0.1:{self.read_port}/gateway"

    @property
    def direct_url(self) -> str:
        """The database by the names of all nodes."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://gateway:{PASSWORD}@{hosts}/gateway?target_session_attrs=read-write"

    def start(self) -> None:
        """Start everything; returns when there is a primary with a synchronous standby, behind HAProxy."""
        self.start_etcd()
        self.nodes += [Node(name, self._folder / name, self._etcd_port) for name in NAMES]
        for node in self.nodes:
            node.start()
        self.wait_until_safe()
        self._start_haproxy()

    def start_etcd(self) -> None:
        """Start etcd, on what it has kept."""
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, free_port()))
        self._etcd = _start(
            self._folder, "etcd.log", shutil.which("etcd"), "--data-dir", self._folder / "etcd", "--name", "etcd",
            "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"etcd={peer}",
        )  # fmt: skip
        _until(lambda: self._is_healthy(client), "etcd does not answer.")

    def stop_etcd(self) -> None:
        """End etcd at once."""
        _end(self._etcd)
        self._etcd = None

    def stop(self) -> None:
        """End everything, and remove it."""
        for node in self.nodes:
            node.close()
        _end(self._haproxy)
        self.stop_etcd()
        shutil.rmtree(self._folder, ignore_errors=True)

    def members(self) -> list[dict[str, Any]]:
        """Return what the nodes say of each other."""
        for node in self.nodes:
            answer = node.ask("/cluster")
            if answer is not None and answer.status_code == 200:
                members: list[dict[str, Any]] = answer.json()["members"]
                return members
        return []

    def primary(self) -> Node | None:
        """Return the node that takes writes; none while one is elected."""
        return next((node for node in self.nodes if node.is_primary()), None)

    def synchronous(self) -> Node | None:
        """Return the standby that has every commit."""
        names = [member["name"] for member in self.members() if member["role"] == "sync_standby"]
        return next((node for node in self.nodes if node.name in names), None)

    def wait_until_safe(self, *, members: int = 2) -> Node:
        """Return the primary, as soon as a synchronous standby is there and so many members run.

        Raises `NotWholeError`.
        """

        def is_safe() -> bool:
            running = [member for member in self.members() if member["state"] in {"running", "streaming"}]
            primary = self.primary()
            if primary is not None and self.synchronous() is not None and len(running) >= members:
                return True
            if primary is not None and primary.log.count(_STALE) > _TOO_OFTEN:
                raise NotWholeError(_STALE)
            return False

        _until(is_safe, lambda: f"{self.members()}\n{self._logs()}")
        primary = self.primary()
        assert primary is not None
        return primary

    def wait_for_primary(self, *, but: Node) -> float:
        """Return when another node than this took over, by the monotonic clock."""
        others = [node for node in self.nodes if node is not but]
        _until(lambda: any(node.is_primary() for node in others), lambda: "\n".join(node.log for node in others), 0.05)
        return time.monotonic()

    def wait_for_synchronous(self, *, but: Node) -> None:
        """Return when another node than this has every commit."""
        _until(lambda: self.synchronous() not in {None, but}, self._logs)

    def change(self, **settings: object) -> None:
        """Change what the members agree on; returns when all know it."""
        primary = self.wait_until_safe(members=len(NAMES))
        url = f"http://127.0.0.1:{primary.rest_port}/config"
        httpx2.patch(url, json=settings, trust_env=False, timeout=PATIENCE).raise_for_status()
        self.wait_until_all_have_looked()

    def wait_until_all_have_looked(self) -> None:
        """Return when each member has read what is in etcd now."""
        # In whole seconds; and what a primary writes there comes after what it reads.
        moment = time.time() + 2
        _until(lambda: all(node.last_look() > moment for node in self.nodes), "a node does not look into etcd")

    def switch_over(self) -> None:
        """Have the synchronous standby take over, as `patronictl switchover` does."""
        primary, standby = self.wait_until_safe(), self.synchronous()
        assert standby is not None
        wish = {"leader": primary.name, "candidate": standby.name}
        url = f"http://127.0.0.1:{primary.rest_port}/switchover"
        httpx2.post(url, json=wish, trust_env=False, timeout=PATIENCE).raise_for_status()

    def url(self, database: str) -> str:
        """Return the URL of a database as its superuser, on the node that is the primary now."""
        return f"postgresql://{_USER}:{PASSWORD}@127.0.0.1:{self.wait_until_safe().port}/{database}"

    def dump(self, database: str) -> bytes:
        """Return all that is in a database, as pg_dump writes it."""
        command: list[str | Path] = [find_programs() / "pg_dump", "--inserts", self.url(database)]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def _logs(self) -> str:
        """Return the ends of all that the nodes have said."""
        return "\n".join(node.log[-5000:] for node in self.nodes)

    @staticmethod
    def _is_healthy(url: str) -> bool:
        try:
            return httpx2.get(f"{url}/health", trust_env=False, timeout=2).status_code == 200
        except httpx2.TransportError:
            return False

    def _start_haproxy(self) -> None:
        text = (SHIPPED / "haproxy.cfg").read_text().partition("defaults gateway")[0].replace(" resolvers docker", "")
        for port, here in ((5432, self.write_port), (5433, self.read_port)):
            text = text.replace(f"bind :{port}", f"bind 127.0.0.1:{here}")
        for number, node in enumerate(self.nodes, 1):
            there = f"postgresql-{number}:5432 check port 8008"
            text = text.replace(there, f"127.0.0.1:{node.port} check port {node.rest_port}")
        file = self._folder / "haproxy.cfg"
        file.write_text(text)
        self._haproxy = _start(self._folder, "haproxy.log", shutil.which("haproxy"), "-db", "-f", file)


def _places(port: int) -> dict[str, str]:
    return {"listen": f"127.0.0.1:{port}", "connect_address": f"127.0.0.1:{port}"}


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.wait(PATIENCE)


def _until(condition: Callable[[], bool], otherwise: str | Callable[[], str], pause: float = 0.1) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise NotWholeError(otherwise if isinstance(otherwise, str) else otherwise())
        time.sleep(pause)


@contextmanager
def run_patroni() -> Iterator[PatroniCluster]:
    """Run a cluster; the test is skipped on a machine that lacks a part."""
    skip_unless_installed()
    cluster = PatroniCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
