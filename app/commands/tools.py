"""Tools for a command that works on the tables and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.domain.tools import Tools
from app.settings import Settings
from app.wiring import build_tools, check_migrated, close_tools

Result = TypeVar("Result")

# The exit code of what Ctrl-C has ended.
INTERRUPTED = 130


def with_tools(settings: Settings, work: Callable[[Tools], Awaitable[Result]]) -> Result:
    """Do something that needs the tables; raises `ValueError` if the database is not migrated."""
    check_migrated(settings)
    return asyncio.run(_do_with_tools(settings, work))


async def _do_with_tools(settings: Settings, work: Callable[[Tools], Awaitable[Result]]) -> Result:
    tools = build_tools(settings)
    try:
        return await work(tools)
    finally:
        await close_tools(tools)
