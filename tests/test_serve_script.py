"""`scripts/serve`: once everything is installed, whoever tries the gateway hardly waits."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.harness.server import PATIENCE, ROOT, ServerProcess
from tests.harness.wall_clock import slowness

SECONDS = 3.0
# One of so many starts is in time even on a machine that is busy with other things.
STARTS = 5

ENVIRONMENT = Path(sys.prefix)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """Give a server that is started by the script of a copy of the project, in which everything is installed."""
    if not (ENVIRONMENT / "pyvenv.cfg").exists():
        pytest.skip("These tests run in no virtual environment, and the script needs one.")
    for page in ("graphiql", "storefront"):
        subprocess.run([ROOT / "scripts" / page], check=True)
    project = tmp_path / "project"
    for folder in ("app", "scripts"):
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns("node_modules"))
    environment = project / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(ENVIRONMENT / name)
    # How the script knows what is installed: these tests have all of it, and more.
    shutil.copy(ROOT / "scripts/requirements-demo.txt", environment / "installed-requirements-demo.txt")
    (environment / "whole").write_text(str(environment))
    process = ServerProcess(
        {"DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.db'}", "STATE_DIR": str(tmp_path / "state")},
        [str(project / "scripts" / "serve")],
    )
    yield process
    process.end()


def seconds_to_first_answer(server: ServerProcess) -> float:
    """Start it, run the operation that it suggests, and stop it."""
    began = time.monotonic()
    server.start()
    (suggested,) = set(re.findall(r"^  (mutation .*)$", server.log, re.MULTILINE))
    answer = httpx2.post(f"{server.url}/graphql", json={"query": suggested}, trust_env=False, timeout=PATIENCE)
    took = time.monotonic() - began
    assert answer.json()["data"]["anonymousLogin"]["tokens"]["accessToken"]
    server.stop()
    return took


@pytest.mark.wall_clock
class TestServe:
    def test_answers_soon_when_everything_is_installed(self, server: ServerProcess) -> None:
        seconds_to_first_answer(server)
        soon = any(seconds_to_first_answer(server) < SECONDS * slowness() for _ in range(STARTS))
        assert soon, "No start was soon enough."
        assert "only when it has changed" not in server.log
