"""Postal addresses of a customer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from app.models.base import ID_LENGTH, EmptyIfNone, TenantRow, json_field, origin_field


class Address(TenantRow, table=True):
    """One address. The partial unique index allows a customer at most one default."""

    __tablename__ = "address"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
        Index("ix_address_customer", "tenant_id", "customer_id"),
        Index(
            "uq_address_default",
            "tenant_id",
            "customer_id",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    contact_name: str = Field(max_length=200)
    company_name: str | None = Field(default=None, max_length=200)
    street: str = Field(max_length=200)
    street_number: str | None = Field(default=None, max_length=50)
    street_appendix: str | None = Field(default=None, max_length=100)
    extra_line1: str | None = Field(default=None, max_length=200)
    extra_line2: str | None = Field(default=None, max_length=200)
    extra_line3: str | None = Field(default=None, max_length=200)
    extra_line4: str | None = Field(default=None, max_length=200)
    zip_code: str | None = Field(default=None, max_length=20)
    city: str | None = Field(default=None, sa_type=EmptyIfNone(100), nullable=False)
    state: str | None = Field(default=None, max_length=100)
    country: str = Field(max_length=2)
    contact_phone: str | None = Field(default=None, max_length=32)
    tags: list[str] = json_field(list)
    is_default: bool = False
    origin: str | None = origin_field()
    created_at: datetime
    updated_at: datetime
