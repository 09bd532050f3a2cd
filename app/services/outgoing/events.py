"""Events for other systems, written to the outbox in the transaction that caused them."""

from __future__ import annotations

from typing import Any

from app.domain.topics import Topic
from app.models.outbox import OutboxKind, OutboxMessage
from app.services.unit_of_work import UnitOfWork


async def emit(uow: UnitOfWork, topic: Topic, customer_id: str | None, **data: Any) -> None:
    """Write one message for each endpoint of the tenant that asked for this topic; the data holds no personal field."""
    uow.about = uow.about or customer_id
    for endpoint in uow.tenant.webhooks:
        if endpoint.wants(topic):
            message = OutboxMessage(
                tenant_id=uow.tenant.id,
                id=uow.tools.random.new_id(),
                kind=OutboxKind.EVENT.value,
                topic=topic.value,
                customer_id=customer_id,
                endpoint=endpoint.url,
                payload={"customerId": customer_id, **data},
                created_at=uow.now,
                due_at=uow.now,
            )
            await uow.outbox.add(message)
