"""Chooses the database by its URL; nothing above this floor knows which one runs."""

from __future__ import annotations

from app.adapters.postgresql import PostgresqlDatabase
from app.adapters.sqlite import SqliteDatabase
from app.domain.ports import Database


def open_database(url: str) -> Database:
    """Return the database behind `sqlite:///…` or `postgresql://…`; nothing is connected before its first use."""
    if url.startswith("sqlite:///"):
        return SqliteDatabase(url)
    return PostgresqlDatabase(url)
