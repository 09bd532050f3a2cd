"""Product lists of a customer: wish lists, gift registries, shopping lists and lists for other purposes."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum, unique

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, origin_field


@unique
class ProductListType(StrEnum):
    """What a list is for."""

    WISH_LIST = "WISH_LIST"
    GIFT_REGISTRY = "GIFT_REGISTRY"
    SHOPPING_LIST = "SHOPPING_LIST"
    CUSTOM = "CUSTOM"


class ProductList(TenantRow, table=True):
    """One list; `name`, `description` and `event_date` are personal."""

    __tablename__ = "product_list"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"]),
        Index("ix_product_list_customer", "tenant_id", "customer_id"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    type: str = Field(max_length=16)
    name: str = Field(max_length=200)
    description: str | None = Field(default=None, max_length=1000)
    event_date: date | None = None
    is_public: bool = False
    origin: str | None = origin_field()
    created_at: datetime
    updated_at: datetime


class ProductListItem(TenantRow, table=True):
    """One product on a list; `customer_id` is the list's, and `note` is personal."""

    __tablename__ = "product_list_item"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "list_id"], ["product_list.tenant_id", "product_list.id"]),
        Index("ix_product_list_item_list", "tenant_id", "list_id"),
        Index("ix_product_list_item_customer", "tenant_id", "customer_id"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    list_id: str = Field(max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    product_id: str = Field(max_length=100)
    quantity: int = 1
    priority: int = 1
    note: str | None = Field(default=None, max_length=500)
    is_public: bool = True
    origin: str | None = origin_field()
    created_at: datetime
    updated_at: datetime
