"""Product lists and their items."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlmodel import col

from app.domain.origins import Origin
from app.domain.rows import Reading
from app.models.product_lists import ProductList, ProductListItem
from app.repositories.base import Repository, Rows, mine

_OF_CUSTOMER = Rows(ProductList, "customer_id", order_by=(col(ProductList.id),))
_ONE = Rows(ProductList, "customer_id", "id")
_PUBLIC = Rows(ProductList, "id", col(ProductList.is_public).is_(True))
_UNKNOWN = Rows(ProductList, "customer_id", col(ProductList.origin).is_(None))
_UNPROVEN = Rows(ProductList, "customer_id", col(ProductList.origin) == Origin.UNPROVEN.value)
_UNKNOWN_ITEMS = Rows(ProductListItem, "customer_id", col(ProductListItem.origin).is_(None))
_UNPROVEN_ITEMS = Rows(ProductListItem, "customer_id", col(ProductListItem.origin) == Origin.UNPROVEN.value)
_ITEMS_OF_CUSTOMER = Rows(ProductListItem, "customer_id")
_ITEM = Rows(ProductListItem, "customer_id", "id")
_ITEMS = Rows(ProductListItem, "customer_id", "list_id")


class _Count:
    amount: int


_COUNT = Reading(
    _Count,
    select(func.count().label("amount"))
    .select_from(ProductListItem.__table__)
    .where(mine(ProductListItem, col(ProductListItem.list_id) == bindparam("list_id"))),
)


class ProductListRepository(Repository):
    """The product lists of one tenant; each statement that writes is bound to one customer as well."""

    async def list(self, customer_id: str) -> Sequence[ProductList]:
        """Return a customer's lists, the oldest first."""
        return await self._list(_OF_CUSTOMER, customer_id=customer_id)

    async def find(self, customer_id: str, list_id: str) -> ProductList | None:
        """Return one of the customer's lists."""
        return await self._find(_ONE, customer_id=customer_id, id=list_id)

    async def find_public(self, list_id: str) -> ProductList | None:
        """Return a list that its owner has made public."""
        return await self._find(_PUBLIC, id=list_id)

    async def add(self, product_list: ProductList) -> None:
        """Write a new list."""
        await self._add(product_list)

    async def change(self, customer_id: str, list_id: str, now: datetime, **values: Any) -> None:
        """Set columns of one of the customer's lists."""
        await self._change(_ONE, {"customer_id": customer_id, "id": list_id}, updated_at=now, **values)

    async def delete(self, customer_id: str, list_id: str) -> None:
        """Remove one of the customer's lists with its items."""
        await self._delete(_ITEMS, customer_id=customer_id, list_id=list_id)
        await self._delete(_ONE, customer_id=customer_id, id=list_id)

    async def move(self, customer_id: str, to_customer_id: str) -> int:
        """Give all of a customer's lists with their items to another customer; return how many lists they are."""
        given = {"customer_id": customer_id}
        await self._change(_ITEMS_OF_CUSTOMER, given, customer_id=to_customer_id)
        return await self._change(_OF_CUSTOMER, given, customer_id=to_customer_id)

    async def mark_unproven(self, customer_id: str) -> int:
        """Note that all were there before the first proof, none of them public; return how many lists they are."""
        given, unproven = {"customer_id": customer_id}, Origin.UNPROVEN.value
        await self._change(_UNKNOWN_ITEMS, given, origin=unproven)
        return await self._change(_UNKNOWN, given, origin=unproven, is_public=False)

    async def list_unproven(self, customer_id: str) -> Sequence[ProductList]:
        """Return those of a customer's lists that were there before the first proof."""
        return await self._list(_UNPROVEN, customer_id=customer_id)

    async def delete_unproven_items(self, customer_id: str) -> None:
        """Take off a customer's lists what was there before the first proof."""
        await self._delete(_UNPROVEN_ITEMS, customer_id=customer_id)

    async def list_items(self, list_ids: Collection[str], *, only_public: bool) -> Sequence[ProductListItem]:
        """Return the items of these lists, the most wanted of each first, then the oldest."""
        conditions = [col(ProductListItem.is_public).is_(True)] if only_public else []
        statement = (
            select(ProductListItem.__table__)
            .where(self._mine(ProductListItem, col(ProductListItem.list_id).in_(list_ids), *conditions))
            .order_by(col(ProductListItem.list_id), col(ProductListItem.priority), col(ProductListItem.id))
        )
        return await self._connection.read_anew(Reading(ProductListItem, statement))

    async def count_items(self, list_id: str) -> int:
        """Return how many items a list has."""
        (count,) = await self._list(_COUNT, list_id=list_id)
        return count.amount

    async def find_item(self, customer_id: str, item_id: str) -> ProductListItem | None:
        """Return an item of one of the customer's lists."""
        return await self._find(_ITEM, customer_id=customer_id, id=item_id)

    async def add_item(self, item: ProductListItem) -> None:
        """Write a new item."""
        await self._add(item)

    async def change_item(self, customer_id: str, item_id: str, now: datetime, **values: Any) -> None:
        """Set columns of an item of one of the customer's lists."""
        await self._change(_ITEM, {"customer_id": customer_id, "id": item_id}, updated_at=now, **values)

    async def delete_item(self, customer_id: str, item_id: str) -> None:
        """Remove an item of one of the customer's lists."""
        await self._delete(_ITEM, customer_id=customer_id, id=item_id)
