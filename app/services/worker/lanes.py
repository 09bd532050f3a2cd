"""Delivers events, each endpoint in its own lane: a slow endpoint delays only its own events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.domain.errors import BusyError
from app.domain.tools import LiveTools
from app.models.outbox import Endpoint
from app.services.outgoing.webhooks import endpoints_due
from app.services.worker.delivery import deliver_due

# Seconds after which an endpoint is looked for again whose lane has ended with a failure.
PAUSE_AFTER_FAILURE = 1.0

logger = logging.getLogger(__name__)


def _nobody() -> None:
    """Wake nobody."""


class EndpointLanes:
    """The lanes of one worker; a lane ends when nothing waits for its endpoint."""

    def __init__(self, live: LiveTools, stop: asyncio.Event, wake: Callable[[], None] = _nobody) -> None:
        """`wake` has the agenda looked at again: a lane has ended, and may have left something for later."""
        self._live = live
        self._stop = stop
        self._wake = wake
        self._lanes: dict[Endpoint, asyncio.Task[None]] = {}
        self._asked_again: set[Endpoint] = set()

    async def open_due(self) -> int:
        """Open a lane for each endpoint that has waiting events but no lane.

        Return 0, because the lanes do the work.
        """
        for endpoint in await endpoints_due(self._live.now):
            if endpoint in self._lanes:
                self._asked_again.add(endpoint)
            else:
                self._lanes[endpoint] = asyncio.create_task(self._deliver(endpoint))
        return 0

    async def close(self) -> None:
        """Wait for running deliveries."""
        await asyncio.gather(*self._lanes.values())

    async def _deliver(self, endpoint: Endpoint) -> None:
        has_done = False
        try:
            while not self._stop.is_set() and await deliver_due(self._live.now, endpoint=endpoint):
                has_done = True
        except BusyError as error:
            logger.warning("The events for one endpoint wait: %s", error.message)
            self._wake_later()
        except Exception:
            logger.exception("The events for one endpoint failed; they are tried again soon.")
            self._wake_later()
        finally:
            del self._lanes[endpoint]
            # Only then: what is due, and yet nothing can be done about it, must not keep us busy.
            if has_done or endpoint in self._asked_again:
                self._asked_again.discard(endpoint)
                self._wake()

    def _wake_later(self) -> None:
        asyncio.get_running_loop().call_later(PAUSE_AFTER_FAILURE, self._wake)
