"""Migrates a database to the newest schema."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from app.adapters.database import citus
from app.adapters.database.citus_functions import NodeFunction
from app.adapters.database.connecting import Connector
from app.adapters.database.faults import UnusableDatabaseError
from app.adapters.database.postgresql_faults import LOST, describe, is_lost, passes, unusable
from app.adapters.database.schema_version import MARK_STATEMENT, RAISE_MARK, newest_migration
from app.adapters.database.sqlite_faults import passes as passes_on_sqlite
from app.domain.database_limits import DatabaseLimits
from app.domain.database_url import ServerUrl, read_server_url
from app.domain.profile import Profile
from app.domain.releases import RELEASE, RELEASE_BEFORE, order_of
from app.domain.rows import Reading
from app.domain.sharding import Sharding

# Any number, but the same in every process of this program.
_LOCK = 4_771_203
_OURS = DatabaseLimits()


def migrate(
    url: str,
    limits: DatabaseLimits = _OURS,
    profile: Profile = Profile.DEVELOPMENT,
    *,
    plaintext: bool = False,
    sharding: Sharding = Sharding.NONE,
    on_nodes: Sequence[Reading[Any]] = (),
) -> None:
    """Run the missing migrations. If several processes do this at once, one of them does the work.

    With `sharding` each table is distributed in the end that is not, in the same transaction; and each of the readings
    `on_nodes` gets its function (`citus_functions.py`).

    Raises `OSError` for a database that does not answer, or where we may not do that.
    """
    if url.startswith("sqlite:"):
        _migrate_sqlite(url)
    else:
        server = read_server_url(url, profile, plaintext=plaintext)
        asyncio.run(_migrate_postgresql(server, limits, sharding, on_nodes))


def _migrate_sqlite(url: str) -> None:
    try:
        Path(sqlalchemy.make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableDatabaseError(f"cannot be made: {error}") from error
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": 60})
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("PRAGMA secure_delete=ON")  # a table that is copied leaves free pages
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                _upgrade(connection)
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error) and passes_on_sqlite(error.orig):
            raise UnusableDatabaseError(f"cannot be written: {error.orig}") from error
        if getattr(error.orig, "sqlite_errorcode", 0) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise UnusableDatabaseError(f"cannot be read: {error.orig}") from error
        raise
    finally:
        engine.dispose()


async def _migrate_postgresql(
    url: ServerUrl, limits: DatabaseLimits, sharding: Sharding, on_nodes: Sequence[Reading[Any]]
) -> None:
    connector = Connector(url, limits)
    # One connection in one transaction, which is ours: so the lock and each statement are on one server even where a
    # pooler is in between, and unnamed statements leave nothing behind on it.
    engine = create_async_engine(
        "postgresql+asyncpg://",
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={
            "async_creator_fn": connector.connect_for_migration,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": str,
        },
    )
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            if sharding is Sharding.CITUS:
                await connection.run_sync(_upgrade_and_distribute, on_nodes)
            else:
                await connection.run_sync(citus.refuse_distributed)
                await connection.run_sync(_upgrade)
            await connection.execute(text("COMMIT"))
    except (DBAPIError, OSError) as error:
        cause = _driver_error(error)
        if passes(cause) or isinstance(cause, asyncpg.InsufficientPrivilegeError):
            raise unusable(cause) from error
        raise
    except (asyncpg.PostgresError, *LOST) as error:
        raise unusable(error) from error
    finally:
        await engine.dispose()


def _driver_error(error: BaseException) -> BaseException:
    """Return asyncpg's own error, which SQLAlchemy has wrapped twice."""
    while isinstance(error, DBAPIError | AsyncAdapt_asyncpg_dbapi.Error) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _upgrade_and_distribute(connection: Connection, on_nodes: Sequence[Reading[Any]]) -> None:
    citus.prepare(connection)
    _upgrade(connection)
    try:
        citus.distribute(connection, map(NodeFunction, on_nodes))
    except DBAPIError as error:
        cause = _driver_error(error)
        if isinstance(cause, asyncpg.PostgresError) and not is_lost(cause):
            raise UnusableDatabaseError(f"cannot be distributed: {describe(cause)}") from error
        raise


def _upgrade(connection: Connection) -> None:
    """Run what is missing; nothing where a newer release was here first, whose migrations we do not know."""
    before = MigrationContext.configure(connection).get_current_revision()
    if before is not None and before > newest_migration():
        return
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[2] / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    _mark(connection, ScriptDirectory.from_config(config), before)


def _mark(connection: Connection, scripts: ScriptDirectory, before: str | None) -> None:
    """Write down the lowest release that may serve on these tables: what the new migrations state, or the one before.

    A migration states it as `lowest_release = "1.1"`. On tables that were not there before, no older release than this
    one serves. The mark never goes back.
    """
    if (
        before == newest_migration()
        or MigrationContext.configure(connection).get_current_revision() != newest_migration()
    ):
        return
    (found,) = connection.execute(MARK_STATEMENT).scalars()
    new = [script.module for script in scripts.walk_revisions() if before is None or script.revision > before]
    stated = [getattr(module, "lowest_release", RELEASE_BEFORE) for module in new]
    if before is None:
        stated.append(RELEASE)
    lowest = max([*stated, *filter(None, [found])], key=order_of)
    connection.execute(text(RAISE_MARK), {"lowest": lowest})
