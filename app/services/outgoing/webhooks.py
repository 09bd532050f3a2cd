"""Webhooks: sends events to their endpoints, pauses an endpoint that fails, and lists and replays events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import orjson

from app.domain.ports import PostponedError, Webhook
from app.domain.requests import RequestFacts
from app.domain.tenants import Tenant, WebhookEndpoint
from app.domain.tools import Tools
from app.domain.topics import Topic
from app.models.outbox import Endpoint, OutboxKind, OutboxMessage
from app.models.webhook_endpoints import FAILURES_BEFORE_PAUSE, WebhookEndpointState
from app.services.caller import Caller
from app.services.outgoing.mail_contents import compose_mail
from app.services.unit_of_work import UnitOfWork

# How long an endpoint is left alone that has failed, doubled by each probe that fails too, up to a longest pause.
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=30)
# After a day of them the pauses are longer: nobody is there to notice.
PROBES_OF_A_DAY = 2880
PAUSE_AFTER_A_DAY = timedelta(minutes=10)
# How long a probe has before another message may try.
PROBE_TIME = timedelta(seconds=30)
# What has waited longer for an endpoint that does not work is given up.
LONGEST_WAIT = timedelta(days=3)
GONE = 410
# How old a message has to be so that all processes know the shops and endpoints that there were when it was written:
# another process may have taken up a change of the tenants file some seconds before this one.
TAKEN_UP = timedelta(minutes=1)
# How many deliveries are listed at once.
MOST_LISTED = 1000

_OURSELVES = Caller(RequestFacts(request_id="webhooks", ip=""))


class EndpointGoneError(Exception):
    """The endpoint answered 410, or is no longer configured."""


async def send_event(tools: Tools, tenant: Tenant, message: OutboxMessage) -> None:
    """Send an event of the outbox to its endpoint, under the id of the message, and note how the endpoint does.

    Raises `OSError` when it has to be tried again, `EndpointGoneError` when it never can be.
    """
    url = _endpoint_of(tools, tenant, message).url
    async with _unit(tools, tenant) as uow:
        state = await uow.webhook_endpoints.find(url)
    if state is not None and state.gone_at is not None:
        raise EndpointGoneError("The endpoint answered 410 Gone before.")
    try:
        await post_event(tools, tenant, message)
    except OSError as error:
        async with _unit(tools, tenant) as uow:
            await uow.webhook_endpoints.note_failure(url)
            pause = pause_after(state.failed_probes if state is not None else 0)
            if isinstance(error, PostponedError):
                await uow.webhook_endpoints.postpone(url, uow.now + max(error.wait, pause))
            else:
                await uow.webhook_endpoints.pause(url, uow.now, uow.now + pause)
        raise
    if state is not None:
        async with _unit(tools, tenant) as uow:
            await uow.webhook_endpoints.forget(url)


async def post_event(tools: Tools, tenant: Tenant, message: OutboxMessage) -> None:
    """Post an event, whatever the state of its endpoint; raises as `send_event` does."""
    endpoint = _endpoint_of(tools, tenant, message)
    status = await tools.webhooks.send(_compose(tools, tenant, endpoint, message))
    if status == GONE:
        async with _unit(tools, tenant) as uow:
            await uow.webhook_endpoints.note_gone(endpoint.url, uow.now)
        raise EndpointGoneError("The endpoint answered 410 Gone.")
    if not 200 <= status < 300:
        raise OSError(f"The endpoint answered {status}.")


def _endpoint_of(tools: Tools, tenant: Tenant, message: OutboxMessage) -> WebhookEndpoint:
    endpoint = next((endpoint for endpoint in tenant.webhooks if endpoint.url == message.endpoint), None)
    if endpoint is None:
        if tools.clock.now() - message.created_at < TAKEN_UP:
            raise OSError("The endpoint is not configured.")
        raise EndpointGoneError("The endpoint is no longer configured.")
    return endpoint


def _compose(tools: Tools, tenant: Tenant, endpoint: WebhookEndpoint, message: OutboxMessage) -> Webhook:
    topic, data = message.topic, message.payload
    if message.kind == OutboxKind.MAIL:
        mail = compose_mail(tools, tenant, message)
        topic = Topic.MAIL_REQUESTED
        data = {"to": mail.recipient, "subject": mail.subject, "text": mail.text, "link": mail.link}
    body = {
        "type": topic,
        "timestamp": message.created_at.isoformat().replace("+00:00", "Z"),
        "data": data,
    }
    secrets = (endpoint.secret, endpoint.previous_secret)
    return Webhook(
        id=message.id,
        url=endpoint.url,
        body=orjson.dumps(body).decode(),
        secrets=tuple(secret.get_secret_value() for secret in secrets if secret is not None),
    )


async def claim_probe(tools: Tools, tenant: Tenant, state: WebhookEndpointState) -> OutboxMessage | None:
    """Return the message that may try a failing endpoint now; None if none waits, or another worker was faster.

    Its row stays as it is until it has arrived: what waits long is not rewritten all the time.
    """
    async with _unit(tools, tenant) as uow:
        only_tried = state.failures < FAILURES_BEFORE_PAUSE
        message = await uow.outbox.find_to_probe(state.url, uow.now, state.probed_id, only_tried=only_tried)
        if message is None:
            return None
        claimed = await uow.webhook_endpoints.claim_probe(state.url, uow.now, uow.now + PROBE_TIME, message.id)
        return message if claimed else None


async def note_failed_probe(tools: Tools, tenant: Tenant, url: str, wait: timedelta | None = None) -> None:
    """Pause an endpoint longer, whose probe has failed, and give up what has waited for days.

    `wait` is how long it has asked to be left alone.
    """
    async with _unit(tools, tenant) as uow:
        failed_probes = await uow.webhook_endpoints.note_failed_probe(url)
        pause = max(wait or timedelta(0), pause_after(failed_probes))
        await uow.webhook_endpoints.pause_after_probe(url, uow.now + pause)
        await uow.outbox.give_up_old(url, uow.now - LONGEST_WAIT, uow.now)


def pause_after(failed_probes: int) -> timedelta:
    """Return how long an endpoint is left alone after so many failed probes: 5, 10, 20 and then 30 seconds.

    However many messages have failed, so that it is soon served again that was away for an hour. After a day it is ten
    minutes.
    """
    if failed_probes >= PROBES_OF_A_DAY:
        return PAUSE_AFTER_A_DAY
    return min(FIRST_PAUSE * (1 << min(failed_probes, 20)), LONGEST_PAUSE)


async def resume(tools: Tools, tenant_id: str | None = None, url: str | None = None) -> int:
    """Let endpoints count as working again, and wake what waits for them; return how many messages that are.

    All endpoints, those of one tenant, or the one with this URL. Raises `ValueError` where there is none.
    """
    waiting = 0
    found = False
    for tenant in _tenants(tools, tenant_id):
        for endpoint in tenant.webhooks:
            if url in (None, endpoint.url):
                found = True
                async with _unit(tools, tenant) as uow:
                    await uow.webhook_endpoints.forget(endpoint.url)
                    waiting += await uow.outbox.wake(endpoint.url, uow.now)
    if url is not None and not found:
        raise ValueError(f"There is no webhook with the URL {url}.")
    return waiting


def _tenants(tools: Tools, tenant_id: str | None) -> Iterable[Tenant]:
    """Return one tenant or all of them; raises `ValueError` for an unknown one."""
    if tenant_id is None:
        return tools.tenants
    tenant = tools.tenants.find_tenant(tenant_id)
    if tenant is None:
        raise ValueError(f"There is no tenant '{tenant_id}'.")
    return [tenant]


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
    events: list[OutboxMessage] = []
    for each in _tenants(tools, tenant_id):
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
