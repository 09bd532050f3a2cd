"""Work that is done after the answer, for the caller.

An operation that must not show whether an address is known writes one task, whatever the address is, and answers; the
worker looks the address up. So the time of the answer does not show whether the address is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum, unique

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
    MAIL_LOGIN_CODE = "mail_login_code"
    SEND_PHONE_CODE = "send_phone_code"
    TELL_OF_LOGIN_ATTACK = "tell_of_login_attack"


# What a task may be told beside the address: what JSON keeps as it is.
TaskValue = str | int | bool | None


@dataclass(frozen=True, slots=True, repr=False)
class TaskPayload:
    """What the outbox holds of a task: about which address, and as much of the caller as the task acts for.

    `address` is sealed. `values` are the further arguments of the work; `kind`, `client`, `session` and `site` are the
    caller's, `request` is the id of the call, `ip` is shortened, and
    `first` is `RequestFacts.is_first_of_day`.
    """

    address: str
    values: Mapping[str, TaskValue]
    kind: str
    client: str
    session: str | None
    site: str | None
    request: str
    ip: str | None
    # Tasks of before do not say.
    first: bool = False

    @classmethod
    def of(cls, message: OutboxMessage) -> TaskPayload:
        """Return the payload of a task's message; raises `TypeError` where it is none."""
        return cls(**message.payload)


async def put_off(
    uow: UnitOfWork,
    task: Task,
    address: str,
    *,
    site: str | None = None,
    is_first_of_day: bool = False,
    **values: TaskValue,
) -> None:
    """Write a task about an address to the outbox; the address, maybe a stranger's, waits there sealed.

    `site` is where the links of its mails lead, when it is not the caller's own. `is_first_of_day` as in
    `RequestFacts`; `values` are further arguments of the work.
    """
    principal = uow.caller.require_principal()
    payload = TaskPayload(
        address=uow.tools.sealer.seal(address),
        values=values,
        kind=principal.kind.value,
        client=principal.client_id,
        session=principal.session_id,
        site=site or principal.site,
        request=uow.caller.facts.request_id,
        ip=shorten_ip(uow.caller.facts.ip),
        first=is_first_of_day,
    )
    message = OutboxMessage(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        kind=OutboxKind.TASK.value,
        topic=task.value,
        customer_id=principal.customer_id,
        payload=asdict(payload),
        created_at=uow.now,
        due_at=uow.now,
    )
    await uow.outbox.add(message)


def caller_of(message: OutboxMessage, payload: TaskPayload) -> Caller:
    """Return who asked for the task, as much of them as was written down."""
    principal = Principal(
        kind=TokenKind(payload.kind),
        tenant_id=message.tenant_id,
        client_id=payload.client,
        expires_at=message.created_at,
        session_id=payload.session,
        site=payload.site,
        customer_id=message.customer_id,
    )
    facts = RequestFacts(request_id=payload.request, ip=payload.ip or "", is_first_of_day=payload.first)
    return Caller(facts, principal)
