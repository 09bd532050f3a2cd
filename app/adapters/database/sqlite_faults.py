"""Which errors of SQLite pass by themselves: locks, a full or read-only disk."""

from __future__ import annotations

import sqlite3
from typing import NoReturn

from sqlalchemy.exc import DBAPIError

from app.adapters.database.faults import busy

_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def passes(error: sqlite3.Error) -> bool:
    """Tell whether the error is one of the surroundings, which ends without us."""
    # The lower byte is the kind, the rest says more.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING


def raise_as_busy(error: sqlite3.Error | DBAPIError) -> NoReturn:
    """Raise SERVICE_BUSY for an error that passes, and any other as it is."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error) and passes(cause):
        raise busy() from cause
    raise error
