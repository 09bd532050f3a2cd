"""Counts how often a process waits for PostgreSQL: what is sent together is one round trip."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import asyncpg

# What a connection is asked that nobody has used for a second, and how one begins that was opened now.
_ARE_YOU_THERE, _IS_NEW = "SELECT 1", "SET "
# What the announcer sends of its own accord, whenever it comes to it.
_ANNOUNCES = "NOTIFY "


def _is_waited_for(statement: str) -> bool:
    return statement != _ARE_YOU_THERE and not statement.startswith(_IS_NEW) and _ANNOUNCES not in statement


@contextmanager
def count_round_trips() -> Iterator[list[str]]:
    """Collect the statements meanwhile whose answers a mutation waits for, whichever connection it is given.

    What is done once for each connection is none of them: how it is opened, and each `prepare`.
    """
    trips: list[str] = []

    def counted(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(connection: asyncpg.Connection, statement: str, *arguments: Any, **options: Any) -> Any:
            if _is_waited_for(statement):
                trips.append(statement)
            return await method(connection, statement, *arguments, **options)

        return call

    with ExitStack() as stack:
        for name in ("fetch", "execute"):
            stack.enter_context(patch.object(asyncpg.Connection, name, counted(getattr(asyncpg.Connection, name))))
        yield trips
