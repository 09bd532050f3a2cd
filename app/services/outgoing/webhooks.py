"""Webhooks: sends events to their endpoints, pauses an endpoint that fails, and lists and replays events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import orjson

from app.domain.ports import Webhook
from app.domain.requests import RequestFacts
from app.domain.tenants import Tenant, WebhookEndpoint
from app.domain.tools import Tools
from app.models.outbox import Endpoint, OutboxMessage
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork

# After so many failures in a row an endpoint is paused. After the pause a single message tries it again.
FAILURES_BEFORE_PAUSE = 5
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
# How long that message has before another one may try.
PROBE_TIME = timedelta(seconds=30)
GONE = 410
# How old a message has to be so that all processes know the shops and endpoints that there were when it was written:
# another process may have taken up a change of the tenants file some seconds before this one.
TAKEN_UP = timedelta(minutes=1)
# How many deliveries are listed at once.
MOST_LISTED = 1000

_OURSELVES = Caller(RequestFacts(request_id="webhooks", ip=""))


class EndpointGoneError(Exception):
    """The endpoint answered 410, or is no longer configured."""


class EndpointPausedError(Exception):
    """The endpoint is paused: the message waits until then, which is no failure of the message."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"The endpoint is paused until {until.isoformat()}.")
        self.until = until


async def send_event(tools: Tools, tenant: Tenant, message: OutboxMessage) -> None:
    """Send an event of the outbox to its endpoint, under the id of the message.

    Raises `OSError` when it has to be tried again, `EndpointPausedError` when it was not tried, `EndpointGoneError`
    when it never can be.
    """
    endpoint = next((endpoint for endpoint in tenant.webhooks if endpoint.url == message.endpoint), None)
    if endpoint is None:
        if tools.clock.now() - message.created_at < TAKEN_UP:
            raise OSError("The endpoint is not configured.")
        raise EndpointGoneError("The endpoint is no longer configured.")
    url = endpoint.url
    has_failed = await _pass_pause(tools, tenant, url)
    try:
        status = await tools.webhooks.send(_compose(endpoint, message))
    except OSError:
        await _note_failure(tools, tenant, url)
        raise
    if status == GONE:
        async with _unit(tools, tenant) as uow:
            await uow.webhook_endpoints.note_gone(url, uow.now)
        raise EndpointGoneError("The endpoint answered 410 Gone.")
    if not 200 <= status < 300:
        await _note_failure(tools, tenant, url)
        raise OSError(f"The endpoint answered {status}.")
    if has_failed:
        async with _unit(tools, tenant) as uow:
            await uow.webhook_endpoints.forget(url)


def _compose(endpoint: WebhookEndpoint, message: OutboxMessage) -> Webhook:
    body = {
        "type": message.topic,
        "timestamp": message.created_at.isoformat().replace("+00:00", "Z"),
        "data": message.payload,
    }
    secrets = (endpoint.secret, endpoint.previous_secret)
    return Webhook(
        id=message.id,
        url=endpoint.url,
        body=orjson.dumps(body).decode(),
        secrets=tuple(secret.get_secret_value() for secret in secrets if secret is not None),
    )


async def _pass_pause(tools: Tools, tenant: Tenant, url: str) -> bool:
    """Tell whether the endpoint has failed lately; raise when nothing may be sent to it."""
    async with _unit(tools, tenant) as uow:
        state = await uow.webhook_endpoints.find(url)
        if state is None:
            return False
        if state.gone_at is not None:
            raise EndpointGoneError("The endpoint answered 410 Gone before.")
        if state.paused_until is None:
            return True
        if uow.now < state.paused_until:
            raise EndpointPausedError(state.paused_until)
        probed_until = uow.now + PROBE_TIME
        if not await uow.webhook_endpoints.claim_probe(url, uow.now, probed_until):
            raise EndpointPausedError(probed_until)
        await uow.outbox.postpone_events(url, probed_until)
        return True


async def _note_failure(tools: Tools, tenant: Tenant, url: str) -> None:
    async with _unit(tools, tenant) as uow:
        failures = await uow.webhook_endpoints.note_failure(url)
        if failures >= FAILURES_BEFORE_PAUSE:
            until = uow.now + pause_after(failures)
            await uow.webhook_endpoints.pause(url, until)
            await uow.outbox.postpone_events(url, until)


def pause_after(failures: int) -> timedelta:
    """Return how long an endpoint is paused: 1, 2, 4 … minutes up to an hour."""
    return min(FIRST_PAUSE * (1 << min(failures - FAILURES_BEFORE_PAUSE, 20)), LONGEST_PAUSE)


def _unit(tools: Tools, tenant: Tenant) -> UnitOfWork:
    uow = UnitOfWork(tools, _OURSELVES)
    uow.enter(tenant)
    return uow


async def endpoints_due(tools: Tools) -> Sequence[Endpoint]:
    """Return the endpoints, of all tenants, that events wait for."""
    async with UnitOfWork(tools, _OURSELVES) as uow:
        return await uow.outbox_queue.endpoints_due(uow.now)


async def deliveries(tools: Tools, tenant_id: str | None, *, only_failed: bool) -> Sequence[OutboxMessage]:
    """Return the events of one tenant or of all, the latest first.

    `only_failed`: those that did not arrive when they were tried. Raises `ValueError` for an unknown tenant.
    """
    tenant = tools.tenants.find_tenant(tenant_id) if tenant_id is not None else None
    if tenant_id is not None and tenant is None:
        raise ValueError(f"There is no tenant '{tenant_id}'.")
    events: list[OutboxMessage] = []
    for each in tools.tenants if tenant is None else [tenant]:
        async with _unit(tools, each) as uow:
            events += await uow.outbox.list_events(MOST_LISTED, only_failed=only_failed)
    return sorted(events, key=lambda event: event.id, reverse=True)[:MOST_LISTED]


async def replay(tools: Tools, event_id: str) -> None:
    """Have an event sent again under its own id, whatever became of it; its endpoint counts as working again.

    Raises `ValueError` for an unknown id.
    """
    for tenant in tools.tenants:
        async with _unit(tools, tenant) as uow:
            event = await uow.outbox.find_event(event_id)
            if event is not None:
                await uow.webhook_endpoints.forget(event.endpoint or "")
                await uow.outbox.replay(event_id, uow.now)
                return
    raise ValueError(f"There is no event {event_id}: run python -m app webhooks deliveries to see them")
