"""An upgrade without a gap: the last release serves on the new tables, and this one waits for `migrate` on the old."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.adapters.database.migrator import migrate
from app.adapters.database.opening import open_database
from app.adapters.database.schema_version import newest_migration
from app.domain.releases import RELEASE, RELEASE_BEFORE, is_served_by
from app.settings import Settings
from tests.factories import PASSWORD
from tests.harness.postgresql import PostgresqlServer
from tests.harness.server import PATIENCE, ROOT, ServerProcess
from tests.harness.tenants import shop, storefront

# The last commit of release 1.0.
LAST_RELEASE = "1dc97186fad088e40355907e198415c4b28ae6d4"
# What a later release, beside which this one may serve, leaves behind.
LATER = "UPDATE alembic_version SET version_num = '9999', lowest_version = '1.1'"
TENANTS = shop("shop") + storefront("shop", "web")


@pytest.fixture(scope="module")
def last_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the program of the last release, out of the history."""
    archive = subprocess.run(["git", "archive", LAST_RELEASE, "app"], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("The history of this checkout does not reach back to release 1.0.")
    folder = tmp_path_factory.mktemp("last-release")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the test a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/gateway.db"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
def variables(empty_database_url: str, tmp_path: Path) -> dict[str, str]:
    tenants = tmp_path / "tenants.toml"
    tenants.write_text(TENANTS)
    return {"DATABASE_URL": empty_database_url, "STATE_DIR": str(tmp_path / "state"), "TENANTS_FILE": str(tenants)}


def run(variables: dict[str, str], *command: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command of a release."""
    ours = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    arguments = [sys.executable, "-m", "app", *command]
    return subprocess.run(
        arguments, cwd=folder, env={**ours, **variables}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def execute(url: str, statement: str) -> None:
    """Change something of the tables."""
    if url.startswith("sqlite"):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()
    else:
        asyncio.run(_execute_on_postgresql(url, statement))


async def _execute_on_postgresql(url: str, statement: str) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def faults(url: str) -> list[str]:
    database = open_database(url)
    try:
        return list(await database.faults())
    finally:
        await database.close()


def ask(server: ServerProcess, query: str, token: str | None = None) -> dict[str, object]:
    """Return the data of the answer, which has no errors."""
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    body = {"query": query}
    answer = httpx2.post(f"{server.url}/graphql", json=body, headers=headers, trust_env=False, timeout=PATIENCE).json()
    assert "errors" not in answer, answer
    (data,) = answer["data"].values()
    assert not data.get("userErrors"), answer
    return dict(data)


def begin(server: ServerProcess) -> str:
    tokens = ask(server, 'mutation{anonymousLogin(input:{clientId:"web"}){tokens{accessToken}userErrors{code}}}')
    return str(tokens["tokens"]["accessToken"])  # type: ignore[index]


def sign_up(server: ServerProcess, email: str) -> None:
    query = f'mutation{{signup(input:{{email:"{email}",password:"{PASSWORD}"}}){{status userErrors{{code}}}}}}'
    assert ask(server, query, begin(server))["status"] == "ACTIVE"


def log_in(server: ServerProcess, email: str) -> dict[str, str]:
    fields = "tokens{accessToken refreshToken}userErrors{code}"
    query = f'mutation{{login(input:{{email:"{email}",password:"{PASSWORD}"}}){{{fields}}}}}'
    tokens = ask(server, query, begin(server))["tokens"]
    assert isinstance(tokens, dict)
    return tokens


def refresh(server: ServerProcess, refresh_token: str) -> str:
    query = f'mutation{{refresh(input:{{refreshToken:"{refresh_token}"}}){{tokens{{accessToken}}userErrors{{code}}}}}}'
    return str(ask(server, query)["tokens"]["accessToken"])  # type: ignore[index]


def rename(server: ServerProcess, token: str, name: str) -> None:
    query = f'mutation{{updateMe(input:{{firstName:"{name}"}}){{customer{{firstName}}userErrors{{code}}}}}}'
    assert ask(server, query, token)["customer"] == {"firstName": name}


class TestUpgrade:
    def test_goes_on_without_a_gap(self, variables: dict[str, str], last_release: Path) -> None:
        assert run(variables, "migrate", folder=last_release).returncode == 0
        old = ServerProcess(variables, ("env", "-C", str(last_release), sys.executable, "-m", "app", "serve"))
        new = ServerProcess(variables)
        try:
            old.start()
            sign_up(old, "ada@example.com")
            ada = log_in(old, "ada@example.com")
            # The new release waits for the tables, and changes nothing.
            early = run(variables, "serve")
            assert (early.returncode, early.stdout) == (2, "")
            assert early.stderr.splitlines()[-1].startswith("DATABASE_URL names a database at migration 0003, before ")
            sign_up(old, "bob@example.com")
            assert run(variables, "migrate").returncode == 0
            url = variables["DATABASE_URL"]
            assert asyncio.run(find(url)) == (newest_migration(), RELEASE_BEFORE)
            # The last release goes on, on the new tables.
            rename(old, ada["accessToken"], "Ada")
            sign_up(old, "cleo@example.com")
            new.start()
            # Both serve, until the last host is upgraded.
            renewed = refresh(new, ada["refreshToken"])
            assert ask(old, "{me{firstName email}}", renewed) == {"firstName": "Ada", "email": "ada@example.com"}
            for server, other, email in ((new, old, "cleo@example.com"), (old, new, "bob@example.com")):
                token = log_in(server, email)["accessToken"]
                rename(other, token, email[:3])
                assert ask(server, "{me{firstName}}", token) == {"firstName": email[:3]}
            sign_up(new, "dora@example.com")
            assert (
                ask(old, "{me{email}}", log_in(old, "dora@example.com")["accessToken"])["email"] == "dora@example.com"
            )
            visitor = begin(new)
            assert ask(old, "{tokenInfo{kind}}", visitor) == {"kind": "ANONYMOUS"}
            old.stop()
            finished = run(variables, "migrate", "--finish")
            # One line: there is none about an audit that could not be divided into months.
            assert (finished.returncode, finished.stdout.count("\n")) == (0, 1)
            assert asyncio.run(find(url)) == (newest_migration(), RELEASE)
            assert ask(new, "{tokenInfo{kind}}", visitor) == {"kind": "ANONYMOUS"}
            sign_up(new, "eve@example.com")
            new.stop()
        finally:
            old.end()
            new.end()


class TestMigrate:
    def test_says_that_a_newer_release_was_here_and_changes_nothing(self, variables: dict[str, str]) -> None:
        url = variables["DATABASE_URL"]
        migrate(url)
        execute(url, "UPDATE alembic_version SET version_num = '9999'")
        told = run(variables, "migrate")
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout == (
            f"The database is at migration 9999, later than {newest_migration()}: there is nothing to do.\n"
        )
        migrate(url)
        assert asyncio.run(faults(url)) == []


class TestReady:
    def test_is_a_schema_beyond_the_newest_migration(self, empty_database_url: str) -> None:
        migrate(empty_database_url)
        execute(empty_database_url, LATER)
        assert asyncio.run(faults(empty_database_url)) == []

    def test_is_not_a_schema_that_needs_a_later_release(self, variables: dict[str, str]) -> None:
        url = variables["DATABASE_URL"]
        migrate(url)
        execute(url, "UPDATE alembic_version SET version_num = '9999', lowest_version = '99.10'")
        line = f"needs release 99.10 of the gateway, and this is {RELEASE}"
        assert asyncio.run(faults(url)) == [f"database read: {line}"]
        refused = run(variables, "serve")
        assert (refused.returncode, refused.stderr) == (2, f"DATABASE_URL names a database that {line}\n")

    def test_is_not_a_schema_of_before(self, empty_database_url: str) -> None:
        migrate(empty_database_url)
        execute(empty_database_url, "UPDATE alembic_version SET version_num = '0003'")
        (fault,) = asyncio.run(faults(empty_database_url))
        assert fault == f"database read: at migration 0003, before {newest_migration()}"

    def test_is_marked_with_this_release_where_there_was_none_before(self, empty_database_url: str) -> None:
        migrate(empty_database_url)
        found = asyncio.run(find(empty_database_url))
        assert found == (newest_migration(), RELEASE)


async def find(url: str) -> tuple[str, str | None] | None:
    database = open_database(url)
    try:
        found = await database.find_migration()
        return (found.migration, found.lowest_release) if found is not None else None
    finally:
        await database.close()


class TestRelease:
    def test_is_that_of_the_package(self) -> None:
        assert f'version = "{RELEASE}.0"' in (ROOT / "pyproject.toml").read_text()

    @pytest.mark.parametrize(("lowest", "served"), [(None, True), ("1.0", True), (RELEASE, True), ("1.10", False)])
    def test_serves_on_tables_that_need_no_later_one(self, lowest: str | None, served: bool) -> None:
        assert is_served_by(lowest) is served
