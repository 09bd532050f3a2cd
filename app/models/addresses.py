"""Postal addresses of a customer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum, unique

from sqlalchemy import ForeignKeyConstraint, Index, false, text
from sqlmodel import Field

from app.models.base import ID_LENGTH, EmptyIfNone, TenantRow, json_field, origin_field


@unique
class AddressPurpose(StrEnum):
    """What an address can be the default for, beside the default for everything."""

    BILLING = "BILLING"
    SHIPPING = "SHIPPING"


# The column that says so.
PURPOSES = {AddressPurpose.BILLING: "is_billing_default", AddressPurpose.SHIPPING: "is_shipping_default"}


def _one_of_a_customer(name: str, column: str) -> Index:
    where = text(column)
    return Index(name, "tenant_id", "customer_id", unique=True, sqlite_where=where, postgresql_where=where)


class Address(TenantRow, table=True):
    """One address. The partial unique indexes allow a customer at most one default, and one for each purpose."""

    __tablename__ = "address"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
        Index("ix_address_customer", "tenant_id", "customer_id"),
        _one_of_a_customer("uq_address_default", "is_default"),
        _one_of_a_customer("uq_address_billing_default", "is_billing_default"),
        _one_of_a_customer("uq_address_shipping_default", "is_shipping_default"),
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
    is_billing_default: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    is_shipping_default: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    origin: str | None = origin_field()
    created_at: datetime
    updated_at: datetime
