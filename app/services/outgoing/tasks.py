"""Work that is done after the answer, in the name of who asked for it.

An operation that must not show whether an address is known writes one task, whatever the address is, and answers; the
worker looks the address up. So known and unknown cannot be told apart by the time that the answer takes.
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
    MAIL_SIGNUP = "mail_signup"
    MAIL_CONFIRMATION = "mail_confirmation"
    MAIL_EMAIL_CHANGE = "mail_email_change"
    TELL_OF_LOGIN_ATTACK = "tell_of_login_attack"


async def put_off(
    uow: UnitOfWork,
    task: Task,
    address: str,
    *,
    site: str | None = None,
    is_first_of_day: bool = False,
    **values: Any,
) -> None:
    """Write a task about an address to the outbox; the address, maybe a stranger's, waits there sealed.

    `site` is where the links of its mails lead, when it is not the caller's own; `is_first_of_day` as in
    `RequestFacts`.
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
            "first": is_first_of_day,
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
    facts = RequestFacts(
        request_id=payload["request"],
        ip=payload["ip"] or "",
        # Tasks of before do not say.
        is_first_of_day=payload.get("first", False),
    )
    return Caller(facts, principal)
