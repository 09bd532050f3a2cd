"""Which migration a database must be at: the newest one that this program carries."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import text

VERSION_STATEMENT = text("SELECT version_num FROM alembic_version")


@cache
def newest_migration() -> str | None:
    """Return the identifier of the newest migration."""
    return ScriptDirectory(str(Path(__file__).parents[1] / "migrations")).get_current_head()
