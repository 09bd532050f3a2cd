"""The state of the endpoints of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_
from sqlmodel import col

from app.models.webhook_endpoints import FAILURES_BEFORE_PAUSE, WebhookEndpointState
from app.repositories.base import Repository, Rows

_ONE = Rows(WebhookEndpointState, "url")
_ALL = Rows(WebhookEndpointState)
_PAUSE_OVER = Rows(
    WebhookEndpointState,
    "url",
    or_(
        col(WebhookEndpointState.paused_until) <= bindparam("now"),
        col(WebhookEndpointState.paused_until).is_(None),
    ),
)


class WebhookEndpointRepository(Repository):
    """The endpoints of one tenant; one that never failed has no row."""

    async def find(self, url: str) -> WebhookEndpointState | None:
        """Return the state of an endpoint, or None if it has never failed."""
        return await self._find(_ONE, url=url)

    async def list(self) -> Sequence[WebhookEndpointState]:
        """Return the state of each endpoint that has failed."""
        return await self._list(_ALL)

    async def claim_probe(self, url: str, now: datetime, until: datetime, message_id: str | None = None) -> bool:
        """Let one message try a paused endpoint, by pausing it again; False if another message was faster."""
        values: dict[str, Any] = {"paused_until": until, "probed_id": message_id}
        return await self._change(_PAUSE_OVER, {"url": url, "now": now}, **values) == 1

    async def note_failure(self, url: str) -> int:
        """Count one more failure in a row and return how many there are."""
        await self._add_unless(WebhookEndpointState(tenant_id=self._tenant_id, url=url), "tenant_id", "url")
        await self._change(_ONE, {"url": url}, counted="failures")
        state = await self.find(url)
        return state.failures if state is not None else 0

    async def pause(self, url: str, now: datetime, until: datetime) -> bool:
        """Pause an endpoint that has failed, unless it is paused; of many failures at once, one does it."""
        return await self._change(_PAUSE_OVER, {"url": url, "now": now}, paused_until=until) == 1

    async def postpone(self, url: str, until: datetime) -> None:
        """Pause an endpoint that has asked for it: until then nothing is sent to it, what is new neither."""
        await self._change(_ONE, {"url": url}, paused_until=until, failures=FAILURES_BEFORE_PAUSE)

    async def note_failed_probe(self, url: str) -> int:
        """Count one more probe that has failed and return how many there are."""
        changed = await self._change_one(_ONE, {"url": url}, counted="failed_probes")
        return changed.failed_probes if changed is not None else 0

    async def pause_after_probe(self, url: str, until: datetime) -> None:
        """Pause an endpoint until then, whose probe has just failed."""
        await self._change(_ONE, {"url": url}, paused_until=until)

    async def note_gone(self, url: str, now: datetime) -> None:
        """Stop sending to an endpoint for good."""
        await self._add_unless(WebhookEndpointState(tenant_id=self._tenant_id, url=url), "tenant_id", "url")
        await self._change(_ONE, {"url": url}, gone_at=now)

    async def forget(self, url: str) -> None:
        """Reset an endpoint: it works again, or an operator says so."""
        await self._delete(_ONE, url=url)
        self._connection.announce()
