"""The metrics of a running process: how much work it has now, and how much waits in the outbox."""

from __future__ import annotations

from app.domain.tools import Tools
from app.services.worker_unit import open_for_worker


def show_process(tools: Tools) -> None:
    """Set how many calls wait for a thread, and how many database connections are in use now."""
    tools.metrics.show_process(passwords_waiting=tools.passwords.waiting, connections=tools.database.connections_in_use)


async def show_outbox(tools: Tools) -> int:
    """Show how long the oldest message has waited, and how many were given up; return 0, for there is no more to do."""
    async with open_for_worker(tools) as uow:
        oldest, dead = await uow.outbox_queue.backlog()
        waited = (uow.now - oldest).total_seconds() if oldest is not None else 0.0
    tools.metrics.show_outbox(oldest_seconds=max(0.0, waited), dead=dead)
    return 0
