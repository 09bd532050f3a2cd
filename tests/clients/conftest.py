"""Fixtures for the tests of real clients: the programs of this folder, built once, and how they are run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.graphql.schema import build_schema
from tests.clients.packages import CLIENTS, NODE, install, made_once, run_command, run_node
from tests.harness.moved_clock import MovedServer
from tests.harness.server import ROOT, ServerProcess

SCHEMA = ROOT / "schema.graphql"
LIBRARY = ROOT / "app/http/storefront/client"
TSC = "node_modules/typescript/bin/tsc"

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
def library(workspace: Path) -> Path:
    """Compile the client library, with the compiler of the programs."""
    sources = [*LIBRARY.glob("src/*.ts"), LIBRARY / "tsconfig.json"]
    with made_once(LIBRARY, "dist", sources) as is_made:
        if not is_made:
            run_command([str(NODE), str(workspace / TSC)], LIBRARY, {})
    return LIBRARY / "dist"


@pytest.fixture(scope="session")
def build(workspace: Path, library: Path) -> Path:
    """Generate the types of `schema.graphql`, and compile the programs with every check there is."""
    sources = [*workspace.glob("*.ts"), *workspace.glob("*/*.ts"), *workspace.glob("*.graphql"), SCHEMA]
    sources += [*workspace.glob("*.mjs"), *workspace.glob("*.json"), *library.glob("*.d.ts")]
    with made_once(workspace, "build", sources) as is_made:
        if not is_made:
            run_command([str(NODE), "codegen.mjs"], workspace, {})
            run_command([str(NODE), "relay.mjs"], workspace, {})
            run_command([str(NODE), TSC], workspace, {})
    return workspace / "build"


@pytest.fixture
def run_typescript(build: Path, server: ServerProcess) -> Run:
    """Run one of the programs against the server, and return what it printed."""

    def run(program: str, **variables: str) -> Any:
        variables = {"GATEWAY_URL": server.url, **variables}
        return run_node(build, f"{program}.js", **variables)

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
        composed: dict[str, Any] = run_node(workspace, "compose.mjs", sdl)
        return composed

    return run
