"""A database that keeps a list of the statements it was asked for, to count them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import Executable

from app.domain.ports import Connection, Database, SchemaVersion
from app.domain.rows import Reading


class CountedDatabase:
    """The real database, and what was asked of it so far."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements: list[Executable] = []

    def connect(self) -> Connection:
        """Return a conversation whose statements are counted."""
        return cast("Connection", CountedConnection(self._database.connect(), self.statements))

    async def forget(self) -> None:
        """Ask the real one."""
        await self._database.forget()

    @property
    def connections_in_use(self) -> int:
        """Ask the real one."""
        return self._database.connections_in_use

    @property
    def has_one_writer(self) -> bool:
        """Ask the real one."""
        return self._database.has_one_writer

    async def find_migration(self) -> SchemaVersion | None:
        """Ask the real one."""
        return await self._database.find_migration()

    async def is_served_from(self, release: str) -> bool:
        """Ask the real one."""
        return await self._database.is_served_from(release)

    async def is_ready(self) -> bool:
        """Ask the real one."""
        return await self._database.is_ready()

    async def faults(self) -> Sequence[str]:
        """Ask the real one."""
        return await self._database.faults()

    async def close(self) -> None:
        """Close the real one."""
        await self._database.close()


class CountedConnection:
    """The real conversation; whatever statement is handed to it is noted first."""

    def __init__(self, connection: Connection, statements: list[Executable]) -> None:
        self._connection = connection
        self._statements = statements

    def __getattr__(self, name: str) -> Any:
        """Return what the real one has, a method so that it notes its statement."""
        attribute = getattr(self._connection, name)
        return self._noted(attribute) if callable(attribute) else attribute

    def _noted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            statement = arguments[0] if arguments else None
            if isinstance(statement, Reading):
                statement = statement.statement
            if isinstance(statement, Executable):
                self._statements.append(statement)
            return method(*arguments)

        return call
