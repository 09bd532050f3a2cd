"""A customer's product lists: the customer writes them, and everybody in the shop can read the public ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.errors import Refused, UserErrorCode, refuse
from app.domain.numbers import whole_number
from app.domain.patches import Patch, Rules, any_value, by_value, check_patch
from app.domain.problems import Problems
from app.domain.texts import optional_line, required_line
from app.domain.topics import Topic
from app.models.product_lists import ProductList, ProductListItem, ProductListType
from app.services.accounts.own_account import lock_own_account
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork


def _is_public(value: bool | None) -> bool:
    if value is None:
        raise Refused(UserErrorCode.REQUIRED, "Please say whether it is public.")
    return value


# Each is a column.
PRODUCT_LIST: Rules = {
    "name": by_value(required_line(200)),
    "description": by_value(optional_line(1000)),
    "event_date": any_value,
    "is_public": by_value(_is_public),
}
PRODUCT_LIST_ITEM: Rules = {
    "product_id": by_value(required_line(100)),
    "note": by_value(optional_line(500)),
    "quantity": by_value(whole_number(1, 1_000_000)),
    "priority": by_value(whole_number(1, 100)),
    "is_public": by_value(_is_public),
}


def _check_list(uow: UnitOfWork, patch: Patch, type_: ProductListType) -> dict[str, Any]:
    """Return the columns of a list that the patch sets, checked and normalized; raises every fault at once."""
    problems = Problems()
    columns = check_patch(problems, patch, PRODUCT_LIST, uow.situation)
    if columns.get("event_date") is not None and type_ is not ProductListType.GIFT_REGISTRY:
        problems.add(UserErrorCode.INVALID, "Only a gift registry has the date of an event.", "eventDate")
    problems.raise_if_any()
    return columns


def _check_item(uow: UnitOfWork, patch: Patch) -> dict[str, Any]:
    """Return the columns of an item that the patch sets, checked and normalized; raises every fault at once."""
    problems = Problems()
    columns = check_patch(problems, patch, PRODUCT_LIST_ITEM, uow.situation)
    problems.raise_if_any()
    return columns


async def product_lists(uow: UnitOfWork, customer_id: str) -> Sequence[ProductList]:
    """Return a customer's lists, the oldest first."""
    return await uow.product_lists.list(customer_id)


async def product_list(uow: UnitOfWork, list_id: str) -> ProductList | None:
    """Return one of the caller's own lists, or a public one of anybody in the shop, or None."""
    customer_id = uow.caller.require_principal().customer_id
    own = await uow.product_lists.find(customer_id, list_id) if customer_id else None
    return own or await uow.product_lists.find_public(list_id)


async def items_by_list(
    uow: UnitOfWork, list_ids: Sequence[str], *, only_public: bool
) -> Sequence[list[ProductListItem]]:
    """Return the items of each list, in the order of the lists, the most wanted first; in one statement."""
    items: dict[str, list[ProductListItem]] = {list_id: [] for list_id in list_ids}
    for item in await uow.product_lists.list_items(list_ids, only_public=only_public):
        items[item.list_id].append(item)
    return [items[list_id] for list_id in list_ids]


async def create_product_list(uow: UnitOfWork, type_: ProductListType, patch: Patch) -> ProductList:
    """Make a list for the caller. LIMIT_REACHED when there are too many."""
    customer_id = uow.caller.require_customer().id
    columns = _check_list(uow, patch, type_)
    await lock_own_account(uow)
    most = uow.tenant.limits.product_lists_per_customer
    if len(await uow.product_lists.list(customer_id)) >= most:
        raise refuse(UserErrorCode.LIMIT_REACHED, f"You have {most} lists already: delete one first.")
    added = ProductList(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        customer_id=customer_id,
        type=type_.value,
        **columns,
        created_at=uow.now,
        updated_at=uow.now,
    )
    await uow.product_lists.add(added)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["productLists"])
    return added


async def update_product_list(uow: UnitOfWork, list_id: str, patch: Patch) -> ProductList:
    """Change one of the caller's own lists; a field left out stays, null clears it. NOT_FOUND for any other."""
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    so_far = await _get(uow, customer_id, list_id, "id")
    columns = _check_list(uow, patch, ProductListType(so_far.type))
    await uow.product_lists.change(customer_id, list_id, uow.now, **columns, origin=None)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["productLists"])
    return await _get(uow, customer_id, list_id, "id")


async def delete_product_list(uow: UnitOfWork, list_id: str) -> str:
    """Remove one of the caller's own lists with its items, and return its id."""
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    await _get(uow, customer_id, list_id, "id")
    await uow.product_lists.delete(customer_id, list_id)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["productLists"])
    return list_id


async def add_product_list_item(uow: UnitOfWork, list_id: str, patch: Patch) -> ProductListItem:
    """Add a product to one of the caller's own lists. NOT_FOUND, LIMIT_REACHED when the list is full."""
    customer_id = uow.caller.require_customer().id
    columns = _check_item(uow, patch)
    await lock_own_account(uow)
    await _get(uow, customer_id, list_id, "listId")
    most = uow.tenant.limits.items_per_product_list
    if await uow.product_lists.count_items(list_id) >= most:
        raise refuse(UserErrorCode.LIMIT_REACHED, f"This list has {most} items already: remove one first.")
    added = ProductListItem(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        list_id=list_id,
        customer_id=customer_id,
        **columns,
        created_at=uow.now,
        updated_at=uow.now,
    )
    await uow.product_lists.add_item(added)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["productLists"])
    return added


async def update_product_list_item(uow: UnitOfWork, item_id: str, patch: Patch) -> ProductListItem:
    """Change an item of one of the caller's own lists; a field left out stays, null clears it.

    NOT_FOUND for any other.
    """
    customer_id = uow.caller.require_customer().id
    columns = _check_item(uow, patch)
    await lock_own_account(uow)
    await _get_item(uow, customer_id, item_id)
    await uow.product_lists.change_item(customer_id, item_id, uow.now, **columns, origin=None)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["productLists"])
    return await _get_item(uow, customer_id, item_id)


async def delete_product_list_item(uow: UnitOfWork, item_id: str) -> str:
    """Remove an item from one of the caller's own lists, and return its id."""
    customer_id = uow.caller.require_customer().id
    await lock_own_account(uow)
    await _get_item(uow, customer_id, item_id)
    await uow.product_lists.delete_item(customer_id, item_id)
    await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=["productLists"])
    return item_id


async def _get(uow: UnitOfWork, customer_id: str, list_id: str, field: str) -> ProductList:
    found = await uow.product_lists.find(customer_id, list_id)
    if found is None:
        raise refuse(UserErrorCode.NOT_FOUND, "You have no list with this id.", field)
    return found


async def _get_item(uow: UnitOfWork, customer_id: str, item_id: str) -> ProductListItem:
    found = await uow.product_lists.find_item(customer_id, item_id)
    if found is None:
        raise refuse(UserErrorCode.NOT_FOUND, "You have no item with this id on any list.", "id")
    return found
