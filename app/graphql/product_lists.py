"""Product lists in GraphQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated

import strawberry
from strawberry.dataloader import DataLoader

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.addresses import OWN
from app.graphql.changed_customers import ChangesOwnCustomer
from app.graphql.context import Info
from app.graphql.enums import describe_enum
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation, query
from app.graphql.inputs import patch_field, to_patch
from app.graphql.presenting import Presenter
from app.models import product_lists as model
from app.models.product_lists import ProductListType
from app.services.accounts import product_lists as service

describe_enum(
    ProductListType,
    "What a list is for.",
    {
        ProductListType.WISH_LIST: "Products that the customer would like to have.",
        ProductListType.GIFT_REGISTRY: "Presents that the customer would like to get for an event, such as a wedding.",
        ProductListType.SHOPPING_LIST: "Products that the customer buys again and again.",
        ProductListType.CUSTOM: "Anything else; the shop decides what it is for.",
    },
)


@strawberry.type(description="A product on a list.")
class ProductListItem:
    """The item as clients see it; its leaves are attributes of the row."""

    id: strawberry.ID = strawberry.field(description="The id of the item. It never changes.")
    product_id: str = strawberry.field(description="The shop's id of the product: `25502038M`.")
    quantity: int = strawberry.field(description="How many the customer wants: `2`.")
    priority: int = strawberry.field(description="How much the customer wants it: from `1`, most, to `100`, least.")
    note: str | None = strawberry.field(description="A note by the customer: `In blue, please.`")
    is_public: bool = strawberry.field(description="Whether others see the item if the list is public.")


present_item = Presenter(model.ProductListItem, ProductListItem)


async def _items(root: strawberry.Parent[ProductList]) -> list[ProductListItem]:
    return present_item.each(await root.items_by_list.load(root.id))


@strawberry.type(description="A wish list, a gift registry, a shopping list or the like.")
class ProductList:
    """The list as clients see it; who its owner is, it does not tell."""

    items_by_list: strawberry.Private[DataLoader[str, list[model.ProductListItem]]]
    id: strawberry.ID = strawberry.field(
        description="The id of the list. It never changes. Share it, and others can read the list if it is public."
    )
    type: ProductListType = strawberry.field(description="What the list is for.")
    name: str = strawberry.field(description="The name: `Our wedding`.")
    description: str | None = strawberry.field(description="A text for readers: `We look forward to seeing you.`")
    event_date: date | None = strawberry.field(description="The day of a gift registry's event: `2027-06-12`.")
    is_public: bool = strawberry.field(description="Whether anybody in the shop who knows its id may read it.")
    items: list[ProductListItem] = strawberry.field(
        resolver=_items, description="The items, the most wanted first, at most 500. Others see only the public items."
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

    type: ProductListType = strawberry.field(description="What the list is for. It cannot be changed later.")
    name: str = strawberry.field(description="The name: `Our wedding`. At most 200 characters.")
    description: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="A text for readers: `We look forward to seeing you.` At most 1000 characters.",
    )
    event_date: date | None = strawberry.field(
        default=strawberry.UNSET, description="The day of the event: `2027-06-12`. Only for a gift registry."
    )
    is_public: bool = strawberry.field(
        default=False, description="Whether anybody in the shop who knows its id may read it."
    )


@strawberry.input(description="What to change in a list. A field left out stays as it is; null clears it.")
class UpdateProductListInput:
    """A merge patch of a list."""

    id: strawberry.ID = strawberry.field(description="The id of the list to change.")
    name: str | None = patch_field(CreateProductListInput, "name")
    description: str | None = patch_field(CreateProductListInput, "description")
    event_date: date | None = patch_field(CreateProductListInput, "event_date")
    is_public: bool | None = patch_field(CreateProductListInput, "is_public")


@strawberry.input(description="The list to delete, with all its items.")
class DeleteProductListInput:
    """The list's id."""

    id: strawberry.ID = strawberry.field(description="The id of the list to delete.")


@strawberry.input(description="A product to put on a list.")
class AddProductListItemInput:
    """The list's id and an item without its id."""

    list_id: strawberry.ID = strawberry.field(description="The id of the list to add it to.")
    product_id: str = strawberry.field(
        description="The shop's id of the product: `25502038M`. At most 100 characters. It is not checked whether it "
        "exists."
    )
    quantity: int = strawberry.field(default=1, description="How many the customer wants: 1 to 1000000.")
    priority: int = strawberry.field(
        default=1, description="How much the customer wants it: from `1`, most, to `100`, least."
    )
    note: str | None = strawberry.field(
        default=strawberry.UNSET, description="A note by the customer: `In blue, please.` At most 500 characters."
    )
    is_public: bool = strawberry.field(default=True, description="Whether others see the item if the list is public.")


