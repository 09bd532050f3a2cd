"""The servers that are measured, each a process of its own on the loopback and on cores of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx2

from app.settings import Settings
from tests.harness.postgresql import free_port

ROOT = Path(__file__).parents[2]
TENANTS = Path(__file__).with_name("tenants.toml")
BACKEND_SECRET = "the-secret-of-the-system-that-pages"
PATIENCE = 60.0
CORES = sorted(os.sched_getaffinity(0))
# A server and the client that loads it must not take each other's time.
SERVER_CORES = CORES[:1]
CLIENT_CORES = CORES[1:] or CORES


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the things compared."""

    name: str
    command: tuple[str, ...]


def _uvicorn(factory: str) -> tuple[str, ...]:
    return ("-m", "uvicorn", factory, "--factory", "--host", "127.0.0.1", "--no-access-log", "--log-level", "warning")


GATEWAY = Kind("gateway", ("-m", "app", "serve"))
PLAIN = Kind("Starlette + the same SQL", _uvicorn("tests.bench.plain:create_app"))
TUTORIAL = Kind("tutorial", _uvicorn("tests.bench.tutorial:create_app"))


def environment_of(database_url: str, state_dir: Path) -> dict[str, str]:
    """Return the variables of a gateway of the benchmark's shop."""
    return {
        "DATABASE_URL": database_url,
        "STATE_DIR": str(state_dir),
        "TENANTS_FILE": str(TENANTS),
        "BENCH_BACKEND_SECRET": BACKEND_SECRET,
    }


class Server:
    """A running server; leave the `with` block to end it."""

    def __init__(
        self,
        kind: Kind,
        database_url: str,
        state_dir: Path,
        cores: Sequence[int] = SERVER_CORES,
        **environment: str,
    ) -> None:
        self.kind = kind
        self.database_url = database_url
        self.port = free_port()
        self._cores = set(cores)
        self._log = state_dir / f"{kind.name.split()[0]}-{self.port}.log"
        self._environment = {
            **_without_ours(os.environ),
            **environment_of(database_url, state_dir),
            "PORT": str(self.port),
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            **environment,
        }
        self.seconds_to_first_answer = self.memory_at_start_mib = 0.0

    def __enter__(self) -> Self:
        command = [sys.executable, *self.kind.command]
        if self.kind is not GATEWAY:
            command += ["--port", str(self.port)]
        started = time.perf_counter()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        os.sched_setaffinity(self._process.pid, self._cores)
        while not self._answers():
            if self._process.poll() is not None or time.perf_counter() - started > PATIENCE:
                raise RuntimeError(self._log.read_text())
            time.sleep(0.01)
        self.seconds_to_first_answer = time.perf_counter() - started
        self.memory_at_start_mib = self.memory_mib()
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def memory_mib(self) -> float:
        """Return the resident memory of the largest of its processes."""
        pids = [self._process.pid, *_children(self._process.pid)]
        return max(_resident_mib(pid) for pid in pids)

    def processor_seconds(self) -> float:
        """Return for how long all threads of its processes have had a processor so far."""
        pids = [self._process.pid, *_children(self._process.pid)]
        threads = (thread for pid in pids for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"))
        return sum(map(_nanoseconds, threads)) / 1e9

    def errors(self) -> list[str]:
        """Return what went wrong inside, as its log says."""
        wrong = ("ERROR", "Traceback", "database is locked")
        return [line for line in self._log.read_text().splitlines() if any(word in line for word in wrong)]

    def _answers(self) -> bool:
        try:
            httpx2.post(f"http://127.0.0.1:{self.port}/graphql", trust_env=False, timeout=PATIENCE)
        except httpx2.TransportError:
            return False
        return True


def _without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.lower() not in Settings.model_fields}


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _nanoseconds(schedstat: Path) -> int:
    """Return for how long a thread has had a processor; 0 for one that has ended since it was found."""
    try:
        return int(schedstat.read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
