"""Counts how often a process waits for PostgreSQL: what is sent together is one round trip."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import asyncpg

# What a connection is asked that nobody has used for a second.
_ARE_YOU_THERE = "SELECT 1"


@contextmanager
def count_round_trips() -> Iterator[list[str]]:
    """Collect the statements meanwhile whose answers are waited for; a `prepare` is made once for each connection."""
    trips: list[str] = []

    def counted(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(connection: asyncpg.Connection, statement: str, *arguments: Any, **options: Any) -> Any:
            if statement != _ARE_YOU_THERE:
                trips.append(statement)
            return await method(connection, statement, *arguments, **options)

        return call

    with ExitStack() as stack:
        for name in ("fetch", "execute"):
            stack.enter_context(patch.object(asyncpg.Connection, name, counted(getattr(asyncpg.Connection, name))))
        yield trips
