"""What the way through a cluster costs: `python -m tests.bench.citus`, of one plain server of the same PostgreSQL.

Three servers share the cores with the gateway and the load; on machines of their own they would not.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from app.settings import Settings
from app.wiring import migrate
from tests.bench.bench import CONNECTIONS, Load
from tests.bench.dataset import fill
from tests.bench.servers import CORES, GATEWAY, Server
from tests.harness.citus import CitusCluster
from tests.harness.postgresql_host import PostgresqlHost

ROUNDS, SECONDS = 7, 1.0
WORKLOADS = ("me", "me with 10 addresses", "refresh", "updateMe")


def main() -> int:
    """Measure both in turns, and print the answers per second and their ratio."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        cluster, plain = CitusCluster(), PostgresqlHost(options={"shared_buffers": "64MB"})
        cluster.start()
        stack.callback(cluster.stop)
        plain.make()
        stack.callback(plain.remove)
        load = Load()
        stack.callback(load.close)
        measured = {}
        for name, variables in (
            ("one server", {"DATABASE_URL": plain.url}),
            ("the cluster", {"DATABASE_URL": cluster.url(cluster.create_database()), "DATABASE_SHARDING": "citus"}),
        ):
            migrate(Settings.load(variables))
            url = variables.pop("DATABASE_URL")
            server = stack.enter_context(Server(GATEWAY, url, Path(folder) / name, CORES, WORKER="off", **variables))
            measured[name] = server, asyncio.run(fill(server.port))
        for workload in WORKLOADS:
            rates: dict[str, list[float]] = {name: [] for name in measured}
            for _ in range(ROUNDS):
                for name, (server, people) in measured.items():
                    load.start({"port": server.port, "workload": workload, "people": people[:32], "pause": 0.0,
                                "connections": CONNECTIONS, "seconds": SECONDS, "logins": 2})  # fmt: skip
                    rates[name].append(load.finish().per_second)
            one, many = (statistics.median(rates[name]) for name in measured)
            ratios = sorted(b / a for a, b in zip(*rates.values(), strict=True))
            spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
            sys.stdout.write(f"{workload}: {one:,.0f}/s, on the cluster {many:,.0f}/s: {many / one:.2f} ({spread})\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
