"""Orders in GraphQL: only that a customer has ordered."""

from __future__ import annotations

from datetime import datetime

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import Scope
from app.graphql.context import Info
from app.graphql.customers import Customer, present_customer
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation
from app.services.staff import orders as service


@strawberry.input(description="An order that a customer has placed.")
class RecordOrderInput:
    """The customer, and the order system's reference."""

    customer_id: strawberry.ID = strawberry.field(description="The id of the customer who has ordered.")
    order_reference: str = strawberry.field(
        description="The id of the order in the order system: `order-4711`. At most 128 characters. An order counts "
        "once, "
        "however often you record it."
    )
    placed_at: datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="When the customer ordered, with an offset: `2026-11-30T10:30:00+01:00`. Left out: now.",
    )


@strawberry.type(description="The customer after the order, or what to correct.")
class RecordOrderPayload:
    """Answer of `recordOrder`."""

    customer: Customer | None = strawberry.field(
        default=None, description="The customer, with the status after the order."
    )
    recorded: bool | None = strawberry.field(
        default=None, description="True: the order is new. False: it was recorded before."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class OrderMutations:
    """Root mutation fields about orders."""

    @mutation(kinds=(TokenKind.INTEGRATION,), scope=Scope.CUSTOMERS_WRITE)
    async def record_order(self, info: Info, input: RecordOrderInput) -> RecordOrderPayload:
        """Record an order. The first makes a customer `ACQUIRED`, the second `REPEAT`. You can safely call it again.

        An order of an account that `mergeAccounts` has closed is recorded for the customer in its `mergedInto`, who is
        the one in the answer.
        Who: an integration with the scope `customers.write`.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`: put them right; `NOT_FOUND`: there is no such customer;
        `TAKEN`: the reference is that of another customer's order.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token lacks the scope.
        """
        placed_at = input.placed_at or None
        outcome = await service.record_order(info.context.uow, input.customer_id, input.order_reference, placed_at)
        return RecordOrderPayload(customer=present_customer(outcome.customer), recorded=outcome.is_new)
