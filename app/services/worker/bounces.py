"""Settles messages: what became of each, which mails the shop is told of, and which addresses mail servers refuse."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.emails import parse_email
from app.domain.errors import Refused
from app.domain.ports import MailRefusedError
from app.domain.topics import Topic
from app.models.outbox import OutboxKind, OutboxMessage
from app.services.outgoing.events import emit
from app.services.outgoing.mails import FAREWELL
from app.services.unit_of_work import UnitOfWork


async def settle(
    uow: UnitOfWork, message: OutboxMessage, outcome: Mapping[str, object], error: Exception | None = None
) -> None:
    """Write what came of a message, unless another worker has got it in the meantime."""
    is_over = "delivered_at" in outcome or "dead_at" in outcome
    if message.topic == FAREWELL and is_over:
        # The mail cannot be sent any more, and nothing about an erased customer may stay.
        settled = await uow.outbox_queue.remove(message)
    else:
        # A delivered message is no longer needed here, nor is the token in it; but an event can be sent again.
        is_empty = "delivered_at" in outcome and message.kind != OutboxKind.EVENT
        settled = await uow.outbox_queue.settle(message, **outcome, **({"payload": {}} if is_empty else {}))
    if settled and is_over and message.kind == OutboxKind.MAIL:
        await _note_mail(uow, message, error)


async def _note_mail(uow: UnitOfWork, message: OutboxMessage, error: Exception | None) -> None:
    """Note that a mail has left, or that it was given up for this error; in the transaction that settles it."""
    tenant = uow.tools.tenants.find_tenant(message.tenant_id)
    if tenant is None:
        return
    uow.enter(tenant)
    refused = error if isinstance(error, MailRefusedError) else None
    email_key = _key(message)
    if message.customer_id is not None and email_key is not None:
        if error is None:
            await uow.credentials.forget_bounce(message.customer_id, email_key)
        elif refused is not None and refused.bounced:
            await uow.credentials.note_bounce(message.customer_id, email_key, uow.now)
    if error is not None:
        code = refused.code if refused is not None else None
        await emit(uow, Topic.MAIL_FAILED, message.customer_id, template=message.topic, code=code)


def _key(message: OutboxMessage) -> str | None:
    """Return the address of the mail as it is compared; None where it is sealed, for nobody has it any more."""
    try:
        return parse_email(message.payload.get("recipient")).key
    except Refused:
        return None
