"""The customer after a change, in the payload of each mutation that changes what a customer's own fields show.

With it a normalised cache is right after the mutation, also about what changed besides: the default address before.
The customer is read only where it is selected.
"""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.types.lazy_type import LazyType

from app.graphql.context import Info
from app.models.customers import CustomerProfile
from app.services.accounts import changed_customers as service

# `Customer` shows what the payloads are about, so it is named here, and not imported.
_CUSTOMER: Any = LazyType("Customer", "app.graphql.customers") | None


async def _own_customer(root: strawberry.Parent[ChangesOwnCustomer], info: Info) -> CustomerProfile | None:
    if getattr(root, "user_errors", None):
        return None
    return await service.own_customer(info.context.uow, root.owner_id)


async def _changed_customer(root: strawberry.Parent[ChangesCustomer], info: Info) -> CustomerProfile | None:
    if root.changed_id is None:
        return None
    return await service.changed_customer(info.context.uow, root.changed_id)


@strawberry.type
class ChangesOwnCustomer:
    """What a payload has that changes the customer whose token it is. Inherit it.

    Set `owner_id` where the call replaces the token, and may be answered again.
    """

    owner_id: strawberry.Private[str | None] = None
    customer: Any = strawberry.field(
        resolver=_own_customer,
        graphql_type=_CUSTOMER,
        description="The customer after the change. Select what you show of them, and your cache is right.",
    )


@strawberry.type
class ChangesCustomer:
    """What a payload has that changes a customer whom a token or an id names. Inherit it, and set `changed_id`."""

    changed_id: strawberry.Private[str | None] = None
    customer: Any = strawberry.field(
        resolver=_changed_customer,
        graphql_type=_CUSTOMER,
        description="The customer after the change, where the call was made in a session of theirs, or by an "
        "integration with the scope `customers.read`; else null. Select what you show of them, and your cache is "
        "right.",
    )
