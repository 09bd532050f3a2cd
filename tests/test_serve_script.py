"""`scripts/serve`: what it installs, it installs once; after that whoever tries the gateway hardly waits."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from app.__main__ import FIRST_OPERATION
from tests.harness.server import PATIENCE, ROOT, ServerProcess

SECONDS = 3.0
# One of so many starts is in time even on a machine that is busy with other things.
STARTS = 10

# Stands in for Python: what it would install, the Python of these tests has.
PYTHON = f"""#!/bin/sh
case "$*" in
    "-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    "-m pip "*) ;;
    *) exec {shlex.quote(sys.executable)} "$@" ;;
esac
"""
# Stands in for npm, which would fetch GraphiQL from the network.
NPM = """#!/bin/sh
mkdir -p dist/assets && cp index.html dist/
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """Give a server that is started by the script of a copy of the project in which nothing is installed."""
    project, commands = tmp_path / "project", tmp_path / "commands"
    for folder in ("app", "scripts"):
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    commands.mkdir()
    for name, text in (("python3", PYTHON), ("npm", NPM)):
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    environment = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.db'}",
        "STATE_DIR": str(tmp_path / "state"),
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
    }
    process = ServerProcess(environment, [str(project / "scripts" / "serve")])
    yield process
    process.end()


def seconds_to_first_answer(server: ServerProcess) -> float:
    """Start it, run the operation that it suggests, and stop it."""
    began = time.monotonic()
    server.start()
    answer = httpx2.post(f"{server.url}/graphql", json={"query": FIRST_OPERATION}, trust_env=False, timeout=PATIENCE)
    took = time.monotonic() - began
    assert answer.json()["data"]["anonymousLogin"]["tokens"]["accessToken"]
    server.stop()
    return took


class TestServe:
    def test_answers_soon_when_everything_is_installed(self, server: ServerProcess) -> None:
        seconds_to_first_answer(server)
        installing = [line.split()[0] for line in server.log.splitlines() if "only when it has changed" in line]
        assert installing == ["Installing", "Bundling"]
        assert any(seconds_to_first_answer(server) < SECONDS for _ in range(STARTS)), "No start was soon enough."
        assert server.log.count("only when it has changed") == 2
