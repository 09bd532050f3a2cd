"""Delivers events, each endpoint in its own lane: a slow endpoint delays only its own events."""

from __future__ import annotations

import asyncio
import logging

from app.domain.errors import BusyError
from app.domain.tools import LiveTools
from app.models.outbox import Endpoint
from app.services.outgoing.webhooks import endpoints_due
from app.services.worker.delivery import deliver_due

logger = logging.getLogger(__name__)


class EndpointLanes:
    """The lanes of one worker; a lane ends when nothing waits for its endpoint."""

    def __init__(self, live: LiveTools, stop: asyncio.Event) -> None:
        self._live = live
        self._stop = stop
        self._lanes: dict[Endpoint, asyncio.Task[None]] = {}

    async def open_due(self) -> int:
        """Open a lane for each endpoint that has waiting events but no lane.

        Return 0, because the lanes do the work.
        """
        for endpoint in await endpoints_due(self._live.now):
            if endpoint not in self._lanes:
                self._lanes[endpoint] = asyncio.create_task(self._deliver(endpoint))
        return 0

    async def close(self) -> None:
        """Wait for running deliveries."""
        await asyncio.gather(*self._lanes.values())

    async def _deliver(self, endpoint: Endpoint) -> None:
        try:
            while not self._stop.is_set() and await deliver_due(self._live.now, endpoint=endpoint):
                pass
        except BusyError as error:
            logger.warning("The events for one endpoint wait: %s", error.message)
        except Exception:
            logger.exception("The events for one endpoint failed; they are tried again soon.")
        finally:
            del self._lanes[endpoint]
