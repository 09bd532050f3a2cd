"""Which migration a database must have: the newest one of this program."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import String, text

from app.domain.rows import Reading

VERSION_TABLE = "alembic_version"


class Version:
    """A row of the table in which Alembic keeps the migration that a database is at."""

    version_num: str


VERSION_STATEMENT = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - the name is our own
VERSION = Reading(Version, VERSION_STATEMENT.columns(version_num=String))


@cache
def newest_migration() -> str:
    """Return the identifier of the newest migration, by which its file's name begins: the highest number of all."""
    versions = Path(__file__).parents[2] / "migrations" / "versions"
    return max(file.name.partition("_")[0] for file in versions.glob("[0-9]*.py"))
