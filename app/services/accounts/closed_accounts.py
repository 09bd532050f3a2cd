"""Opens accounts again that were closed for their erasure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeGuard

from app.domain.anonymizations import AnonymizationStatus, is_closed
from app.domain.audit import AuditAction
from app.domain.topics import Topic
from app.models.anonymizations import Anonymization
from app.models.customers import Customer
from app.models.one_time_tokens import Purpose
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_mail
from app.services.outgoing.one_time_tokens import issue_one_time_token
from app.services.unit_of_work import UnitOfWork

# The type of the requester if it is the customer.
CUSTOMER_TYPE = "Customer"


async def open_again(uow: UnitOfWork, canceled: Anonymization, *, recipient: str | None = None) -> None:
    """Let the customer of a canceled request, who is locked, come in again, and tell them by mail.

    `recipient` is the address that has just been proved, where it is not the customer's in the database yet.
    """
    customer_id = canceled.customer_id
    await uow.customers.set_anonymization_status(customer_id, AnonymizationStatus.CANCELED)
    await uow.one_time_tokens.revoke(customer_id, uow.now, Purpose.CANCEL_ANONYMIZATION)
    await _mail_canceled(uow, customer_id, canceled, recipient)
    await record(uow, AuditAction.ANONYMIZATION_CANCELED, customer_id)
    await emit(uow, Topic.CUSTOMER_ANONYMIZATION_CANCELED, customer_id)


async def cancel_doubted_request(
    uow: UnitOfWork, customer_id: str, since: datetime | None = None, *, recipient: str
) -> bool:
    """Cancel what was asked for from inside the account, since then or ever; its owner, locked, has proved to be back.

    False where that changes nothing: the shop asked, or the customer before, or the erasure has begun; or nobody asked.
    """
    latest = await uow.anonymizations.find_latest(customer_id)
    if not _waits_for_customer(latest) or (since is not None and latest.requested_at < since):
        return False
    if not await uow.anonymizations.cancel(latest.id, uow.now):
        return False
    await open_again(uow, latest, recipient=recipient)
    return True


def _waits_for_customer(latest: Anonymization | None) -> TypeGuard[Anonymization]:
    """Tell whether the customer's side asked for an erasure that has not begun."""
    return (
        latest is not None
        and latest.requester_type == CUSTOMER_TYPE
        and latest.status == AnonymizationStatus.REQUESTED.value
    )


async def lock_for_proof(uow: UnitOfWork, customer_id: str) -> Customer | None:
    """Return the customer, locked, unless the account is closed and stays so whoever proves its address.

    Of an account that nobody has proved to be theirs, who asked for the erasure may be anybody: the proof cancels it.
    """
    customer = await uow.customers.lock_even_if_closed(customer_id)
    if customer is None or customer.merged_into is not None:
        return None
    if not is_closed(customer.anonymization_status):
        return customer
    credential = await uow.credentials.find(customer_id)
    if credential is None or credential.email_verified_at is not None:
        return None
    return customer if _waits_for_customer(await uow.anonymizations.find_latest(customer_id)) else None


async def tell_of_erasure(uow: UnitOfWork, customer_id: str) -> None:
    """Mail who asks for the password of a closed account how to keep it, if it is the customer's side that closed it.

    The link works as long as the erasure has not begun; the one that was mailed before does not any more.
    """
    customer = await uow.customers.lock_even_if_closed(customer_id)
    credential = await uow.credentials.find(customer_id)
    latest = await uow.anonymizations.find_latest(customer_id)
    if customer is None or credential is None or credential.email is None or not _waits_for_customer(latest):
        return
    left = latest.due_at - uow.now
    if left < timedelta(seconds=1):
        return
    token = await issue_one_time_token(
        uow, Purpose.CANCEL_ANONYMIZATION, customer_id, credential.email, credential.version, left
    )
    await send_mail(
        uow,
        "anonymization_pending",
        customer_id,
        credential.email,
        language=customer.preferred_language,
        token=token,
        seconds_left=str(int(left.total_seconds())),
    )


async def _mail_canceled(uow: UnitOfWork, customer_id: str, canceled: Anonymization, recipient: str | None) -> None:
    """Tell all who were told of the request."""
    customer = await uow.customers.find(customer_id)
    to = recipient or (customer.email if customer is not None else None)
    asked_themself = canceled.requester_type == CUSTOMER_TYPE
    if customer is None or to is None or not (asked_themself or uow.tenant.security_mails):
        return
    await send_mail(uow, "anonymization_canceled", customer_id, to, language=customer.preferred_language)
