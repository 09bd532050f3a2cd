"""What became of a mail: tells the shop of one that was given up, and notes addresses that a mail server refuses."""

from __future__ import annotations

from app.domain.emails import parse_email
from app.domain.errors import Refused
from app.domain.ports import MailRefusedError
from app.domain.topics import Topic
from app.models.outbox import OutboxMessage
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork


async def note_mail(uow: UnitOfWork, message: OutboxMessage, error: Exception | None) -> None:
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
