"""The benchmark: `scripts/bench [--quick] [--output FOLDER]`. Everything in one run, every answer checked."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from argon2 import PasswordHasher

from tests.bench import report
from tests.bench.dataset import Databases
from tests.bench.load import READY
from tests.bench.report import Results, Round
from tests.bench.servers import CLIENT_CORES, CORES, GATEWAY, PLAIN, ROOT, SERVER_CORES, TUTORIAL, Kind, Server
from tests.bench.size import measure_growth
from tests.bench.statements import count_statements
from tests.bench.workloads import DOCUMENTS

PLAIN_WORKLOADS = ("me", "me with 10 addresses", "tokenInfo")
HASHING = ("login", "signup")
CONNECTIONS = 32
# Seconds between two requests of a connection that does not go as fast as it can.
PAUSE = 0.005


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often; `seconds` for one workload of one server in one round."""

    rounds: int
    seconds: float
    seconds_hashing: float
    grow: bool


QUICK = Effort(rounds=2, seconds=0.25, seconds_hashing=0.6, grow=False)
FULL = Effort(rounds=5, seconds=1.0, seconds_hashing=2.0, grow=True)


def main() -> None:
    """Measure, print the table, write the files."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="90 seconds and less certain, instead of 10 minutes")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "bench", help="where bench.json and bench.svg go")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else FULL
    started = time.perf_counter()
    results = Results(machine=_machine())
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Databases(Path(folder)) as databases:
        for database in ("SQLite", "PostgreSQL"):
            results.statements[database] = asyncio.run(count_statements(databases.copy(database), Path(folder)))
            _compare(databases, database, effort, results)
            _hash(databases, database, effort, results)
            _crowd(databases, database, effort, results)
            if effort.grow:
                results.growth[database] = measure_growth(databases, database)
    results.seconds = time.perf_counter() - started
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "bench.json").write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
    (arguments.output / "bench.svg").write_text(report.plot(results))
    sys.stdout.write(report.table(results))


def _compare(databases: Databases, database: str, effort: Effort, results: Results) -> None:
    """Measure what needs one core, round by round, each server in turn."""
    kinds = (GATEWAY, PLAIN, TUTORIAL)
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(_server(databases, database, kind)) for kind in kinds}
        for _ in range(effort.rounds):
            for workload in (name for name in DOCUMENTS if name not in HASHING):
                for kind in kinds if workload in PLAIN_WORKLOADS else (GATEWAY, TUTORIAL):
                    _measure(databases, database, servers[kind], workload, effort.seconds, results)
        _note(database, servers, results)


def _hash(databases: Databases, database: str, effort: Effort, results: Results) -> None:
    """Measure what hashes, with all cores, beside how fast the cores can hash at all."""
    with ExitStack() as stack:
        kinds = (GATEWAY, TUTORIAL)
        servers = {kind: stack.enter_context(_server(databases, database, kind, cores=CORES)) for kind in kinds}
        for _ in range(effort.rounds):
            results.hashes_per_second.append(_hashes_per_second(effort.seconds_hashing))
            for kind, server in servers.items():
                for workload in HASHING:
                    _measure(databases, database, server, workload, effort.seconds_hashing, results)
                _note(database, {kind: server}, results)


def _crowd(databases: Databases, database: str, effort: Effort, results: Results) -> None:
    """Measure `me` alone and while 64 clients log in, then two processes."""
    short, long = effort.seconds, effort.seconds_hashing
    with _server(databases, database, GATEWAY, cores=CORES) as server:
        for _ in range(effort.rounds):
            alone = _measure(databases, database, server, "me", short, results, "me, paced", pause=PAUSE)
            logins = _start(databases, database, server, "login", long + 1, connections=64)
            beside = _measure(databases, database, server, "me", long, results, "me beside 64 logins", pause=PAUSE)
            _finish(logins)
            results.kept.setdefault(database, []).append(beside.per_second / alone.per_second)
    with _server(databases, database, GATEWAY, cores=CORES, PROCESSES="2") as server:
        for _ in range(effort.rounds):
            _measure(databases, database, server, "me", short, results, "me, two processes")
            _measure(databases, database, server, "login", long, results, "login, two processes")


def _server(databases: Databases, database: str, kind: Kind, cores: list[int] = SERVER_CORES, **more: str) -> Server:
    url = databases.copy(database, hashed_by_default=kind is TUTORIAL)
    return Server(kind, url, databases.folder / database, cores, **more)


def _measure(
    databases: Databases,
    database: str,
    server: Server,
    workload: str,
    seconds: float,
    results: Results,
    label: str | None = None,
    pause: float = 0.0,
) -> Round:
    connections = CONNECTIONS if not pause else 4
    measured = _finish(_start(databases, database, server, workload, seconds, connections, pause))
    results.rounds[database][label or workload][server.kind.name].append(measured)
    return measured


def _start(
    databases: Databases,
    database: str,
    server: Server,
    workload: str,
    seconds: float,
    connections: int = CONNECTIONS,
    pause: float = 0.0,
) -> subprocess.Popen[bytes]:
    task = {
        "port": server.port,
        "workload": workload,
        "people": [asdict(person) for person in databases.people(database, workload)],
        "connections": connections,
        "seconds": seconds,
        "pause": pause,
        "logins": 2 + int(200 * seconds / connections),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    os.sched_setaffinity(process.pid, CLIENT_CORES)
    assert process.stdin is not None
    process.stdin.write(orjson.dumps(task))
    process.stdin.close()
    _wait_until_ready(process)
    return process


def _wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    """Wait until the load runs: what it does to prepare itself is not to be measured."""
    assert process.stdout is not None
    if process.stdout.readline() != READY:
        raise RuntimeError("The load could not be prepared: see above.")


def _finish(process: subprocess.Popen[bytes]) -> Round:
    assert process.stdout is not None
    output = process.stdout.read()
    if process.wait():
        raise RuntimeError("A wrong answer, or none: see above.")
    return Round.of(**orjson.loads(output))


def _note(database: str, servers: dict[Kind, Server], results: Results) -> None:
    for kind, server in servers.items():
        memory = results.memory_mib[database]
        memory[kind.name] = max(memory.get(kind.name, 0.0), server.memory_mib())
        results.seconds_to_first_answer[kind.name].append(server.seconds_to_first_answer)
        if kind is GATEWAY:
            results.errors += server.errors()[:5]


def _hashes_per_second(seconds: float) -> float:
    """Return how many hashes with the gateway's parameters the cores make when they do nothing else."""
    hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
    end = time.perf_counter() + seconds
    started = time.perf_counter()

    def work() -> int:
        done = 0
        while time.perf_counter() < end:
            hasher.hash("violet-harbour-42")
            done += 1
        return done

    with ThreadPoolExecutor(len(CORES)) as pool:
        made = sum(future.result() for future in [pool.submit(work) for _ in CORES])
    return made / (time.perf_counter() - started)


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.machine()
    return f"{len(CORES)} cores of {processor}, CPython {platform.python_version()}, Linux {platform.release()}"


if __name__ == "__main__":
    main()
