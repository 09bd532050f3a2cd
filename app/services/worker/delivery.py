"""Delivers the outbox: claims messages with a lease, tries again with growing delays, and in the end gives up."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from app.domain.errors import BusyError
from app.domain.ports import MailLineError, MailRefusedError, PostponedError
from app.domain.tools import Tools
from app.models.outbox import Endpoint, OutboxKind, OutboxMessage
from app.services.outgoing.mail_contents import compose_mail
from app.services.outgoing.mail_server import claim_mail_probe, resume_mail, stop_mail
from app.services.outgoing.phone_codes import hand_over
from app.services.outgoing.social_tokens import hand_back
from app.services.outgoing.webhooks import TAKEN_UP, EndpointGoneError, send_event
from app.services.repetition import repeating
from app.services.worker.bounces import settle
from app.services.worker.probes import probe_due
from app.services.worker.task_runner import run_task
from app.services.worker_unit import open_for_worker

# How many messages one worker claims and delivers at once.
BATCH = 10
# Seconds that one delivery may take in all. The lease is longer, so that no other worker takes a running delivery.
DELIVERY_SECONDS = 30
LEASE = timedelta(seconds=120)
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)
MOST_ATTEMPTS = 24

logger = logging.getLogger(__name__)


class UndeliverableError(Exception):
    """The message can never be delivered: its tenant or its kind is gone."""


async def deliver_due(
    tools: Tools, kind: OutboxKind | None = None, endpoint: Endpoint | None = None, *, at_most: int = BATCH
) -> int:
    """Deliver a batch of what is due, of one kind or for one endpoint or all, and return how many were tried.

    What goes to an endpoint has no kind of its own. A failing endpoint is tried with a single message first.
    The messages of a batch are delivered at once; `at_most=1` delivers in the order in which they were written.
    """
    probed = await probe_due(tools, endpoint, DELIVERY_SECONDS) if kind is None else 0
    async with open_for_worker(tools) as uow:
        messages = await uow.outbox_queue.claim(uow.now, uow.now + LEASE, at_most, kind, endpoint)
    if not messages:
        is_for_mail = endpoint is None and kind in (None, OutboxKind.MAIL)
        return probed + (await _try_mail_server(tools) if is_for_mail else 0)
    deliveries = []
    for message in messages:
        deliveries.append(asyncio.create_task(_handle(tools, message)))
        # Rendering a mail takes milliseconds of the event loop, so requests are served between two mails.
        await asyncio.sleep(0)
    failures = await asyncio.gather(*deliveries, return_exceptions=True)
    for failure in filter(None, failures):
        raise failure
    return probed + len(messages)


async def _try_mail_server(tools: Tools) -> int:
    """Try a mail server that did not let us in with one mail, if it is time; return how many mails were tried."""
    async with open_for_worker(tools) as uow:
        if not await uow.outbox_queue.has_due(uow.now, OutboxKind.MAIL, though_stopped=True):
            return 0
    if not await claim_mail_probe(tools):
        return 0
    async with open_for_worker(tools) as uow:
        messages = await uow.outbox_queue.claim(uow.now, uow.now + LEASE, 1, OutboxKind.MAIL, though_stopped=True)
    for message in messages:
        await _handle(tools, message, is_probe=True)
    return len(messages)


async def _handle(tools: Tools, message: OutboxMessage, *, is_probe: bool = False) -> None:
    outcome, error = await _try(tools, message)
    if isinstance(error, MailLineError):
        await stop_mail(tools, str(error), is_probe=is_probe)
    elif is_probe and (error is None or isinstance(error, MailRefusedError)):
        await resume_mail(tools)

    async def write_down() -> None:
        async with open_for_worker(tools) as uow:
            await settle(uow, message, outcome, error)

    await repeating(tools, write_down)


async def _try(tools: Tools, message: OutboxMessage) -> tuple[dict[str, object], Exception | None]:
    """Deliver one message and return the columns that say what came of it, and what went wrong."""
    try:
        if message.attempts > MOST_ATTEMPTS:
            raise UndeliverableError("The worker ended each time it delivered this message.")
        async with asyncio.timeout(DELIVERY_SECONDS):
            await _deliver(tools, message)
    except MailLineError as error:
        # It was not this mail that was refused: it goes on when the server lets us in, and this was no attempt.
        return {"due_at": tools.clock.now(), "attempts": message.attempts - 1, "last_error": str(error)[:500]}, error
    except Exception as error:
        return _failure(tools, message, error), error
    return {"delivered_at": tools.clock.now(), "last_error": None}, None


def _failure(tools: Tools, message: OutboxMessage, error: Exception) -> dict[str, object]:
    facts = {"message_id": message.id, "topic": message.topic, "attempts": message.attempts}
    if isinstance(error, OSError | UndeliverableError | EndpointGoneError | BusyError):
        reason = str(error) or type(error).__name__
        logger.warning("not delivered", extra={**facts, "error": reason})
    else:
        # A fault of ours. Its text may have parts of the message, so only its name is stored with the message.
        reason = type(error).__name__
        logger.error("not delivered", exc_info=error, extra=facts)
    now = tools.clock.now()
    outcome: dict[str, object] = {"last_error": reason[:500]}
    is_final = isinstance(error, UndeliverableError | EndpointGoneError | MailRefusedError)
    if is_final or message.attempts >= MOST_ATTEMPTS:
        return {**outcome, "dead_at": now}
    wait = error.wait if isinstance(error, PostponedError) else timedelta(0)
    return {**outcome, "due_at": now + max(wait, delay_after(message.attempts))}


def delay_after(attempts: int) -> timedelta:
    """Return how long to wait after so many failed attempts: 5 s, 10 s, 20 s … up to an hour."""
    return min(FIRST_DELAY * (1 << min(attempts - 1, 20)), LONGEST_DELAY)


async def _deliver(tools: Tools, message: OutboxMessage) -> None:
    tenant = tools.tenants.find_tenant(message.tenant_id)
    if tenant is None:
        if tools.clock.now() - message.created_at < TAKEN_UP:
            raise OSError("The tenant is not configured.")
        raise UndeliverableError("The tenant is no longer configured.")
    if message.endpoint is not None:
        await send_event(tools, tenant, message)
        return
    if message.kind == OutboxKind.TASK:
        await repeating(tools, lambda: run_task(tools, message))
        return
    if message.kind == OutboxKind.PHONE_CODE:
        if not await hand_over(tools, tenant, message):
            raise UndeliverableError("The code is over, or the shop sends no codes to phones.")
        return
    if message.kind == OutboxKind.REVOCATION:
        if not await hand_back(tools, tenant, message):
            raise UndeliverableError("The shop has left the provider, or the key that has sealed the token.")
        return
    if message.kind != OutboxKind.MAIL:
        raise UndeliverableError(f"There is no way to deliver '{message.kind}'.")
    await tools.mailer.send(compose_mail(tools, tenant, message))
