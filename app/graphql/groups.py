"""Customer groups in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import Scope
from app.graphql.context import Info
from app.graphql.customers import CustomerGroup, present_group
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation, query
from app.graphql.inputs import patch_field, to_patch
from app.services.staff import groups as service

STAFF = (TokenKind.INTEGRATION,)


@strawberry.input(description="A new customer group.")
class CreateCustomerGroupInput:
    """Name, code and markets."""

    name: str = strawberry.field(description="The name, for people: `Wholesale`. At most 100 characters.")
    code: str = strawberry.field(
        description="The code, for programs: `wholesale`. Unique in the shop; at most 64 letters, digits, `.`, `_` "
        "and `-`."
    )
    private_markets: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description='Markets that only certain groups see: `["outlet"]`. At most 50, each of at most 100 characters.',
    )


@strawberry.input(description="What to change in a customer group. A field left out stays as it is.")
class UpdateCustomerGroupInput:
    """A merge patch of a group."""

    id: strawberry.ID = strawberry.field(description="The id of the group to change.")
    name: str | None = patch_field(CreateCustomerGroupInput, "name")
    code: str | None = patch_field(CreateCustomerGroupInput, "code")
    private_markets: list[str] | None = patch_field(CreateCustomerGroupInput, "private_markets")


@strawberry.input(description="The customer group to delete.")
class DeleteCustomerGroupInput:
    """The group's id."""

    id: strawberry.ID = strawberry.field(description="The id of the group to delete.")


@strawberry.type(description="The new customer group, or what to correct.")
class CreateCustomerGroupPayload:
    """Answer of `createCustomerGroup`."""

    customer_group: CustomerGroup | None = strawberry.field(default=None, description="The new group.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The changed customer group, or what to correct.")
class UpdateCustomerGroupPayload:
    """Answer of `updateCustomerGroup`."""

    customer_group: CustomerGroup | None = strawberry.field(default=None, description="The group after the change.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The id of the deleted customer group, or why it was not deleted.")
class DeleteCustomerGroupPayload:
    """Answer of `deleteCustomerGroup`."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the deleted group.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class CustomerGroupQueries:
    """Root query fields about customer groups."""

    @query(kinds=STAFF, scope=Scope.CUSTOMERS_READ)
    async def customer_groups(self, info: Info) -> list[CustomerGroup]:
        """The shop's customer groups, sorted by code. There are at most 500.

        Who: an integration with the scope `customers.read`.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token lacks the scope.
        """
        return present_group.each(await service.customer_groups(info.context.uow))


@strawberry.type
class CustomerGroupMutations:
    """Root mutation fields about customer groups."""

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_WRITE)
    async def create_customer_group(self, info: Info, input: CreateCustomerGroupInput) -> CreateCustomerGroupPayload:
        """Create a customer group. Then put customers into it with `updateCustomer`.

        Who: an integration with the scope `customers.write`.
        User errors: `REQUIRED`, `INVALID`, `TOO_LONG`: put them right; `TAKEN`: another group has the code;
        `LIMIT_REACHED`: there are 500 groups, or more than 50 markets.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token lacks the scope.
        """
        created = await service.create_customer_group(info.context.uow, to_patch(input))
        return CreateCustomerGroupPayload(customer_group=present_group(created))

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_WRITE)
    async def update_customer_group(self, info: Info, input: UpdateCustomerGroupInput) -> UpdateCustomerGroupPayload:
        """Change a customer group. A field left out stays as it is. A new code is in the saas tokens within minutes.

        Who: an integration with the scope `customers.write`.
        User errors: `REQUIRED`, `INVALID`, `TOO_LONG`: show them at the field; `TAKEN` at `code`: another group has
        this code, choose another one; `LIMIT_REACHED` at `privateMarkets`: name at most 50; `NOT_FOUND` at `id`: read
        `customerGroups` again.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token lacks the scope.
        """
        updated = await service.update_customer_group(info.context.uow, input.id, to_patch(input, "id"))
        return UpdateCustomerGroupPayload(customer_group=present_group(updated))

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_WRITE)
    async def delete_customer_group(self, info: Info, input: DeleteCustomerGroupInput) -> DeleteCustomerGroupPayload:
        """Delete a customer group. The customers in it stay.

        Who: an integration with the scope `customers.write`.
        User errors: `NOT_FOUND`: it is gone already.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token lacks the scope.
        """
        deleted_id = await service.delete_customer_group(info.context.uow, input.id)
        return DeleteCustomerGroupPayload(deleted_id=strawberry.ID(deleted_id))
