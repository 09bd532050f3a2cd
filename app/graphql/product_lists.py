"""Product lists in GraphQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

import strawberry
from strawberry.dataloader import DataLoader

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.addresses import OWN
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.fields import mutation, query
from app.graphql.inputs import to_patch
from app.graphql.presenting import Presenter
from app.models import product_lists as model
from app.models.product_lists import ProductListType
from app.services.accounts import product_lists as service

strawberry.enum(
    ProductListType, description="What a list is for; `CUSTOM` is whatever the shop makes of it by its name."
)


@strawberry.type(description="A product on a list.")
class ProductListItem:
    """The item as clients see it; its leaves are attributes of the row."""

    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    product_id: str = strawberry.field(description="The shop's id of the product: `25502038M`.")
    quantity: int = strawberry.field(description="How many are wanted; at least 1.")
    priority: int = strawberry.field(description="1 is wanted most, 100 least.")
    note: str | None = strawberry.field(description="`In blue, please.`")
    is_public: bool = strawberry.field(description="Whether others see it on a public list.")


present_item = Presenter(model.ProductListItem, ProductListItem)


async def _items(root: strawberry.Parent[ProductList]) -> list[ProductListItem]:
    return present_item.each(await root.items_by_list.load(root.id))


@strawberry.type(description="A wish list, a gift registry, a shopping list or the like.")
class ProductList:
    """The list as clients see it; who its owner is, it does not tell."""

    items_by_list: strawberry.Private[DataLoader[str, list[model.ProductListItem]]]
    id: strawberry.ID = strawberry.field(description="Opaque and stable; of a public list the address to share.")
    type: ProductListType = strawberry.field(description="What the list is for.")
    name: str = strawberry.field(description="`Our wedding`")
    description: str | None = strawberry.field(description="`We look forward to seeing you.`")
    event_date: date | None = strawberry.field(description="The day of a gift registry's event: `2027-06-12`.")
    is_public: bool = strawberry.field(description="Whether everybody in the shop may read it by its id.")
    items: list[ProductListItem] = strawberry.field(
        resolver=_items, description="At most 500, the most wanted first; to others only the public ones."
    )


def present_product_lists(
    info: Info, rows: Sequence[model.ProductList], *, only_public: bool = False
) -> list[ProductList]:
    """Return the lists as the schema's type; the items of all of them are read together, if anyone asks."""
    items = DataLoader(load_fn=partial(service.items_by_list, info.context.uow, only_public=only_public))
    return [
        ProductList(
            items_by_list=items,
            id=strawberry.ID(row.id),
            type=ProductListType(row.type),
            name=row.name,
            description=row.description,
            event_date=row.event_date,
            is_public=row.is_public,
        )
        for row in rows
    ]


@strawberry.input(description="A new list, without items.")
class CreateProductListInput:
    """A list without its id."""

    type: ProductListType = strawberry.field(description="What the list is for; that stays.")
    name: str = strawberry.field(description="`Our wedding`. At most 200 characters.")
    description: str | None = strawberry.field(default=strawberry.UNSET, description="At most 1000 characters.")
    event_date: date | None = strawberry.field(
        default=strawberry.UNSET, description="`2027-06-12`; for a gift registry only."
    )
    is_public: bool = strawberry.field(
        default=False, description="Whether everybody in the shop may read it by its id."
    )


@strawberry.input(description="What to change of a list: a field left out stays, null clears.")
class UpdateProductListInput:
    """A merge patch of a list."""

    id: strawberry.ID = strawberry.field(description="Which list.")
    name: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    event_date: date | None = strawberry.UNSET
    is_public: bool | None = strawberry.UNSET


@strawberry.input(description="Which list to remove, with everything on it.")
class DeleteProductListInput:
    """The list's id."""

    id: strawberry.ID


@strawberry.input(description="A product to put on a list.")
class AddProductListItemInput:
    """The list's id and an item without its id."""

    list_id: strawberry.ID = strawberry.field(description="Which list.")
    product_id: str = strawberry.field(
        description="The shop's id of the product: `25502038M`. At most 100 characters; not looked up."
    )
    quantity: int = strawberry.field(default=1, description="1 to 1000000.")
    priority: int = strawberry.field(default=1, description="1 is wanted most, 100 least.")
    note: str | None = strawberry.field(default=strawberry.UNSET, description="At most 500 characters.")
    is_public: bool = strawberry.field(default=True, description="Whether others see it once the list is public.")


