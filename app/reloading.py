"""Takes up changes of the tenants file while the program runs: on SIGHUP at once, and by itself within seconds."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Collection, Iterable
from itertools import islice

from app.domain.tenants import Tenant
from app.domain.tools import LiveTools
from app.wiring import TenantFiles, TenantsFileError

# Seconds between two looks at the files. A change is taken up when two looks have found the same.
PAUSE = 2.0
# How many shops a line of the log names at most.
MOST_NAMED = 10

FaultsOf = Callable[[Collection[Tenant]], Iterable[str]]

_log = logging.getLogger(__name__)


def hold_hangups() -> None:
    """Keep SIGHUP waiting, also for processes that are started from here, until `follow_tenants` takes it.

    Without this one that comes too early would end the process.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


async def follow_tenants(files: TenantFiles | None, live: LiveTools, stop: asyncio.Event, faults_of: FaultsOf) -> None:
    """Take up each change until told to stop; `faults_of` yields what else is wrong with changed tenants.

    A fault is one line of the log, and leaves everything as it was.
    """
    if files is None or files.is_built_in:
        return
    wake = asyncio.Event()
    # The first look finds what has changed since this process was given its tenants.
    wake.set()
    if threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, wake.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    while not stop.is_set():
        at_once = wake.is_set()
        wake.clear()
        try:
            await _look(files, live, faults_of, at_once=at_once)
        except Exception:
            _log.exception("The tenants file could not be looked at; all shops stay as they were.")
        await _rest(stop, wake)


async def _rest(*events: asyncio.Event) -> None:
    """Wait for one of these, and no longer than the pause."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, timeout=PAUSE, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


async def _look(files: TenantFiles, live: LiveTools, faults_of: FaultsOf, *, at_once: bool) -> None:
    try:
        change = await asyncio.to_thread(files.look, at_once=at_once)
        if change is None:
            return
        faults = list(faults_of(change.tenants))
        if faults:
            raise TenantsFileError(faults)
    except TenantsFileError as error:
        first, *others = error.faults
        more = f" (and {len(others)} more: see python -m app tenants check)" if others else ""
        _log.warning("TENANTS_FILE has a fault, so all shops stay as they were: %s%s", first, more)
        return
    before = live.now.tenants
    files.accept(change)
    live.take_up(files.reading.tenants)
    changed = {"taken_up": _names(tenant.id for tenant in change.tenants), "gone": _names(change.gone)}
    _log.info(
        "TENANTS_FILE has changed, and was taken up: %d shops, before %d",
        len(live.now.tenants),
        len(before),
        extra=changed,
    )


def _names(ids: Iterable[str]) -> str:
    named = list(ids)
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return ", ".join(islice(named, MOST_NAMED)) + more
