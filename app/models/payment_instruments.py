"""Payment instruments of a customer, as the payment provider has stored them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, origin_field


class PaymentInstrument(TenantRow, table=True):
    """One payment instrument, never a card number. The partial unique index allows a customer at most one default.

    `token`, `brand`, `last4`, `expiry_month`, `expiry_year` and `holder_name` are personal.
    """

    __tablename__ = "payment_instrument"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
        Index("ix_payment_instrument_customer", "tenant_id", "customer_id"),
        Index(
            "uq_payment_instrument_default",
            "tenant_id",
            "customer_id",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    token: str = Field(max_length=255)
    brand: str = Field(max_length=50)
    last4: str | None = Field(default=None, max_length=4)
    expiry_month: int | None = None
    expiry_year: int | None = None
    holder_name: str | None = Field(default=None, max_length=200)
    is_default: bool = False
    origin: str | None = origin_field()
    created_at: datetime
    updated_at: datetime
