"""Mail and events that wait to be sent, written in the transaction that caused them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, json_field
from app.models.webhook_endpoints import URL_LENGTH


@unique
class OutboxKind(StrEnum):
    """How a message is delivered. A task is our own work that is done after the answer.

    A revocation is a token that we hand back to a provider of social login.
    """

    MAIL = "mail"
    EVENT = "event"
    TASK = "task"
    PHONE_CODE = "phone"
    REVOCATION = "revoke"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the events of one tenant are sent."""

    tenant_id: str
    url: str


class OutboxMessage(TenantRow, table=True):
    """One message.

    Each attempt moves `due_at`, and a worker that takes the message moves it to the end of the lease and clears
    `last_error`: only what waits after a failure has one. `id` never changes. `customer_id` says whose personal data
    are in the payload, so that the erasure finds it. `endpoint` is where an event is sent.
    """

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index(
            "ix_outbox_due",
            "due_at",
            sqlite_where=text("delivered_at IS NULL AND dead_at IS NULL"),
            postgresql_where=text("delivered_at IS NULL AND dead_at IS NULL"),
        ),
        Index("ix_outbox_customer", "tenant_id", "customer_id"),
        Index("ix_outbox_delivered", "delivered_at"),
        Index(
            "ix_outbox_dead",
            "tenant_id",
            "dead_at",
            sqlite_where=text("dead_at IS NOT NULL"),
            postgresql_where=text("dead_at IS NOT NULL"),
        ),
        Index(
            "ix_outbox_endpoint",
            "tenant_id",
            "endpoint",
            "due_at",
            sqlite_where=text("endpoint IS NOT NULL AND delivered_at IS NULL AND dead_at IS NULL"),
            postgresql_where=text("endpoint IS NOT NULL AND delivered_at IS NULL AND dead_at IS NULL"),
        ),
        # In the order of their age, in which they are sent: thousands may wait for one endpoint.
        Index(
            "ix_outbox_endpoint_age",
            "tenant_id",
            "endpoint",
            "id",
            sqlite_where=text("endpoint IS NOT NULL AND delivered_at IS NULL AND dead_at IS NULL"),
            postgresql_where=text("endpoint IS NOT NULL AND delivered_at IS NULL AND dead_at IS NULL"),
        ),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    kind: str = Field(max_length=8)
    topic: str = Field(max_length=64)
    customer_id: str | None = Field(default=None, max_length=ID_LENGTH)
    endpoint: str | None = Field(default=None, max_length=URL_LENGTH)
    payload: dict[str, Any] = json_field(dict)
    created_at: datetime
    due_at: datetime
    attempts: int = 0
    delivered_at: datetime | None = None
    dead_at: datetime | None = None
    last_error: str | None = Field(default=None, max_length=500)
