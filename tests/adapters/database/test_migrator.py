"""The migrations, on both databases: they make the tables of the models, once, however many start them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import String, create_engine, text

from app.adapters.database.migrator import migrate
from app.adapters.database.opening import open_database
from app.adapters.database.schema_version import newest_migration
from app.domain.rows import Reading
from tests.harness.differences import differences, differences_on_postgresql
from tests.harness.postgresql import PostgresqlServer
from tests.harness.source import ROOT


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the test a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/not/there/yet/gateway.db"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


def test_the_newest_migration_is_the_one_that_alembic_ends_with() -> None:
    assert newest_migration() == ScriptDirectory(str(ROOT / "app" / "migrations")).get_current_head()


async def is_ready(url: str) -> bool:
    database = open_database(url)
    ready = await database.is_ready()
    await database.close()
    return ready


# As the version before the column `contact_assignment_id` writes them.
ADD_CUSTOMER = """INSERT INTO customer (
    tenant_id, id, customer_number, shopper_reference, business_model, active, on_hold, status, order_count, mixins,
    version, created_at, updated_at, search_name
) VALUES (
    'demo', 'ada', '1', 'ada', 'B2B', true, false, 'PROSPECT', 0, '{}', 1, '2026-10-06 14:03:00+00:00',
    '2026-10-06 14:03:00+00:00', ''
)"""
ADD_PLACE = """INSERT INTO legal_entity_assignment (tenant_id, id, customer_id, legal_entity_id, name, confirmed)
    VALUES ('demo', '{id}', 'ada', '{id}', 'Engines Ltd', true)"""


class Place:
    id: str
    name: str
    contact_assignment_id: str | None


PLACES = Reading(
    Place,
    text("SELECT id, name, contact_assignment_id FROM legal_entity_assignment").columns(
        id=String, name=String, contact_assignment_id=String
    ),
)


async def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run the statements, and return the places in companies where those have their new column."""
    database = open_database(url)
    connection = database.connect()
    try:
        for statement in statements:
            await connection.write_anew(text(statement))
        await connection.commit()
        is_new = await database.is_ready()
        places = await connection.read_anew(PLACES) if is_new else []
        return [(place.id, place.name, place.contact_assignment_id) for place in places]
    finally:
        await connection.close()
        await database.close()


ADD_CREDENTIAL = """INSERT INTO credential (
    tenant_id, customer_id, password_hash, version, password_version, initial_password, must_confirm, changed_at
) VALUES ('demo', '{id}', {hash}, 1, 1, false, false, '2026-10-06 14:03:00+00:00')"""


class Kind:
    tenant_id: str
    kind: str


KINDS = Reading(Kind, text("SELECT tenant_id, kind FROM password_hash_kind").columns(tenant_id=String, kind=String))


def _sql(value: str | None) -> str:
    return f"'{value}'" if value is not None else "NULL"


async def kinds(url: str) -> list[tuple[str, str]]:
    """Return the kinds of imported hashes."""
    database = open_database(url)
    connection = database.connect()
    try:
        return [(row.tenant_id, row.kind) for row in await connection.read_anew(KINDS)]
    finally:
        await connection.close()
        await database.close()


class TestMigrate:
    def test_makes_the_tables_of_the_models(self, empty_database_url: str) -> None:
        migrate(empty_database_url)
        if empty_database_url.startswith("sqlite"):
            engine = create_engine(empty_database_url)
            with engine.connect() as connection:
                found = differences(connection)
            engine.dispose()
        else:
            found = asyncio.run(differences_on_postgresql(empty_database_url))
        assert found == []

    def test_keeps_the_places_in_companies_and_lets_the_version_before_go_on(
        self, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as before:
            newest = command.upgrade
            before.setattr(command, "upgrade", lambda config, _: newest(config, "0002"))
            migrate(empty_database_url)
        asyncio.run(execute(empty_database_url, ADD_CUSTOMER, ADD_PLACE.format(id="before")))
        migrate(empty_database_url)
        rows = asyncio.run(execute(empty_database_url, ADD_PLACE.format(id="after")))
        assert sorted(rows) == [("after", "Engines Ltd", None), ("before", "Engines Ltd", None)]

    def test_knows_the_kinds_of_hashes_that_were_imported_before(
        self, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as before:
            newest = command.upgrade
            before.setattr(command, "upgrade", lambda config, _: newest(config, "0003"))
            migrate(empty_database_url)
        ours = "$argon2id$v=19$m=19456,t=2,p=1$" + "s" * 22 + "$" + "d" * 43
        hashes = ["$2b$12$" + "a" * 53, "$2b$12$" + "b" * 53, ours, ours.replace("19456", "65536"), None]
        added = [
            ADD_CUSTOMER,
            *(ADD_CREDENTIAL.format(id=number, hash=_sql(each)) for number, each in enumerate(hashes)),
        ]
        asyncio.run(execute(empty_database_url, *added))
        migrate(empty_database_url)
        assert sorted(asyncio.run(kinds(empty_database_url))) == [
            ("demo", "$2b$12$" + "." * 53),
            ("demo", "$argon2id$v=19$m=65536,t=2,p=1$" + "A" * 22 + "$" + "A" * 43),
        ]

    def test_makes_the_database_ready_and_does_no_harm_again(self, empty_database_url: str) -> None:
        assert not asyncio.run(is_ready(empty_database_url))
        migrate(empty_database_url)
        migrate(empty_database_url)
        assert asyncio.run(is_ready(empty_database_url))

    def test_is_done_once_when_four_processes_start_at_once(self, empty_database_url: str) -> None:
        environment = {**os.environ, "DATABASE_URL": empty_database_url}
        command = [sys.executable, "-m", "app", "migrate"]
        processes = [
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for _ in range(4)
        ]
        outputs = [process.communicate()[0].decode() for process in processes]
        assert [process.returncode for process in processes] == [0] * 4, outputs
        assert asyncio.run(is_ready(empty_database_url))
