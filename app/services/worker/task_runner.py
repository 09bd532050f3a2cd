"""Runs the tasks that wait in the outbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.domain.tools import Tools
from app.models.outbox import OutboxMessage
from app.services.accounts.confirmations import mail_confirmation
from app.services.accounts.email_change import mail_email_change
from app.services.accounts.password_reset import mail_password_reset
from app.services.accounts.pending_signups import mail_signup
from app.services.outgoing.tasks import Task, TaskPayload, caller_of
from app.services.sessions.guessing import tell_of_login_attack
from app.services.sign_in.login_codes import mail_login_code
from app.services.sign_in.phone_codes import send_login_phone_code
from app.services.unit_of_work import UnitOfWork

_WORK: dict[Task, Callable[..., Awaitable[None]]] = {
    Task.MAIL_PASSWORD_RESET: mail_password_reset,
    Task.MAIL_SIGNUP: mail_signup,
    Task.MAIL_CONFIRMATION: mail_confirmation,
    Task.MAIL_EMAIL_CHANGE: mail_email_change,
    Task.MAIL_LOGIN_CODE: mail_login_code,
    Task.SEND_PHONE_CODE: send_login_phone_code,
    Task.TELL_OF_LOGIN_ATTACK: tell_of_login_attack,
}


async def run_task(tools: Tools, message: OutboxMessage) -> None:
    """Do a task that this worker has claimed: once, because the same transaction settles it."""
    payload = TaskPayload.of(message)
    address = tools.sealer.open(payload.address)
    async with UnitOfWork(tools, caller_of(message, payload)) as uow:
        if await uow.outbox_queue.settle(message, delivered_at=uow.now, payload={}, last_error=None):
            await _WORK[Task(message.topic)](uow, address, **payload.values)
