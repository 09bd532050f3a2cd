"""The outbox for operators: what waits, what was given up, and how to try that again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.requests import RequestFacts
from app.domain.tools import Tools
from app.models.outbox import OutboxMessage
from app.services.caller import Caller
from app.services.outgoing.mail_server import resume_mail
from app.services.outgoing.webhooks import resume
from app.services.unit_of_work import UnitOfWork

MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How many messages wait, how many of those have failed before, how many are dead; and the latest dead ones."""

    waiting: int
    failing: int
    dead: int
    dead_messages: Sequence[OutboxMessage]


async def outbox_state(tools: Tools) -> OutboxState:
    """Return what the outbox holds, with up to 100 dead messages."""
    async with _open(tools) as uow:
        waiting, failing, dead = await uow.outbox_queue.count()
        return OutboxState(waiting, failing, dead, await uow.outbox_queue.list_dead(MOST_LISTED))


async def waiting_messages(tools: Tools) -> Sequence[OutboxMessage]:
    """Return up to 100 messages that wait, the one that is due first at the top."""
    async with _open(tools) as uow:
        return await uow.outbox_queue.list_waiting(MOST_LISTED)


async def retry(tools: Tools, message_id: str | None = None) -> int:
    """Wake one message, or all: what was given up is tried from the start, what waits after a failure at once.

    Return how many. Endpoints that fail are tried at once, too.
    """
    async with _open(tools) as uow:
        woken = await uow.outbox_queue.revive(uow.now, message_id)
    await resume_mail(tools)
    if message_id is None:
        await resume(tools)
    return woken


def _open(tools: Tools) -> UnitOfWork:
    return UnitOfWork(tools, Caller(RequestFacts(request_id="operator", ip="")))
