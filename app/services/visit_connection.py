"""The connection that turns a visit into a session before anything else is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Executable

from app.domain.ports import Connection
from app.domain.rows import Reading, RowT, Writing


class VisitConnection:
    """A `Connection` that speaks for a visit: the first thing that a transaction of it does is to make it a session.

    So what only reads leaves the visit what it is, and what is rolled back as well.
    """

    def __init__(self, connection: Connection, become_session: Callable[[Connection], Awaitable[None]]) -> None:
        self._connection = connection
        self._become_session = become_session
        self._is_session = False

    @property
    def begun(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.begun

    async def begin(self) -> None:
        """Open the transaction, unless it is open, and have the visit become a session in it."""
        await self._connection.begin()
        if not self._is_session:
            await self._become_session(self._connection)
            self._is_session = True

    def announce(self) -> None:
        """Wake the workers as soon as the transaction is committed."""
        self._connection.announce()

    async def commit(self) -> None:
        """Commit what was written."""
        await self._connection.commit()

    async def rollback(self) -> None:
        """Roll back what was written."""
        self._is_session = False
        await self._connection.rollback()

    async def read(self, reading: Reading[RowT], parameters: Mapping[str, Any]) -> Sequence[RowT]:
        """Return all rows of a constant statement."""
        if reading.statement.is_dml:
            await self.begin()
        return await self._connection.read(reading, parameters)

    async def read_anew(self, reading: Reading[RowT]) -> Sequence[RowT]:
        """Return all rows of a statement that is built for this call."""
        if reading.statement.is_dml:
            await self.begin()
        return await self._connection.read_anew(reading)

    async def write(self, statement: Writing, parameters: Mapping[str, Any]) -> int:
        """Run a constant statement, and return the number of changed rows."""
        await self.begin()
        return await self._connection.write(statement, parameters)

    async def write_soon(self, statement: Writing, parameters: Mapping[str, Any]) -> None:
        """Run a constant statement, whose number of rows is nothing, maybe with the next one."""
        await self.begin()
        await self._connection.write_soon(statement, parameters)

    async def write_anew(self, statement: Executable) -> int:
        """Run a statement that is built for this call, and return the number of changed rows."""
        await self.begin()
        return await self._connection.write_anew(statement)

    async def close(self) -> None:
        """Roll back what was not committed."""
        await self._connection.close()
