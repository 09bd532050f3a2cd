"""Delivers what waits in the outbox: claimed with a lease, tried again with growing delays, at last set aside."""

from __future__ import annotations

import logging
from datetime import timedelta

from app.domain.ports import MailMessage
from app.domain.requests import RequestFacts
from app.domain.tenants import Site, Tenant
from app.domain.tools import Tools
from app.models.outbox import OutboxKind, OutboxMessage
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork

# How long one worker may take for a batch before another one may take it over.
LEASE = timedelta(seconds=120)
BATCH = 20
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)
MOST_ATTEMPTS = 24

logger = logging.getLogger(__name__)


class UndeliverableError(Exception):
    """The message can never be delivered: its tenant or its kind is gone."""


async def deliver_due(tools: Tools) -> int:
    """Deliver a batch of what is due and return how many messages were tried."""
    caller = Caller(RequestFacts(request_id="worker", ip=""))
    async with UnitOfWork(tools, caller) as uow:
        if not await uow.outbox_queue.has_due(uow.now):
            return 0
        messages = await uow.outbox_queue.claim(uow.now, uow.now + LEASE, BATCH)
    for message in messages:
        outcome = await _try(tools, message)
        async with UnitOfWork(tools, caller) as uow:
            await uow.outbox_queue.settle(message, **outcome)
    return len(messages)


async def _try(tools: Tools, message: OutboxMessage) -> dict[str, object]:
    """Deliver one message and return the columns that say what came of it."""
    try:
        await _deliver(tools, message)
    except (OSError, UndeliverableError) as error:
        now = tools.clock.now()
        logger.warning("not delivered", extra={"message_id": message.id, "topic": message.topic, "error": str(error)})
        outcome: dict[str, object] = {"last_error": str(error)[:500]}
        if isinstance(error, UndeliverableError) or message.attempts >= MOST_ATTEMPTS:
            return {**outcome, "dead_at": now}
        return {**outcome, "due_at": now + delay_after(message.attempts)}
    # What was delivered is no longer needed here, least of all the token in it.
    return {"delivered_at": tools.clock.now(), "payload": {}, "last_error": None}


def delay_after(attempts: int) -> timedelta:
    """Return how long to wait after so many failed attempts: 5 s, 10 s, 20 s … up to an hour."""
    return min(FIRST_DELAY * (1 << min(attempts - 1, 20)), LONGEST_DELAY)


async def _deliver(tools: Tools, message: OutboxMessage) -> None:
    tenant = tools.tenants.find_tenant(message.tenant_id)
    if tenant is None:
        raise UndeliverableError("The tenant is no longer configured.")
    if message.kind != OutboxKind.MAIL:
        raise UndeliverableError(f"There is no way to deliver '{message.kind}'.")
    await tools.mailer.send(_compose(tools, tenant, message))


def _compose(tools: Tools, tenant: Tenant, message: OutboxMessage) -> MailMessage:
    payload = message.payload
    site = tenant.find_site(payload["site"]) or tenant.default_site
    token = tools.sealer.open(payload["token"]) if payload["token"] else None
    link = site.link(_path(site, message.topic), token) if token else None
    values = {"shop": tenant.name, "link": link, "hours": tenant.signup_token_seconds // 3600}
    mail = tools.mail_texts.render(message.topic, payload["language"], values)
    return MailMessage(
        message_id=f"<{message.id}@{_host(tools.public_url)}>",
        recipient=payload["recipient"],
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        link=link,
    )


def _path(site: Site, template: str) -> str:
    return {"confirm_signup": site.confirm_path}[template]


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].partition(":")[0]
