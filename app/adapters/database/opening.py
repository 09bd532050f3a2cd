"""Chooses the database by its URL; nothing above this layer knows which one runs.

Only that one is imported, to save the memory of the other's driver and dialect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.database_limits import DatabaseLimits
from app.domain.database_url import read_server_url
from app.domain.ports import Database
from app.domain.profile import Profile
from app.domain.rows import Reading
from app.domain.sharding import Sharding

_OURS = DatabaseLimits()


def open_database(
    url: str,
    limits: DatabaseLimits = _OURS,
    profile: Profile = Profile.DEVELOPMENT,
    *,
    plaintext: bool = False,
    read_url: str | None = None,
    sharding: Sharding = Sharding.NONE,
    on_nodes: Sequence[Reading[Any]] = (),
) -> Database:
    """Return the database at `sqlite:///…` or `postgresql://…`. It connects at its first use.

    `read_url` is that of a standby of PostgreSQL, which may answer what can take long. `on_nodes` are readings for
    which `migrate` has made functions.

    Raises `ValueError` for a URL that `read_server_url` refuses, and for certificates that cannot be used.
    """
    if url.startswith("sqlite:///"):
        from app.adapters.database.sqlite import SqliteDatabase

        return SqliteDatabase(url)
    from app.adapters.database.postgresql import PostgresqlDatabase

    standby = read_server_url(read_url, profile, plaintext=plaintext) if read_url is not None else None
    return PostgresqlDatabase(read_server_url(url, profile, plaintext=plaintext), limits, sharding, standby, on_nodes)
