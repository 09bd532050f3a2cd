"""Fixtures for the tests of real clients: the programs of this folder, built once, and how they are run."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.graphql.schema import build_schema
from tests.harness.moved_clock import MovedServer
from tests.harness.server import PATIENCE, ROOT, ServerProcess

CLIENTS = Path(__file__).parent
NODE = shutil.which("node")
NPM = shutil.which("npm")

SCHEMA = ROOT / "schema.graphql"

# Access tokens that have expired after two seconds.
SHOP = """
[tenants.shop]
name = "The shop"
signup = "open"
access_token_seconds = 2
[tenants.shop.sites.main]
url = "https://shop.example"
language = "en"
[[tenants.shop.clients]]
id = "shop-app"
kind = "storefront"
"""

Run = Callable[..., Any]


def install(folder: Path) -> Path:
    """Install what a folder's lock file names; skips the test where Node.js is not installed."""
    if NODE is None or NPM is None:
        pytest.skip("node and npm are not installed")
    with made_once(folder, "node_modules", [folder / "package-lock.json"]) as is_made:
        if not is_made:
            subprocess.run([NPM, "ci", "--ignore-scripts"], cwd=folder, check=True, capture_output=True, timeout=300)
    return folder


@contextmanager
def made_once(folder: Path, made: str, sources: Iterable[Path]) -> Iterator[bool]:
    """Tell whether `made` is there and of these very sources; several processes of tests come here one by one."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
    stamp = folder / made / ".made-of"
    alone = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(alone, fcntl.LOCK_EX)
        yield stamp.is_file() and stamp.read_text() == digest
        stamp.write_text(digest)
    finally:
        os.close(alone)


@pytest.fixture
def brief_shop(tmp_path: Path) -> dict[str, str]:
    """Return the settings of a gateway with one shop, whose access tokens expire at once."""
    file = tmp_path / "tenants.toml"
    file.write_text(SHOP)
    return {"TENANTS_FILE": str(file)}


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path, settings_environment: dict[str, str]) -> dict[str, str]:
    """Return that of SQLite only: what clients see does not depend on the database."""
    database = tmp_path / "gateway.db"
    shutil.copy(sqlite_template, database)
    return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state"), **settings_environment}


@pytest.fixture(scope="session")
def workspace() -> Path:
    """Install what the programs need, from the lock file."""
    return install(CLIENTS)


@pytest.fixture(scope="session")
def build(workspace: Path) -> Path:
    """Generate the types of `schema.graphql`, and compile the programs with every check there is."""
    sources = [*workspace.glob("*.ts"), *workspace.glob("relay/*.ts"), *workspace.glob("*.graphql"), SCHEMA]
    sources += [*workspace.glob("*.mjs"), *workspace.glob("*.json")]
    with made_once(workspace, "build", sources) as is_made:
        if not is_made:
            _run([str(NODE), "codegen.mjs"], workspace, {})
            _run([str(NODE), "relay.mjs"], workspace, {})
            _run([str(NODE), "node_modules/typescript/bin/tsc"], workspace, {})
    return workspace / "build"


@pytest.fixture
def run_typescript(build: Path, server: ServerProcess) -> Run:
    """Run one of the programs against the server, and return what it printed."""

    def run(program: str, **variables: str) -> Any:
        variables = {"GATEWAY_URL": server.url, **variables}
        return json.loads(_run([str(NODE), str(build / f"{program}.js")], build, variables))

    return run


@pytest.fixture
def moved_server(environment: dict[str, str]) -> Iterator[MovedServer]:
    """Run a server process whose clock can be moved."""
    server = MovedServer(environment)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def subgraph_sdl() -> str:
    return build_schema().subgraph_sdl


@pytest.fixture
def compose(workspace: Path) -> Callable[[str], dict[str, Any]]:
    """Compose a subgraph with the order service's."""

    def run(sdl: str) -> dict[str, Any]:
        composed: dict[str, Any] = json.loads(_run([str(NODE), "compose.mjs"], workspace, {}, sdl))
        return composed

    return run


def _run(command: list[str], folder: Path, variables: dict[str, str], text: str = "") -> str:
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        input=text,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
