"""What the way through a cluster costs: `python -m tests.bench.citus`, beside one server of the same PostgreSQL.

All servers share this machine, so it is processor time that is compared, of the gateway and of each server.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from app.settings import Settings
from app.wiring import migrate
from tests.bench.dataset import fill, run_statements
from tests.bench.load import Connection
from tests.bench.servers import CORES, GATEWAY, Server
from tests.bench.workloads import DOCUMENTS, body, request
from tests.harness.citus import CitusCluster
from tests.harness.postgresql_host import PostgresqlHost

WORKLOADS = ("me", "me with 10 addresses")
# Requests until everything is planned and kept that will be, and those that are measured.
FIRST, MEASURED = 100, 1500


def main() -> int:
    """Measure both, and print the microseconds of a request and their ratio."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        cluster, plain = CitusCluster(), PostgresqlHost(options={"shared_buffers": "64MB"})
        cluster.start()
        stack.callback(cluster.stop)
        plain.make()
        stack.callback(plain.remove)
        one = _measure(Path(folder) / "one", [plain.pid], DATABASE_URL=plain.url)
        url = cluster.url(cluster.create_database())
        many = _measure(Path(folder) / "many", cluster.pids, DATABASE_URL=url, DATABASE_SHARDING="citus")
        for name in WORKLOADS:
            ratio = sum(one[name]) / sum(many[name])
            sys.stdout.write(f"{name}: {_shown(one[name])}; on the cluster {_shown(many[name])}: {ratio:.2f}\n")
    return 0


def _shown(microseconds: Sequence[float]) -> str:
    return f"{sum(microseconds):.0f} µs ({' + '.join(f'{each:.0f}' for each in microseconds)})"


def _measure(folder: Path, servers: Sequence[int], **variables: str) -> dict[str, list[float]]:
    """Return the microseconds of the gateway and of each server for one request of each workload."""
    migrate(Settings.load(variables))
    url = variables.pop("DATABASE_URL")
    found = {}
    with Server(GATEWAY, url, folder, CORES, WORKER="off", **variables) as server:
        person = asyncio.run(fill(server.port))[0]
        # As autovacuum does within a minute: few rows without statistics are read by whole tenants.
        run_statements(url, "ANALYZE")
        for name in WORKLOADS:
            asyncio.run(_ask(server.port, name, person.token, FIRST))
            before = [_seconds(pid) for pid in (server.pid, *servers)]
            asyncio.run(_ask(server.port, name, person.token, MEASURED))
            after = [_seconds(pid) for pid in (server.pid, *servers)]
            found[name] = [(end - begin) / MEASURED * 1e6 for begin, end in zip(before, after, strict=True)]
    return found


async def _ask(port: int, name: str, token: str, times: int) -> None:
    """Ask so many times, one after the other, so that one process of each server does all of it."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    for _ in range(times):
        await connection.ask(request(body(DOCUMENTS[name]), token))
    connection.close()


def _seconds(pid: int) -> float:
    """Return the processor time of a process and its children that are alive."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        own = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return own + sum(_seconds(int(child)) for child in children)


if __name__ == "__main__":
    sys.exit(main())