@strawberry.input(description="What to change of an item: a field left out stays, null clears.")
class UpdateProductListItemInput:
    """A merge patch of an item."""

    id: strawberry.ID = strawberry.field(description="Which item.")
    product_id: str | None = strawberry.UNSET
    quantity: int | None = strawberry.UNSET
    priority: int | None = strawberry.UNSET
    note: str | None = strawberry.UNSET
    is_public: bool | None = strawberry.UNSET


@strawberry.input(description="Which item to take off its list.")
class DeleteProductListItemInput:
    """The item's id."""

    id: strawberry.ID


@strawberry.type
class CreateProductListPayload:
    """Answer of `createProductList`."""

    product_list: ProductList | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class UpdateProductListPayload:
    """Answer of `updateProductList`."""

    product_list: ProductList | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class DeleteProductListPayload:
    """Answer of `deleteProductList`."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the list that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class AddProductListItemPayload:
    """Answer of `addProductListItem`."""

    item: ProductListItem | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class UpdateProductListItemPayload:
    """Answer of `updateProductListItem`."""

    item: ProductListItem | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class DeleteProductListItemPayload:
    """Answer of `deleteProductListItem`."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the item that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class ProductListQueries:
    """Root query fields about product lists."""

    @query(kinds=tuple(TokenKind), session_scope=SessionScope.STOREFRONT_READ)
    async def product_list(self, info: Info, id: strawberry.ID) -> ProductList | None:
        """One of the caller's own lists, or a public one of any customer of the shop; null when there is neither.

        Who: an anonymous session, a customer, staff on their behalf, or an integration.
        Errors: `UNAUTHENTICATED`: refresh, or begin anew with `anonymousLogin`.
        """
        uow = info.context.uow
        found = await service.product_list(uow, id)
        if found is None:
            return None
        is_own = found.customer_id == uow.caller.require_principal().customer_id
        return present_product_lists(info, [found], only_public=not is_own)[0]


@strawberry.type
class ProductListMutations:
    """Root mutation fields about product lists."""

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def create_product_list(self, info: Info, input: CreateProductListInput) -> CreateProductListPayload:
        """Make a wish list, a gift registry, a shopping list or the like.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`: show them at the field; `LIMIT_REACHED` when there are 100
        lists: ask to delete one.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        created = await service.create_product_list(info.context.uow, input.type, to_patch(input, "type"))
        return CreateProductListPayload(product_list=present_product_lists(info, [created])[0])

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def update_product_list(self, info: Info, input: UpdateProductListInput) -> UpdateProductListPayload:
        """Change one of the caller's own lists: a field left out stays, null clears.

        Who: a customer, or staff on their behalf.
        User errors: as `createProductList`; `NOT_FOUND`: read the lists again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        changed = await service.update_product_list(info.context.uow, input.id, to_patch(input, "id"))
        return UpdateProductListPayload(product_list=present_product_lists(info, [changed])[0])

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def delete_product_list(self, info: Info, input: DeleteProductListInput) -> DeleteProductListPayload:
        """Remove one of the caller's own lists, with everything on it.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND`: it is gone already, or another customer's.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        deleted_id = await service.delete_product_list(info.context.uow, input.id)
        return DeleteProductListPayload(deleted_id=strawberry.ID(deleted_id))

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def add_product_list_item(self, info: Info, input: AddProductListItemInput) -> AddProductListItemPayload:
        """Put a product on one of the caller's own lists.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`: show them at the field; `NOT_FOUND`: read the lists again;
        `LIMIT_REACHED` when there are 500 items: ask to delete one.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        added = await service.add_product_list_item(info.context.uow, input.list_id, to_patch(input, "list_id"))
        return AddProductListItemPayload(item=present_item(added))

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def update_product_list_item(
        self, info: Info, input: UpdateProductListItemInput
    ) -> UpdateProductListItemPayload:
        """Change an item of one of the caller's own lists: a field left out stays, null clears.

        Who: a customer, or staff on their behalf.
        User errors: as `addProductListItem`; `NOT_FOUND`: read the list again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        changed = await service.update_product_list_item(info.context.uow, input.id, to_patch(input, "id"))
        return UpdateProductListItemPayload(item=present_item(changed))

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def delete_product_list_item(
        self, info: Info, input: DeleteProductListItemInput
    ) -> DeleteProductListItemPayload:
        """Take an item off one of the caller's own lists.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND`: it is gone already, or another customer's.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        deleted_id = await service.delete_product_list_item(info.context.uow, input.id)
        return DeleteProductListItemPayload(deleted_id=strawberry.ID(deleted_id))
