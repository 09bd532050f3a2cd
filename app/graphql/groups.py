"""Customer groups in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import Scope
from app.graphql.context import Info
from app.graphql.customers import CustomerGroup, present_group
from app.graphql.errors import UserError
from app.graphql.fields import mutation, query
from app.graphql.inputs import to_patch
from app.services.staff import groups as service

STAFF = (TokenKind.INTEGRATION,)


@strawberry.input(description="A new customer group.")
class CreateCustomerGroupInput:
    """Name, code and markets."""

    name: str = strawberry.field(description="For people: `Wholesale`. At most 100 characters.")
    code: str = strawberry.field(
        description="For programs, unique in the shop: at most 64 letters, digits, `.`, `_` and `-`."
    )
    private_markets: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Markets that only such groups see, at most 50 of 100 characters."
    )


@strawberry.input(description="What to change of a customer group: a field left out stays.")
class UpdateCustomerGroupInput:
    """A merge patch of a group."""

    id: strawberry.ID = strawberry.field(description="Which group.")
    name: str | None = strawberry.UNSET
    code: str | None = strawberry.UNSET
    private_markets: list[str] | None = strawberry.UNSET


@strawberry.input(description="Which customer group to remove.")
class DeleteCustomerGroupInput:
    """The group's id."""

    id: strawberry.ID


@strawberry.type
class CreateCustomerGroupPayload:
    """Answer of `createCustomerGroup`."""

    customer_group: CustomerGroup | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class UpdateCustomerGroupPayload:
    """Answer of `updateCustomerGroup`."""

    customer_group: CustomerGroup | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class DeleteCustomerGroupPayload:
    """Answer of `deleteCustomerGroup`."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the group that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class CustomerGroupQueries:
    """Root query fields about customer groups."""

    @query(kinds=STAFF, scope=Scope.CUSTOMERS_READ)
    async def customer_groups(self, info: Info) -> list[CustomerGroup]:
        """The shop's customer groups, at most 500, by their code.

        Who: an integration with the scope `customers.read`.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token has not the scope.
        """
        return present_group.each(await service.customer_groups(info.context.uow))


@strawberry.type
class CustomerGroupMutations:
    """Root mutation fields about customer groups."""

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_WRITE)
    async def create_customer_group(self, info: Info, input: CreateCustomerGroupInput) -> CreateCustomerGroupPayload:
        """Make a customer group; put customers into it with `updateCustomer`.

        Who: an integration with the scope `customers.write`.
        User errors: `REQUIRED`, `INVALID`, `TOO_LONG`: put them right; `TAKEN`: another group has the code;
        `LIMIT_REACHED`: there are 500 groups, or more than 50 markets.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token has not the scope.
        """
        created = await service.create_customer_group(info.context.uow, to_patch(input))
        return CreateCustomerGroupPayload(customer_group=present_group(created))

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_WRITE)
    async def update_customer_group(self, info: Info, input: UpdateCustomerGroupInput) -> UpdateCustomerGroupPayload:
        """Change a customer group: a field left out stays. Saas tokens have a new code within minutes.

        Who: an integration with the scope `customers.write`.
        User errors: as `createCustomerGroup`; `NOT_FOUND`: there is no such group.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token has not the scope.
        """
        updated = await service.update_customer_group(info.context.uow, input.id, to_patch(input, "id"))
        return UpdateCustomerGroupPayload(customer_group=present_group(updated))

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_WRITE)
    async def delete_customer_group(self, info: Info, input: DeleteCustomerGroupInput) -> DeleteCustomerGroupPayload:
        """Remove a customer group; the customers in it stay, without it.

        Who: an integration with the scope `customers.write`.
        User errors: `NOT_FOUND`: it is gone already.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token has not the scope.
        """
        deleted_id = await service.delete_customer_group(info.context.uow, input.id)
        return DeleteCustomerGroupPayload(deleted_id=strawberry.ID(deleted_id))
