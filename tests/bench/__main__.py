"""The benchmark: `scripts/bench [--quick] [--output FOLDER]`. Everything in one run, every answer checked."""

from __future__ import annotations

import argparse
import asyncio
import platform
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import orjson
from argon2 import PasswordHasher

from tests.bench import report
from tests.bench.bench import FULL, QUICK, Bench, Effort
from tests.bench.crowd import measure_crowd
from tests.bench.dataset import Databases
from tests.bench.goals import goals
from tests.bench.report import Results
from tests.bench.servers import CORES, GATEWAY, PLAIN, ROOT, TUTORIAL
from tests.bench.size import measure_growth
from tests.bench.statements import count_statements
from tests.bench.visits import measure_visits
from tests.bench.workloads import HASHING

PLAIN_WORKLOADS = ("me", "me with 10 addresses", "tokenInfo")
COMPARED = (*PLAIN_WORKLOADS, "anonymousLogin", "refresh", "updateMe", "updateMe, values inline", "me, ever-new texts")


def main() -> int:
    """Measure, print the table, write the files; 1 when a server had an error, whatever it answered."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 minutes and less certain, instead of 10")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "bench", help="where bench.json and bench.svg go")
    arguments = parser.parse_args()
    results = run(QUICK if arguments.quick else FULL)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "bench.json").write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))
    (arguments.output / "bench.svg").write_text(report.plot(results))
    sys.stdout.write(f"{report.table(results)}\n{goals(results)}")
    return int(bool(results.errors))


def run(effort: Effort) -> Results:
    """Measure everything on both databases."""
    started = time.perf_counter()
    results = Results(machine=_machine())
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Databases(Path(folder)) as databases:
        for database in ("SQLite", "PostgreSQL"):
            results.statements[database] = asyncio.run(count_statements(databases.copy(database), Path(folder)))
            with Bench(databases, effort, results) as bench:
                _compare(bench, database)
                _hash(bench, database)
                measure_crowd(bench, database)
                _two_processes(bench, database)
            results.visits[database] = measure_visits(databases, database, effort.visits)
            if effort.grow:
                results.growth[database] = measure_growth(databases, database)
    results.seconds = time.perf_counter() - started
    return results


def _compare(bench: Bench, database: str) -> None:
    """Measure what needs one core, round by round, each server in turn."""
    kinds = (GATEWAY, PLAIN, TUTORIAL)
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(bench.server(database, kind)) for kind in kinds}
        for _ in range(bench.effort.rounds):
            for workload in COMPARED:
                for kind in kinds if workload in PLAIN_WORKLOADS else (GATEWAY, TUTORIAL):
                    bench.measure(database, servers[kind], workload, bench.effort.seconds)
        for server in servers.values():
            bench.note(database, server)


def _hash(bench: Bench, database: str) -> None:
    """Measure what hashes, with all cores, beside how fast the cores can hash at all."""
    seconds = bench.effort.seconds_hashing
    with ExitStack() as stack:
        servers = [stack.enter_context(bench.server(database, kind, CORES)) for kind in (GATEWAY, TUTORIAL)]
        for _ in range(bench.effort.rounds):
            bench.results.hashes_per_second.append(_hashes_per_second(seconds))
            for server in servers:
                for workload in HASHING:
                    bench.measure(database, server, workload, seconds)
        for server in servers:
            bench.note(database, server)


def _two_processes(bench: Bench, database: str) -> None:
    """Measure a read and what hashes with two processes on one port."""
    with bench.server(database, cores=CORES, PROCESSES="2") as server:
        for _ in range(bench.effort.rounds):
            bench.measure(database, server, "me", bench.effort.seconds, "me, two processes")
            bench.measure(database, server, "login", bench.effort.seconds_hashing, "login, two processes")


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
    sys.exit(main())
