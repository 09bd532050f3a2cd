"""Chooses the database by its URL; nothing above this layer knows which one runs.

Only that one is imported, to save the memory of the other's driver and dialect.
"""

from __future__ import annotations

from app.domain.ports import Database


def open_database(url: str) -> Database:
    """Return the database at `sqlite:///…` or `postgresql://…`. It connects at its first use."""
    if url.startswith("sqlite:///"):
        from app.adapters.database.sqlite import SqliteDatabase

        return SqliteDatabase(url)
    from app.adapters.database.postgresql import PostgresqlDatabase

    return PostgresqlDatabase(url)
