"""A connection whose statements wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Executable

from app.domain.ports import Connection
from app.domain.rows import Reading, RowT, Writing


class OneAtATime:
    """A `Connection` for those who ask at the same time within one transaction, as the fields of a payload do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.begun

    async def begin(self) -> None:
        """Open the transaction, unless it is open."""
        async with self._turn:
            await self._connection.begin()

    def announce(self) -> None:
        """Wake the workers as soon as the transaction is committed."""
        self._connection.announce()

    async def commit(self) -> None:
        """Commit what was written."""
        async with self._turn:
            await self._connection.commit()

    async def rollback(self) -> None:
        """Roll back what was written."""
        async with self._turn:
            await self._connection.rollback()

    async def read(self, reading: Reading[RowT], parameters: Mapping[str, Any]) -> Sequence[RowT]:
        """Return all rows of a constant statement."""
        async with self._turn:
            return await self._connection.read(reading, parameters)

    async def read_anew(self, reading: Reading[RowT]) -> Sequence[RowT]:
        """Return all rows of a statement that is built for this call."""
        async with self._turn:
            return await self._connection.read_anew(reading)

    async def write(self, statement: Writing, parameters: Mapping[str, Any]) -> int:
        """Run a constant statement, and return the number of changed rows."""
        async with self._turn:
            return await self._connection.write(statement, parameters)

    async def write_soon(self, statement: Writing, parameters: Mapping[str, Any]) -> None:
        """Run a constant statement at once: what comes of it has to be known before the answer is made."""
        await self.write(statement, parameters)

    async def write_anew(self, statement: Executable) -> int:
        """Run a statement that is built for this call, and return the number of changed rows."""
        async with self._turn:
            return await self._connection.write_anew(statement)

    async def close(self) -> None:
        """Roll back what was not committed."""
        async with self._turn:
            await self._connection.close()
