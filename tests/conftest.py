"""Fixtures of all tests: the two databases, the gateway in this process, and real server processes."""

from __future__ import annotations

import functools
import gc
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpcore2
import pytest

from app.adapters.keys.passwords import Argon2Passwords
from app.graphql.schema import build_documents
from app.settings import Settings
from app.wiring import migrate
from tests.fakes import MovableClock
from tests.harness.citus import CLUSTER_USER, CitusCluster
from tests.harness.completeness import omissions
from tests.harness.fast import FastRun
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.on_citus import is_on_citus, why_not_on_citus
from tests.harness.passwords import CheapPasswords
from tests.harness.postgresql import PostgresqlServer
from tests.harness.server import ServerProcess
from tests.harness.slowness import Slowness
from tests.harness.social import MintingProvider
from tests.harness.uncovered import Uncovered
from tests.harness.watched_statements import take_unnamed, watching

# They start servers, browsers and installations.
LONG = ("tests/test_", "tests/clients/", "tests/storefront/", "tests/listening/")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["citus"],
        help="citus: only the tests on PostgreSQL, and those on a cluster of three (tests/README.md)",
    )
    parser.addoption(
        "--fast", action="store_true", help="SQLite only: no PostgreSQL, Redis, browser or other process (scripts/test)"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("fast"):
        config.pluginmanager.register(FastRun())
    config.pluginmanager.register(Uncovered(config))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Say what the models lack before sixty tests fail for it; in the first process only, for all of them."""
    if not hasattr(session.config, "workerinput"):
        missing = omissions()
        if missing:
            raise pytest.UsageError(*missing)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run some tests on a cluster with Citus too."""
    if is_on_citus(metafunc.definition.nodeid) and not metafunc.config.getoption("fast"):
        engines = pytest.mark.parametrize("database_url", ["sqlite", "postgresql", "citus"], indirect=True)
        metafunc.definition.add_marker(engines)


def _engine(item: pytest.Item) -> object:
    return item.callspec.params.get("database_url") if hasattr(item, "callspec") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the tests that take long come first, so that no process waits at the end for one of them."""
    if config.getoption("database") == "citus":
        others = [item for item in items if _engine(item) != "postgresql"]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if _engine(item) == "postgresql"]
        for item in items:
            if reason := why_not_on_citus(item.nodeid):
                item.add_marker(pytest.mark.skip(reason))
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was collected: thousands of tests, to be looked through again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """Let all gateways share what a process makes once: trust in authorities, checked documents; and hash cheaply."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpcore2, "default_ssl_context", functools.cache(httpcore2.default_ssl_context))
        patch.setattr("app.main.build_documents", functools.cache(build_documents))
        patch.setattr("app.wiring.Argon2Passwords", CheapPasswords)
        yield


@pytest.fixture
def costly_passwords() -> Iterator[None]:
    """Hash in the gateways of a test as in production; to be asked for by `usefixtures`, which comes before them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.wiring.Argon2Passwords", Argon2Passwords)
        yield


@pytest.fixture(scope="session", autouse=True)
def _statements_watched() -> Iterator[None]:
    """Look at every statement that the tests' gateways send."""
    with watching():
        yield


@pytest.fixture(autouse=True)
def _statements_name_their_tenant() -> Iterator[None]:
    """Fail the test that has sent a statement without its tenant: it would go to every server of many."""
    yield
    unnamed = take_unnamed()
    assert not unnamed, "\n\n".join(unnamed)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """Run one PostgreSQL server for all tests."""
    server = PostgresqlServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgresqlServer) -> str:
    """Migrate an empty database on it, to be copied."""
    name = postgresql.create_database()
    migrate(Settings.load({"DATABASE_URL": postgresql.url(name)}))
    return name


@pytest.fixture(scope="session")
def citus() -> Iterator[CitusCluster]:
    """Run one cluster of three servers for all tests, where Citus is installed."""
    cluster = CitusCluster()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def citus_database(citus: CitusCluster) -> str:
    """Migrate a database of the cluster, to be emptied after each test: making one takes seconds."""
    return citus.create_migrated_database()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate an empty SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "gateway.db"
    migrate(Settings.load({"DATABASE_URL": f"sqlite:///{path}"}))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give one test a migrated, empty database, of both kinds in turn."""
    if request.param == "sqlite":
        path = tmp_path / "gateway.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    if request.param == "citus" or request.config.getoption("database") == "citus":
        cluster: CitusCluster = request.getfixturevalue("citus")
        kept: str = request.getfixturevalue("citus_database")
        yield cluster.url(kept)
        cluster.empty(kept)
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    name = server.create_database(request.getfixturevalue("postgresql_template"))
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
def settings_environment() -> dict[str, str]:
    """Further variables for the gateways of a test: a module or class that needs some overrides this fixture."""
    return {}


@pytest.fixture
def environment(database_url: str, tmp_path: Path, settings_environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of the test's gateways."""
    sharding = {"DATABASE_SHARDING": "citus"} if database_url.startswith(f"postgresql://{CLUSTER_USER}@") else {}
    return {"DATABASE_URL": database_url, "STATE_DIR": str(tmp_path / "state"), **sharding, **settings_environment}


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def minted(clock: MovableClock) -> Iterator[MintingProvider]:
    """Run a provider of social login whose answers the test decides."""
    with MintingProvider(clock) as provider:
        yield provider


@pytest.fixture
async def gateway(environment: dict[str, str], clock: MovableClock) -> AsyncIterator[Gateway]:
    """Run the gateway inside this process, on both databases in turn."""
    async with run_gateway(environment, clock) as running:
        yield running


@pytest.fixture
def start_server(environment: dict[str, str]) -> Iterator[Callable[..., ServerProcess]]:
    """Start a server process on the test's database, with further variables; all are gone after the test."""
    servers: list[ServerProcess] = []

    def start(**variables: str) -> ServerProcess:
        server = ServerProcess({**environment, **variables})
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.end()


@pytest.fixture
def server(start_server: Callable[..., ServerProcess]) -> Iterator[ServerProcess]:
    """Run a server process, which must end cleanly and without an ERROR in its log."""
    running = start_server()
    yield running
    running.stop()


@pytest.fixture
def slowness(gateway: Gateway) -> Iterator[Slowness]:
    """Make the database of the gateway slow at one point."""
    with pytest.MonkeyPatch.context() as patch:
        yield Slowness(patch, gateway)
