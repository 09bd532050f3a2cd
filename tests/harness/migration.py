"""Writes the next migration from what the models say, and tries all of them on both databases (scripts/migration)."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import sqlalchemy
from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, create_engine, insert, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from app.adapters.database.migrator import migrate
from app.models import METADATA
from tests.harness.differences import differences
from tests.harness.postgresql import PostgresqlServer
from tests.harness.source import ROOT

Result = TypeVar("Result")

VERSIONS = ROOT / "app" / "migrations" / "versions"


class MigrationError(Exception):
    """There is nothing to write, or what was written does not do."""


def on(url: str, work: Callable[[Connection], Result]) -> Result:
    """Do some work on a database in a transaction, and commit."""
    if not url.startswith("sqlite:"):
        return asyncio.run(_on_postgresql(url, work))
    Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    with engine.begin() as connection:
        result = work(connection)
    engine.dispose()
    return result


async def _on_postgresql(url: str, work: Callable[[Connection], Result]) -> Result:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


def write(sentence: str, *, empty: bool) -> Path:
    """Write the next migration, whose first line is the sentence, and return its file.

    It has what the models have beyond the migrations so far; with `empty` it has nothing, for what only people can
    write. Raises `MigrationError` when the models have nothing new.
    """
    slug = re.sub(r"\W+", "_", sentence.lower()).strip("_")
    if not slug:
        raise MigrationError("A migration has a name that says what it does: customers have a date of birth.")
    scripts = ScriptDirectory(
        str(VERSIONS.parent),
        file_template="%(rev)s_%(slug)s",
        truncate_slug_length=60,
        messaging_opts={"quiet": True},
    )
    number = f"{int(scripts.get_current_head() or 0) + 1:04}"
    words = slug.replace("_", " ")
    upgrades = "" if empty else _upgrades_of_a_migrated_file()
    imports = "from sqlalchemy.dialects import postgresql\n" if "postgresql." in upgrades else ""
    script = scripts.generate_revision(number, words[0].upper() + words[1:], upgrades=upgrades.strip(), imports=imports)
    assert script is not None
    return Path(script.path)


def _upgrades_of_a_migrated_file() -> str:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/gateway.db"
        migrate(url)
        if not on(url, differences):
            raise MigrationError("The models have nothing that the migrations do not make; --empty writes one still.")
        return on(url, _upgrades)


def _upgrades(connection: Connection) -> str:
    """Return the statements that bring a database to the models, as Python."""
    context = MigrationContext.configure(connection)
    operations = produce_migrations(context, METADATA).upgrade_ops
    assert operations is not None
    lines = render_python_code(operations, render_item=_render, migration_context=context).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write a type as SQLAlchemy has it: migrations depend on no model and no library of models, which change."""
    if kind != "type":
        return False
    if isinstance(item, AutoString):
        return f"sa.String({item.length or ''})"
    if isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, sqlalchemy.JSON):
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def check() -> None:
    """Run all migrations on both databases; raises `MigrationError` when one does not end as the models are.

    Once from nothing, and once with a row in each table before the newest one, as there are where it will be run.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, fill in (("empty", False), ("full", True)):
            _check("SQLite", f"sqlite:///{folder}/{name}.db", fill=fill)
    server = PostgresqlServer()
    server.start()
    try:
        for fill in (False, True):
            _check("PostgreSQL", server.url(server.create_database()), fill=fill)
    finally:
        server.stop()


def _check(name: str, url: str, *, fill: bool) -> None:
    try:
        if fill:
            on(url, _upgrade_and_fill)
        migrate(url)
    except (SQLAlchemyError, NotImplementedError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        rows = " where there are rows" if fill else ""
        raise MigrationError(f"{name} does not take it{rows}: {reason}") from error
    if found := on(url, differences):
        raise MigrationError(f"{name} is not as the models are: {found}")


def _upgrade_and_fill(connection: Connection) -> None:
    """Run all migrations but the newest, and put one row into each table there is then."""
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head-1")
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        if table.name != "alembic_version":
            connection.execute(insert(table).values({each.name: value_of(each.type) for each in table.columns}))


def value_of(type_: sqlalchemy.types.TypeEngine[Any]) -> Any:
    """Return the same for each column of a type, so that what refers to another row finds it."""
    kind: type[Any] = dict if isinstance(type_, sqlalchemy.JSON) else type_.python_type
    moment = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    return {str: "x", bytes: b"x", bool: True, int: 1, dict: {}, datetime: moment, date: moment.date()}[kind]


def main() -> int:
    """Write a migration, or check them all; exit code 1 says why not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="*", metavar="NAME", help="what it does: customers have a date of birth")
    parser.add_argument("--empty", action="store_true", help="write it without any statement")
    options = parser.parse_args()
    try:
        if options.name or options.empty:
            sys.stdout.write(f"{write(' '.join(options.name), empty=options.empty).relative_to(ROOT)}\n")
        else:
            check()
    except (MigrationError, CommandError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
