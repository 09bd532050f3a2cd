"""Groups of customers, and who is in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, json_field


class CustomerGroupColumns(TenantRow):
    """The columns of a group of customers; other systems know it by its `code`, which is in the saas token too."""

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    name: str = Field(max_length=100)
    code: str = Field(max_length=64)
    private_markets: list[str] = json_field(list)
    created_at: datetime
    updated_at: datetime


class CustomerGroup(CustomerGroupColumns, table=True):
    """The table of groups."""

    __tablename__ = "customer_group"
    __table_args__ = (UniqueConstraint("tenant_id", "code", name="uq_customer_group_code"),)


class GroupOfMember(CustomerGroupColumns):
    """A group as it is read for one of those who are in it."""

    member_id: str


class GroupMembership(TenantRow, table=True):
    """That a customer is in a group. The key lists a group's customers in order, the index a customer's groups."""

    __tablename__ = "customer_group_membership"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "group_id"], ["customer_group.tenant_id", "customer_group.id"]),
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
        Index("ix_customer_group_membership_customer", "tenant_id", "customer_id"),
    )

    group_id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(primary_key=True, max_length=ID_LENGTH)
