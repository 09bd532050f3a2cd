"""Puts loads on servers, one workload of one server at a time, and keeps what they measure."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from time import sleep
from typing import Any, Self

import orjson

from tests.bench.dataset import Databases
from tests.bench.load import READY
from tests.bench.report import Results, Round
from tests.bench.servers import CLIENT_CORES, GATEWAY, ROOT, SERVER_CORES, TUTORIAL, Kind, Server
from tests.bench.workloads import HASHING, Person

CONNECTIONS = 32
# Enough to keep all cores hashing; with more of them, each round would only take longer to end.
CONNECTIONS_HASHING = 8
# A reader who does not go as fast as it can: so many connections, and seconds between two requests of each.
PACED_CONNECTIONS, PAUSE = 4, 0.005
# Seconds until a load does what it will go on doing: at first, all its connections ask in one moment.
SETTLING = 0.5


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often; `seconds` for one workload of one server in one round, `customers` to page through.

    `visits` by people who do not log in leave so much.
    """

    rounds: int
    seconds: float
    seconds_hashing: float
    mails: int
    customers: int
    visits: int
    grow: bool


QUICK = Effort(rounds=2, seconds=0.2, seconds_hashing=0.3, mails=200, customers=10_000, visits=800, grow=False)
FULL = Effort(rounds=5, seconds=0.8, seconds_hashing=1.5, mails=1000, customers=100_000, visits=16_000, grow=True)


class Load:
    """A load generator in a process of its own, for one task after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        os.sched_setaffinity(self._process.pid, CLIENT_CORES)

    def start(self, task: Mapping[str, Any]) -> None:
        """Begin, and return as soon as all is prepared: what that takes is not to be measured."""
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(task) + b"\n")
        self._process.stdin.flush()
        self._read(READY)

    def finish(self) -> Round:
        """Wait for the end, and return what was measured; raises `RuntimeError` for a wrong answer, or none."""
        return Round.of(**orjson.loads(self._read()))

    def _read(self, expected: bytes | None = None) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line or (expected is not None and line != expected):
            raise RuntimeError("A wrong answer, or none: see above.")
        return line

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Bench:
    """One run; leave the `with` block to end its load generators."""

    def __init__(self, databases: Databases, effort: Effort, results: Results) -> None:
        self.databases = databases
        self.effort = effort
        self.results = results
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._load, self._other_load = Load(), Load()
        self._stack.callback(self._load.close)
        self._stack.callback(self._other_load.close)
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def server(
        self, database: str, kind: Kind = GATEWAY, cores: list[int] = SERVER_CORES, **environment: str
    ) -> Server:
        """Return a server on a fresh copy of the data."""
        url = self.databases.copy(database, hashed_by_default=kind is TUTORIAL)
        return Server(kind, url, self.databases.folder / database, cores, **environment)

    def measure(
        self,
        database: str,
        server: Server,
        workload: str,
        seconds: float,
        label: str | None = None,
        *,
        paced: bool = False,
    ) -> Round:
        """Measure a workload for so long, and keep the round under its label."""
        usual = CONNECTIONS_HASHING if workload in HASHING else CONNECTIONS
        connections, pause = (PACED_CONNECTIONS, PAUSE) if paced else (usual, 0.0)
        self._load.start(self._task(database, server, workload, seconds, connections, pause))
        before = server.processor_seconds()
        measured = self._load.finish()
        milliseconds = (server.processor_seconds() - before) * 1000
        measured = replace(measured, processor_ms=milliseconds / max(1, measured.answers))
        self.results.rounds[database][label or workload][server.kind.name].append(measured)
        return measured

    @contextmanager
    def beside(
        self,
        database: str,
        server: Server,
        workload: str,
        seconds: float,
        connections: int,
        people: Sequence[Person] | None = None,
    ) -> Iterator[None]:
        """Have another load run for so long, once it has settled; `people` are others than usual."""
        task = self._task(database, server, workload, SETTLING + seconds, connections, 0.0)
        if people is not None:
            task["people"] = people
        self._other_load.start(task)
        sleep(SETTLING)
        yield
        self._other_load.finish()

    def _task(
        self, database: str, server: Server, workload: str, seconds: float, connections: int, pause: float
    ) -> dict[str, Any]:
        return {
            "port": server.port,
            "workload": workload,
            "people": self.databases.people(database, workload),
            "connections": connections,
            "seconds": seconds,
            "pause": pause,
            "logins": 2 + int(200 * seconds / connections),
        }

    def note(self, database: str, server: Server) -> None:
        """Keep how much memory a server has, and what its start took; call it at its end."""
        memory = self.results.memory_mib[database]
        memory[server.kind.name] = max(memory.get(server.kind.name, 0.0), server.memory_mib())
        self.results.memory_at_start_mib[server.kind.name].append(server.memory_at_start_mib)
        self.results.seconds_to_first_answer[server.kind.name].append(server.seconds_to_first_answer)
        if server.kind is GATEWAY:
            self.results.errors += server.errors()[:5]
