"""Which migration a database must have: the newest one of this program."""

from __future__ import annotations

from collections.abc import Sequence
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


# A row of nobody's, to find out whether the database can be written; it is rolled back.
TRIAL = "INSERT INTO webhook_endpoint (tenant_id, url, failures) VALUES ('', {random}, 0)"
# Seconds in which `/readyz` must have its answer, and some are for the way.
READY_WITHIN = 1.8


def version_fault(rows: Sequence[Version]) -> str | None:
    """Return what is wrong with the migration that the database is at, or None."""
    found = [row.version_num for row in rows]
    return None if found == [newest_migration()] else f"at migration {', '.join(found) or 'none'}"


@cache
def newest_migration() -> str:
    """Return the identifier of the newest migration, by which its file's name begins: the highest number of all."""
    versions = Path(__file__).parents[2] / "migrations" / "versions"
    return max(file.name.partition("_")[0] for file in versions.glob("[0-9]*.py"))
