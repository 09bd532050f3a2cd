"""A database that keeps a list of the statements it was asked for, to count them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
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

    def connect_to_read(self) -> Connection:
        """Return a conversation that may be with a standby, and is counted, too."""
        return cast("Connection", CountedConnection(self._database.connect_to_read(), self.statements))

    async def remarks(self) -> Sequence[str]:
        """Ask the real one."""
        return await self._database.remarks()

    async def check_replica(self) -> str | None:
        """Ask the real one."""
        return await self._database.check_replica()

    async def forget(self) -> None:
        """Ask the real one."""
        await self._database.forget()

    @property
    def connections_in_use(self) -> int:
        """Ask the real one."""
        return self._database.connections_in_use

    async def watch(self, wake: Callable[[], None], stop: asyncio.Event) -> None:
        """Ask the real one."""
        await self._database.watch(wake, stop)

    @property
    def hears_others(self) -> bool:
        """Ask the real one."""
        return self._database.hears_others

    @property
    def has_one_writer(self) -> bool:
        """Ask the real one."""
        return self._database.has_one_writer

    async def divide_audit(self, now: datetime) -> str | None:
        """Ask the real one."""
        return await self._database.divide_audit(now)

    async def keep_audit_months(self, now: datetime, before: datetime) -> int:
        """Ask the real one."""
        return await self._database.keep_audit_months(now, before)

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
