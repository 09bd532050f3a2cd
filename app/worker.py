"""The worker: delivers the outbox, runs due anonymizations and deletes what has expired.

It runs in the server's process, or in its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from app.domain.agenda import Work
from app.domain.errors import BusyError
from app.domain.tools import LiveTools, Tools
from app.models.outbox import OutboxKind
from app.services.worker.delivery import deliver_due
from app.services.worker.erasure import anonymize_due
from app.services.worker.lanes import EndpointLanes
from app.services.worker.lookout import PAUSE_AFTER_FAILURE, PAUSE_WHILE_BUSY, Lookout, until
from app.services.worker.metrics import show_outbox
from app.services.worker.pace import Pace
from app.services.worker.purge import purge_expired, purge_sealed
from app.services.worker.retention import drop_months, purge_retained
from app.services.worker.search_filling import fill_search
from app.services.worker.unproven import purge_unproven
from app.services.worker.visits import purge_visits

# Seconds between two checks for expired rows.
PURGE_PAUSE = 600.0
# Seconds between two looks for what each shop keeps for a time of its own, in months and days.
RETENTION_PAUSE = 86_400.0
# Seconds between two checks for sealed secrets that nobody may be given any more.
SEALED_PAUSE = 15.0
# Seconds between two looks for accounts that nobody has proved to be theirs.
UNPROVEN_PAUSE = 86_400.0
# Seconds between two looks at how much waits, for the metrics.
OUTBOX_PAUSE = 15.0
# Seconds between two looks for customers whom the last release has written, without the words of the search.
SEARCH_PAUSE = 10.0
# Batches at once for each kind of message: a slow receiver delays only its own batch.
LANES = 2

Job = Callable[[Tools], Awaitable[int]]

logger = logging.getLogger(__name__)


async def work(live: LiveTools, stop: asyncio.Event) -> None:
    """Do all jobs independently until told to stop; running work is finished."""
    lookout = Lookout(live, stop)
    endpoints = EndpointLanes(live, stop, lookout.wake)
    kinds = [kind for kind in OutboxKind if kind is not OutboxKind.EVENT]
    due: list[tuple[str, Job]] = [(kind, partial(deliver_due, kind=kind)) for kind in kinds for _ in range(LANES)]
    due += [(Work.ENDPOINTS, lambda _: endpoints.open_due()), (Work.ANONYMIZATIONS, anonymize_due)]
    # Before the first look, which rings for what is due already.
    bells = [(lookout.bell(what), job) for what, job in due]
    await asyncio.gather(
        live.now.database.watch(lookout.wake, stop),
        lookout.keep(),
        *(_do_when_due(live, job, bell, lookout, stop) for bell, job in bells),
        _repeat(live, partial(purge_expired, pace=Pace()), PURGE_PAUSE, stop),
        _repeat(live, partial(purge_retained, pace=Pace()), RETENTION_PAUSE, stop),
        _repeat(live, drop_months, RETENTION_PAUSE, stop),
        _repeat(live, purge_visits, PURGE_PAUSE, stop),
        _repeat(live, purge_sealed, SEALED_PAUSE, stop),
        _repeat(live, purge_unproven, UNPROVEN_PAUSE, stop),
        _repeat(live, show_outbox, OUTBOX_PAUSE, stop),
        _repeat(live, fill_search, SEARCH_PAUSE, stop),
    )
    await endpoints.close()


async def _do_when_due(live: LiveTools, job: Job, bell: asyncio.Event, lookout: Lookout, stop: asyncio.Event) -> None:
    """Do a job whenever its bell rings, until it finds nothing more; then see what it has left for later."""
    while not stop.is_set():
        await until(bell, stop)
        bell.clear()
        has_done = False
        while not stop.is_set():
            found, pause = await _try(live, job)
            has_done |= found
            if not found and not pause:
                break
            await until(stop, seconds=pause)
        if has_done:
            lookout.wake()


async def _repeat(live: LiveTools, job: Job, idle_pause: float, stop: asyncio.Event) -> None:
    """Repeat a job: at once if it has found something to do, else after a pause."""
    while not stop.is_set():
        found, pause = await _try(live, job)
        await until(stop, seconds=0.0 if found else pause or idle_pause)


async def _try(live: LiveTools, job: Job) -> tuple[bool, float]:
    """Do a job; return whether it has found something to do, and how long to wait if it failed."""
    try:
        return bool(await job(live.now)), 0.0
    except BusyError as error:
        logger.warning("The worker waits: %s", error.message)
        return False, PAUSE_WHILE_BUSY
    except Exception:
        logger.exception("The worker failed; it goes on soon.")
        return False, PAUSE_AFTER_FAILURE
