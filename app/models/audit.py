"""The audit: what was done to an account, and by whom. It is written once, never changed, and goes when it is old."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, json_field


class AuditEvent(TenantRow, table=True):
    """One line of the audit. The database refuses every change of it but two: removing `ip`, and deleting an old line.

    No line goes in its first 27 days, whoever asks: a day less than the shortest month, which is the least that a shop
    may keep its audit (`audit_retention_months`), so that the clocks of the database and of the worker may differ.
    `ip` is shortened to its network. Nothing else here is personal, so the line stays when the customer's data are
    erased. `actor_id` is the customer, the client or the member of staff, as `actor_kind` says; `customer_id` whom it
    was about.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_customer", "tenant_id", "customer_id", "occurred_at"),
        Index("ix_audit_event_session", "tenant_id", "session_id"),
        Index("ix_audit_event_occurred", "tenant_id", "occurred_at"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    occurred_at: datetime
    action: str = Field(max_length=64)
    outcome: str = Field(max_length=16)
    actor_kind: str | None = Field(default=None, max_length=16)
    actor_id: str | None = Field(default=None, max_length=128)
    customer_id: str | None = Field(default=None, max_length=ID_LENGTH)
    session_id: str | None = Field(default=None, max_length=ID_LENGTH)
    ip: str | None = Field(default=None, max_length=64)
    request_id: str = Field(max_length=64)
    detail: dict[str, Any] = json_field(dict)
