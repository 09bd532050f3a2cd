"""What the tests on a cluster with Citus begin from: the list of those that run there besides, and a server process."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.harness.citus import CitusCluster
from tests.harness.on_citus import ON_CITUS
from tests.harness.server import PATIENCE, ROOT, ServerProcess


@pytest.mark.parametrize("test", sorted(ON_CITUS))
def test_each_test_that_runs_there_besides_exists(test: str) -> None:
    file, group, name = test.split("::")
    assert re.search(
        rf"^class {group}\b.*?^    (async )?def {name}\(", (ROOT / file).read_text(), re.DOTALL | re.MULTILINE
    )


@pytest.fixture
def server(citus: CitusCluster, citus_database: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """Run a server process on the cluster."""
    running = ServerProcess(
        {"DATABASE_URL": citus.url(citus_database), "DATABASE_SHARDING": "citus", "STATE_DIR": str(tmp_path / "state")}
    )
    running.start()
    yield running
    running.end()
    citus.empty(citus_database)


def readyz_until(server: ServerProcess, line: str) -> int:
    """Return the status of the first answer that has the line; a busy machine may have others before."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = httpx2.get(f"{server.url}/readyz", trust_env=False, timeout=PATIENCE)
        if line in answer.text.splitlines():
            return answer.status_code
        assert time.monotonic() < deadline, answer.text


def test_a_server_says_which_node_is_missed_and_is_ready_when_it_is_back(
    server: ServerProcess, citus: CitusCluster
) -> None:
    citus.stop_node(2)
    try:
        assert readyz_until(server, f"database nodes: no answer of 127.0.0.1:{citus.ports[2]}") == 503
    finally:
        citus.start_node(2)
    assert readyz_until(server, "ready") == 200
