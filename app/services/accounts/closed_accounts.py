"""Opens accounts again that were closed for their erasure."""

from __future__ import annotations

from datetime import datetime

from app.domain.anonymizations import AnonymizationStatus
from app.domain.audit import AuditAction
from app.domain.topics import Topic
from app.models.anonymizations import Anonymization
from app.models.one_time_tokens import Purpose
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_mail
from app.services.unit_of_work import UnitOfWork

# The type of the requester if it is the customer.
CUSTOMER_TYPE = "Customer"


async def open_again(uow: UnitOfWork, canceled: Anonymization) -> None:
    """Open the account of a canceled request again, and tell the customer by mail. Lock the customer first."""
    customer_id = canceled.customer_id
    await uow.customers.set_anonymization_status(customer_id, AnonymizationStatus.CANCELED)
    await uow.one_time_tokens.revoke(customer_id, uow.now, Purpose.CANCEL_ANONYMIZATION)
    await _mail_canceled(uow, customer_id, canceled)
    await record(uow, AuditAction.ANONYMIZATION_CANCELED, customer_id)
    await emit(uow, Topic.CUSTOMER_ANONYMIZATION_CANCELED, customer_id)


async def cancel_doubted_request(uow: UnitOfWork, customer_id: str, since: datetime) -> bool:
    """Cancel a request that was made from inside the account since then.

    Call it with the customer locked, after a proof of ownership. False if the account stays closed: the shop made the
    request, or it was made before, or the erasure has begun.
    """
    latest = await uow.anonymizations.find_latest(customer_id)
    if latest is None or latest.requester_type != CUSTOMER_TYPE or latest.requested_at < since:
        return False
    if not await uow.anonymizations.cancel(latest.id, uow.now):
        return False
    await open_again(uow, latest)
    return True


async def _mail_canceled(uow: UnitOfWork, customer_id: str, canceled: Anonymization) -> None:
    """Tell all who were told of the request."""
    customer = await uow.customers.find(customer_id)
    asked_themself = canceled.requester_type == CUSTOMER_TYPE
    if customer is None or customer.email is None or not (asked_themself or uow.tenant.security_mails):
        return
    language = customer.preferred_language
    await send_mail(uow, "anonymization_canceled", customer_id, customer.email, language=language)
