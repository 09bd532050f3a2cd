"""Probes: one message at a time tries a failing endpoint, and when it arrives, the others may follow."""

from __future__ import annotations

import asyncio
import logging

from app.domain.errors import BusyError
from app.domain.ports import PostponedError
from app.domain.tools import Tools
from app.models.outbox import Endpoint, OutboxKind, OutboxMessage
from app.models.webhook_endpoints import WebhookEndpointState
from app.services.outgoing.webhooks import (
    LONGEST_WAIT,
    EndpointGoneError,
    claim_probe,
    note_failed_probe,
    post_event,
)
from app.services.worker.bounces import settle
from app.services.worker_unit import open_for_worker

logger = logging.getLogger(__name__)


async def probe_due(tools: Tools, endpoint: Endpoint | None, seconds: float) -> int:
    """Try the failing endpoints whose pause is over, or this one, with a message each; return how many were tried.

    `seconds` is what one delivery may take.
    """
    async with open_for_worker(tools) as uow:
        states = await uow.outbox_queue.endpoints_to_probe(uow.now, endpoint)
    return sum([await _probe(tools, state, seconds) for state in states])


async def _probe(tools: Tools, state: WebhookEndpointState, seconds: float) -> int:
    tenant = tools.tenants.find_tenant(state.tenant_id)
    message = await claim_probe(tools, tenant, state) if tenant is not None else None
    if tenant is None or message is None:
        return 0
    try:
        async with asyncio.timeout(seconds):
            await post_event(tools, tenant, message)
    except EndpointGoneError as error:
        async with open_for_worker(tools) as uow:
            await settle(uow, message, {"dead_at": uow.now, "last_error": str(error)}, error)
    except Exception as error:
        _tell(message, error)
        wait = error.wait if isinstance(error, PostponedError) else None
        await note_failed_probe(tools, tenant, state.url, wait)
        if message.kind == OutboxKind.MAIL:
            await _give_up_if_old(tools, message, error)
    else:
        async with open_for_worker(tools) as uow:
            uow.enter(tenant)
            outcome = {"delivered_at": uow.now, "attempts": message.attempts + 1, "last_error": None}
            await settle(uow, message, outcome)
            await uow.webhook_endpoints.forget(state.url)
    return 1


async def _give_up_if_old(tools: Tools, message: OutboxMessage, error: Exception) -> None:
    """Give a mail up for which the shop's own mailer has not worked for days, as events are."""
    async with open_for_worker(tools) as uow:
        if message.created_at < uow.now - LONGEST_WAIT:
            await settle(uow, message, {"dead_at": uow.now, "last_error": str(error)[:500]}, error)


def _tell(message: OutboxMessage, error: Exception) -> None:
    facts = {"message_id": message.id, "topic": message.topic, "attempts": message.attempts}
    if isinstance(error, OSError | BusyError):
        logger.warning("not delivered", extra={**facts, "error": str(error) or type(error).__name__})
    else:
        logger.error("not delivered", exc_info=error, extra=facts)
