"""The orders of a customer: only their reference."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow


class RecordedOrder(TenantRow, table=True):
    """An order of the order system. Its reference is the key, so that it counts once, however often it is recorded."""

    __tablename__ = "recorded_order"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
        Index("ix_recorded_order_customer", "tenant_id", "customer_id"),
    )

    reference: str = Field(primary_key=True, max_length=128)
    customer_id: str = Field(max_length=ID_LENGTH)
    placed_at: datetime
    recorded_at: datetime
