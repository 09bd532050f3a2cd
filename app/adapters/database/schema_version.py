"""Which migration a database must have, and which release of the gateway its tables still serve.

A database may be ahead of this program: a newer release has migrated it, and both serve until the last host is
upgraded. The mark `lowest_version` in Alembic's own table says from which release on that goes well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from math import inf
from pathlib import Path

from sqlalchemy import String, text
from sqlalchemy.exc import DBAPIError

from app.adapters.database.faults import UnusableDatabaseError
from app.domain.ports import Connection
from app.domain.releases import RELEASE, is_at_least, is_served_by
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
# Seconds after which an operator's mark is seen at the latest.
ASKED_EVERY = 10.0


class Mark:
    """The same row, which has this since migration 0012."""

    lowest_version: str | None


MARK_STATEMENT = text(f"SELECT lowest_version FROM {VERSION_TABLE}")  # noqa: S608 - as above
RAISE_MARK = f"UPDATE {VERSION_TABLE} SET lowest_version = :lowest"  # noqa: S608 - as above
MARK = Reading(Mark, MARK_STATEMENT.columns(lowest_version=String))


async def raise_mark(connection: Connection) -> None:
    """Write down that no release before this one serves on the tables any more. The mark never goes back.

    Raises `UnusableDatabaseError` where we may not write it.
    """
    try:
        for row in await connection.read(MARK, {}):
            if not is_at_least(row.lowest_version, RELEASE):
                await connection.write_anew(text(RAISE_MARK).bindparams(lowest=RELEASE))
        await connection.commit()
    except DBAPIError as error:
        raise UnusableDatabaseError(f"cannot be written: {error.orig}") from error


class LowestRelease:
    """The mark as this process has last read it; it never goes back."""

    def __init__(self) -> None:
        self._found: str | None = None
        self._asked = -inf

    async def is_at_least(self, release: str, connection: Connection) -> bool:
        """Tell whether the mark is that release or a later one."""
        now = asyncio.get_running_loop().time()
        if not is_at_least(self._found, release) and now - self._asked >= ASKED_EVERY:
            self._asked = now
            self._found = next((row.lowest_version for row in await connection.read(MARK, {})), None)
        return is_at_least(self._found, release)


def version_fault(rows: Sequence[Version]) -> str | None:
    """Return what is wrong with the migration that the database is at, or None; a later one than ours is well."""
    found = [row.version_num for row in rows]
    if len(found) == 1 and found[0] >= newest_migration():
        return None
    return f"at migration {', '.join(found) or 'none'}, before {newest_migration()}"


def mark_fault(rows: Sequence[Mark]) -> str | None:
    """Return why this release may not serve on the tables, or None. Ask only where `version_fault` is None."""
    for row in rows:
        if not is_served_by(row.lowest_version):
            return f"needs release {row.lowest_version} of the gateway, and this is {RELEASE}"
    return None


@cache
def newest_migration() -> str:
    """Return the identifier of the newest migration, by which its file's name begins: the highest number of all."""
    versions = Path(__file__).parents[2] / "migrations" / "versions"
    return max(file.name.partition("_")[0] for file in versions.glob("[0-9]*.py"))
