"""What the models and the tables of a database differ in, but for the parts of a divided audit: no model knows them."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from app.adapters.database.audit_months import is_partition
from app.models import METADATA


def differences(connection: Connection) -> list[Any]:
    """Return them as Alembic tells them."""
    return list(compare_metadata(MigrationContext.configure(connection, opts={"include_object": _is_ours}), METADATA))


async def differences_on_postgresql(url: str) -> list[Any]:
    """Return those of a database on PostgreSQL."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    return found


def _is_ours(_: object, name: str | None, kind: str, *_others: object) -> bool:
    return kind != "table" or not is_partition(name or "")
