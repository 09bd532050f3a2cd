"""Orders in GraphQL: only that there was one."""

from __future__ import annotations

from datetime import datetime

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import Scope
from app.graphql.context import Info
from app.graphql.customers import Customer, present_customer
from app.graphql.errors import UserError
from app.graphql.fields import mutation
from app.services.staff import orders as service


@strawberry.input(description="An order that a customer has placed.")
class RecordOrderInput:
    """The customer, and the order system's reference."""

    customer_id: strawberry.ID = strawberry.field(description="Whose order it is.")
    order_reference: str = strawberry.field(
        description="The order's id in the order system, at most 128 characters: it counts once, however often told."
    )
    placed_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="RFC 3339, with the offset; left out, it is now."
    )


@strawberry.type
class RecordOrderPayload:
    """Answer of `recordOrder`."""

    customer: Customer | None = strawberry.field(default=None, description="The customer, with the status after it.")
    recorded: bool | None = strawberry.field(
        default=None, description="True when the order is new; false when it had been recorded before."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class OrderMutations:
    """Root mutation fields about orders."""

    @mutation(kinds=(TokenKind.INTEGRATION,), scope=Scope.CUSTOMERS_WRITE)
    async def record_order(self, info: Info, input: RecordOrderInput) -> RecordOrderPayload:
        """Tell of an order: the first makes a customer `ACQUIRED`, the next one `REPEAT`. Repeat it as you like.

        Who: an integration with the scope `customers.write`.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`: put them right; `NOT_FOUND`: there is no such customer;
        `TAKEN`: the reference is that of another customer's order.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token has not the scope.
        """
        placed_at = input.placed_at or None
        outcome = await service.record_order(info.context.uow, input.customer_id, input.order_reference, placed_at)
        return RecordOrderPayload(customer=present_customer(outcome.customer), recorded=outcome.is_new)
