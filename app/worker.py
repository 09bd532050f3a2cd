"""The worker: delivers the outbox; beside the server in its process, or in one of its own."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from app.domain.tools import Tools
from app.services.delivery import deliver_due

# Seconds between two looks at an empty outbox.
PAUSE = 0.5
# Seconds to wait after an unexpected failure, such as a database that is away for a moment.
PAUSE_AFTER_FAILURE = 5.0

logger = logging.getLogger(__name__)


async def work(tools: Tools, stop: asyncio.Event) -> None:
    """Deliver until told to stop; what is under way is finished."""
    while not stop.is_set():
        try:
            pause = 0.0 if await deliver_due(tools) else PAUSE
        except Exception:
            logger.exception("The worker failed and goes on in a moment.")
            pause = PAUSE_AFTER_FAILURE
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
