"""Work that is done after the answer, for the caller.

An operation that must not show whether an address is known writes one task, whatever the address is, and answers; the
worker looks the address up. So the time of the answer does not show whether the address is known.
"""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Any

from app.domain.audit import shorten_ip
from app.domain.principal import Principal, TokenKind
from app.domain.requests import RequestFacts
from app.models.outbox import OutboxKind, OutboxMessage
from app.services.caller import Caller
from app.services.unit_of_work import UnitOfWork


@unique
class Task(StrEnum):
    """What is to be done."""

    MAIL_PASSWORD_RESET = "mail_password_reset"  # noqa: S105 - a task, not a password
    MAIL_CONFIRMATION = "mail_confirmation"
    MAIL_EMAIL_CHANGE = "mail_email_change"


async def put_off(uow: UnitOfWork, task: Task, address: str, *, site: str | None = None, **values: Any) -> None:
    """Write a task about an address to the outbox; the address, maybe a stranger's, waits there sealed.

    `site` is where the links of its mails lead, when it is not the caller's own.
    """
    principal = uow.caller.require_principal()
    message = OutboxMessage(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        kind=OutboxKind.TASK.value,
        topic=task.value,
        customer_id=principal.customer_id,
        payload={
            "address": uow.tools.sealer.seal(address),
            "values": values,
            "kind": principal.kind.value,
            "client": principal.client_id,
            "session": principal.session_id,
            "site": site or principal.site,
            "request": uow.caller.facts.request_id,
            "ip": shorten_ip(uow.caller.facts.ip),
        },
        created_at=uow.now,
        due_at=uow.now,
    )
    await uow.outbox.add(message)


def caller_of(message: OutboxMessage) -> Caller:
    """Return who asked for the task, as much of them as was written down."""
    payload = message.payload
    principal = Principal(
        kind=TokenKind(payload["kind"]),
        tenant_id=message.tenant_id,
        client_id=payload["client"],
        expires_at=message.created_at,
        session_id=payload["session"],
        site=payload["site"],
        customer_id=message.customer_id,
    )
    return Caller(RequestFacts(request_id=payload["request"], ip=payload["ip"] or ""), principal)
