"""Requests to anonymize customers, and how far each has come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow

_NOT_CANCELED = text("status <> 'CANCELED'")


class Anonymization(TenantRow, table=True):
    """One request. The partial unique index allows a customer at most one that is not canceled.

    `due_at` is the end of the delay. `next_attempt_at` is when a worker may take it: a worker that takes it moves it to
    the end of the lease, and each failure moves it on. `last_error` is the name of an error, never its message.
    """

    __tablename__ = "anonymization"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
        Index("ix_anonymization_customer", "tenant_id", "customer_id", "id"),
        Index(
            "uq_anonymization_customer",
            "tenant_id",
            "customer_id",
            unique=True,
            sqlite_where=_NOT_CANCELED,
            postgresql_where=_NOT_CANCELED,
        ),
        Index("ix_anonymization_due", "status", "next_attempt_at"),
        Index(
            "ix_anonymization_canceled",
            "canceled_at",
            sqlite_where=text("canceled_at IS NOT NULL"),
            postgresql_where=text("canceled_at IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    status: str = Field(max_length=16)
    requester_type: str = Field(max_length=16)
    requester_id: str = Field(max_length=128)
    requested_at: datetime
    due_at: datetime
    next_attempt_at: datetime
    attempts: int = 0
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    failed_at: datetime | None = None
    last_error: str | None = Field(default=None, max_length=100)
