"""What came of a first proof in GraphQL: data that somebody else may have written, kept or discarded."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.context import Info
from app.graphql.customers import Customer, present_customer
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation
from app.services.accounts import unproven_data

KEPT_UNPROVEN_DATA = (
    "True: nobody had confirmed an address of this account before, so that somebody else may have written the profile, "
    "addresses, lists and the like. Mostly it was the same person. Show what there is, and offer `discardUnprovenData` "
    "within 30 days."
)


@strawberry.type(description="Answer of `discardUnprovenData`.")
class DiscardUnprovenDataPayload:
    """What is left of the account."""

    customer: Customer | None = strawberry.field(default=None, description="The customer with what is left.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class ProofMutations:
    """Root mutation fields about what came of a first proof."""

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.PRIVACY)
    async def discard_unproven_data(self, info: Info) -> DiscardUnprovenDataPayload:
        """Remove all that was in the account before its address was proved; see `keptUnprovenData`.

        Profile, addresses, payment instruments, lists and their items, and companies that the shop has not confirmed
        go. What the customer has changed since stays, and so do id, customer number, shopper reference, groups, orders,
        confirmed companies, and what the shop has written. Where nothing was kept, nothing happens.
        Who: the customer; not staff on their behalf.
        User errors: `NOT_FOUND`: the 30 days are over; delete what is not wanted.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself.
        """
        customer = await unproven_data.discard_unproven_data(info.context.uow)
        return DiscardUnprovenDataPayload(customer=present_customer(customer))
