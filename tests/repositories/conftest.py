"""The database alone, for what the repositories decide."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.adapters.database.opening import open_database
from app.domain.ports import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Open an empty database, of both kinds in turn."""
    opened = open_database(database_url)
    yield opened
    await opened.close()
