"""Gives words for the staff's search to customers whom the last release wrote, or who were folded otherwise."""

from __future__ import annotations

from app.domain.tools import Tools
from app.services.worker_unit import open_for_worker

# So many hold the write lock of SQLite for a tenth of a second.
BATCH = 100


async def fill_search(tools: Tools) -> int:
    """Do one batch in a transaction of its own, and return how many customers it had; 0 when all have their words."""
    async with open_for_worker(tools) as uow:
        return await uow.unsearched_queue.fill(BATCH)
