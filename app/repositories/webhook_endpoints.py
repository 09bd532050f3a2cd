"""The state of the endpoints of webhooks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import col

from app.models.webhook_endpoints import WebhookEndpointState
from app.repositories.base import Repository, Rows

_ONE = Rows(WebhookEndpointState, "url")
_PAUSE_OVER = Rows(WebhookEndpointState, "url", col(WebhookEndpointState.paused_until) <= bindparam("now"))


class WebhookEndpointRepository(Repository):
    """The endpoints of one tenant; one that never failed has no row."""

    async def find(self, url: str) -> WebhookEndpointState | None:
        """Return the state of an endpoint, or None if it has never failed."""
        return await self._find(_ONE, url=url)

    async def claim_probe(self, url: str, now: datetime, until: datetime) -> bool:
        """Let one message pass a paused endpoint, by pausing it again; False if another message was faster."""
        return await self._change(_PAUSE_OVER, {"url": url, "now": now}, paused_until=until) == 1

    async def note_failure(self, url: str) -> int:
        """Count one more failure in a row and return how many there are."""
        await self._add_unless(WebhookEndpointState(tenant_id=self._tenant_id, url=url), "tenant_id", "url")
        await self._change(_ONE, {"url": url}, counted="failures")
        state = await self.find(url)
        return state.failures if state is not None else 0

    async def pause(self, url: str, until: datetime) -> None:
        """Pause an endpoint that has failed."""
        await self._change(_ONE, {"url": url}, paused_until=until)

    async def note_gone(self, url: str, now: datetime) -> None:
        """Stop sending to an endpoint for good."""
        await self._add_unless(WebhookEndpointState(tenant_id=self._tenant_id, url=url), "tenant_id", "url")
        await self._change(_ONE, {"url": url}, gone_at=now)

    async def forget(self, url: str) -> None:
        """Reset an endpoint: it works again, or an operator says so."""
        await self._delete(_ONE, url=url)
