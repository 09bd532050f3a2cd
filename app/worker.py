"""The worker: delivers the outbox, runs due anonymizations and deletes what has expired.

It runs in the server's process, or in its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from app.domain.errors import BusyError
from app.domain.tools import LiveTools, Tools
from app.models.outbox import OutboxKind
from app.services.worker.delivery import deliver_due
from app.services.worker.erasure import anonymize_due
from app.services.worker.lanes import EndpointLanes
from app.services.worker.metrics import show_outbox
from app.services.worker.pace import Pace
from app.services.worker.purge import purge_expired, purge_sealed
from app.services.worker.search_filling import fill_search
from app.services.worker.unproven import purge_unproven
from app.services.worker.visits import purge_visits

# Seconds between two checks of an empty outbox.
PAUSE = 0.5
# Seconds between two checks for expired rows.
PURGE_PAUSE = 600.0
# Seconds between two checks for sealed secrets that nobody may be given any more.
SEALED_PAUSE = 15.0
# Seconds between two looks for accounts that nobody has proved to be theirs.
UNPROVEN_PAUSE = 86_400.0
# Seconds between two looks at how much waits, for the metrics.
OUTBOX_PAUSE = 15.0
# Seconds between two looks for customers whom the last release has written, without the words of the search.
SEARCH_PAUSE = 10.0
# Seconds to wait after an unexpected failure.
PAUSE_AFTER_FAILURE = 5.0
# Seconds to wait while the database is busy.
PAUSE_WHILE_BUSY = 1.0
# Batches at once for each kind of message: a slow receiver delays only its own batch.
LANES = 2

logger = logging.getLogger(__name__)


async def work(live: LiveTools, stop: asyncio.Event) -> None:
    """Do all jobs independently until told to stop; running work is finished."""
    kinds = [kind for kind in OutboxKind if kind is not OutboxKind.EVENT]
    deliveries = [partial(deliver_due, kind=kind) for kind in kinds for _ in range(LANES)]
    endpoints = EndpointLanes(live, stop)
    await asyncio.gather(
        *(_repeat(live, delivery, PAUSE, stop) for delivery in deliveries),
        _repeat(live, lambda _: endpoints.open_due(), PAUSE, stop),
        _repeat(live, anonymize_due, PAUSE, stop),
        _repeat(live, partial(purge_expired, pace=Pace()), PURGE_PAUSE, stop),
        _repeat(live, purge_visits, PURGE_PAUSE, stop),
        _repeat(live, purge_sealed, SEALED_PAUSE, stop),
        _repeat(live, purge_unproven, UNPROVEN_PAUSE, stop),
        _repeat(live, show_outbox, OUTBOX_PAUSE, stop),
        _repeat(live, fill_search, SEARCH_PAUSE, stop),
    )
    await endpoints.close()


async def _repeat(
    live: LiveTools, job: Callable[[Tools], Awaitable[int]], idle_pause: float, stop: asyncio.Event
) -> None:
    """Repeat a job: at once if it has found something to do, else after a pause."""
    while not stop.is_set():
        try:
            pause = 0.0 if await job(live.now) else idle_pause
        except BusyError as error:
            logger.warning("The worker waits: %s", error.message)
            pause = PAUSE_WHILE_BUSY
        except Exception:
            logger.exception("The worker failed; it goes on soon.")
            pause = PAUSE_AFTER_FAILURE
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
