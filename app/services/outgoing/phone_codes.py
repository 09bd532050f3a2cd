"""Codes to a phone: written to the outbox in the transaction that made them, handed over by the worker."""

from __future__ import annotations

from datetime import datetime

from app.domain.ports import PhoneCode
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.models.outbox import OutboxKind, OutboxMessage
from app.services.unit_of_work import UnitOfWork

TOPIC = "phone_code"


async def send_phone_code(uow: UnitOfWork, customer_id: str, phone: str, code: str, expires_at: datetime) -> None:
    """Write one code to the outbox; number and code wait there sealed."""
    sealer = uow.tools.sealer
    message = OutboxMessage(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        kind=OutboxKind.PHONE_CODE.value,
        topic=TOPIC,
        customer_id=customer_id,
        payload={"address": sealer.seal(phone), "code": sealer.seal(code), "expires": expires_at.isoformat()},
        created_at=uow.now,
        due_at=uow.now,
    )
    await uow.outbox.add(message)


async def hand_over(tools: Tools, tenant: Tenant, message: OutboxMessage) -> bool:
    """Hand a code to the shop's service; False if it is over by now, or the shop has no such service any more.

    Raises `OSError` if the service does not take it.
    """
    left = datetime.fromisoformat(message.payload["expires"]) - tools.clock.now()
    if left.total_seconds() < 1 or tenant.phone_codes is None:
        return False
    code = PhoneCode(
        id=message.id,
        phone=tools.sealer.open(message.payload["address"]),
        code=tools.sealer.open(message.payload["code"]),
        expires_in=int(left.total_seconds()),
    )
    await tools.phone_codes.send(tenant.phone_codes, code)
    return True
