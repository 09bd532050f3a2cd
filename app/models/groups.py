"""Groups of customers, and who is in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, json_field


class CustomerGroupColumns(TenantRow):
    """The columns of a customer group. Other systems identify it by its `code`, which is also in the saas token."""

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
    """A group, as read for one of its members."""

    member_id: str


class GroupMembership(TenantRow, table=True):
    """A customer's membership in a group.

    The key lists the customers of a group in order, the index the groups of a customer.
    """

    __tablename__ = "customer_group_membership"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "group_id"], ["customer_group.tenant_id", "customer_group.id"]),
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
        Index("ix_customer_group_membership_customer", "tenant_id", "customer_id"),
    )

    group_id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(primary_key=True, max_length=ID_LENGTH)