@strawberry.input(description="What to change in an item. A field left out stays as it is; null clears it.")
class UpdateProductListItemInput:
    """A merge patch of an item."""

    id: strawberry.ID = strawberry.field(description="The id of the item to change.")
    product_id: str | None = patch_field(AddProductListItemInput, "product_id")
    quantity: int | None = patch_field(AddProductListItemInput, "quantity")
    priority: int | None = patch_field(AddProductListItemInput, "priority")
    note: str | None = patch_field(AddProductListItemInput, "note")
    is_public: bool | None = patch_field(AddProductListItemInput, "is_public")


@strawberry.input(description="The item to remove from its list.")
class DeleteProductListItemInput:
    """The item's id."""

    id: strawberry.ID = strawberry.field(description="The id of the item to remove.")


@strawberry.type(description="The new list, or what to correct.")
class CreateProductListPayload(ChangesOwnCustomer):
    """Answer of `createProductList`."""

    product_list: ProductList | None = strawberry.field(default=None, description="The new list.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The changed list, or what to correct.")
class UpdateProductListPayload(ChangesOwnCustomer):
    """Answer of `updateProductList`."""

    product_list: ProductList | None = strawberry.field(default=None, description="The list after the change.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The id of the deleted list, or why it was not deleted.")
class DeleteProductListPayload(ChangesOwnCustomer):
    """Answer of `deleteProductList`."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the deleted list.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The new item, or what to correct.")
class AddProductListItemPayload(ChangesOwnCustomer):
    """Answer of `addProductListItem`."""

    item: ProductListItem | None = strawberry.field(default=None, description="The new item.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The changed item, or what to correct.")
class UpdateProductListItemPayload(ChangesOwnCustomer):
    """Answer of `updateProductListItem`."""

    item: ProductListItem | None = strawberry.field(default=None, description="The item after the change.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The id of the deleted item, or why it was not deleted.")
class DeleteProductListItemPayload(ChangesOwnCustomer):
    """Answer of `deleteProductListItem`."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the removed item.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class ProductListQueries:
    """Root query fields about product lists."""

    @query(kinds=tuple(TokenKind), session_scope=SessionScope.STOREFRONT_READ)
    async def product_list(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The id of the list.")]
    ) -> ProductList | None:
        """One of the caller's own lists, or a public list of any customer of the shop. Null if there is no such list.

        Who: an anonymous session, a customer, staff on their behalf, or an integration.
        Errors: `UNAUTHENTICATED`: refresh, or begin again with `anonymousLogin`.
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
        """Create a wish list, a gift registry, a shopping list or any other list.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`: show them at the field; `LIMIT_REACHED`: the customer has
        100 lists, ask to delete one.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        created = await service.create_product_list(info.context.uow, input.type, to_patch(input, "type"))
        return CreateProductListPayload(product_list=present_product_lists(info, [created])[0])

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def update_product_list(self, info: Info, input: UpdateProductListInput) -> UpdateProductListPayload:
        """Change one of the caller's own lists. A field left out stays as it is; null clears it.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`: show them at the field; `NOT_FOUND` at `id`: read the lists
        again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        changed = await service.update_product_list(info.context.uow, input.id, to_patch(input, "id"))
        return UpdateProductListPayload(product_list=present_product_lists(info, [changed])[0])

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def delete_product_list(self, info: Info, input: DeleteProductListInput) -> DeleteProductListPayload:
        """Delete one of the caller's own lists, with all its items.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND` at `id`: the caller has no such list, read the lists again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        deleted_id = await service.delete_product_list(info.context.uow, input.id)
        return DeleteProductListPayload(deleted_id=strawberry.ID(deleted_id))

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def add_product_list_item(self, info: Info, input: AddProductListItemInput) -> AddProductListItemPayload:
        """Add a product to one of the caller's own lists.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`: show them at the field; `NOT_FOUND` at `listId`: read the lists
        again; `LIMIT_REACHED`: the list has 500 items, ask to remove one.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        added = await service.add_product_list_item(info.context.uow, input.list_id, to_patch(input, "list_id"))
        return AddProductListItemPayload(item=present_item(added))

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def update_product_list_item(
        self, info: Info, input: UpdateProductListItemInput
    ) -> UpdateProductListItemPayload:
        """Change an item of one of the caller's own lists. A field left out stays as it is; null clears it.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`: show them at the field; `NOT_FOUND` at `id`: read the list
        again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        changed = await service.update_product_list_item(info.context.uow, input.id, to_patch(input, "id"))
        return UpdateProductListItemPayload(item=present_item(changed))

    @mutation(kinds=OWN, session_scope=SessionScope.LISTS_WRITE)
    async def delete_product_list_item(
        self, info: Info, input: DeleteProductListItemInput
    ) -> DeleteProductListItemPayload:
        """Remove an item from one of the caller's own lists.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND` at `id`: the caller has no such item, read the list again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        deleted_id = await service.delete_product_list_item(info.context.uow, input.id)
        return DeleteProductListItemPayload(deleted_id=strawberry.ID(deleted_id))
