"""Chooses the database by its URL; nothing above this floor knows which one runs.

Each is imported only where it does: the other's driver and dialect are memory for nothing.
"""

from __future__ import annotations

from app.domain.ports import Database


def open_database(url: str) -> Database:
    """Return the database behind `sqlite:///…` or `postgresql://…`; nothing is connected before its first use."""
    if url.startswith("sqlite:///"):
        from app.adapters.database.sqlite import SqliteDatabase

        return SqliteDatabase(url)
    from app.adapters.database.postgresql import PostgresqlDatabase

    return PostgresqlDatabase(url)
