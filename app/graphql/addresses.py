"""Addresses in GraphQL."""

from __future__ import annotations

from typing import Annotated

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.changed_customers import ChangesOwnCustomer
from app.graphql.context import Info
from app.graphql.enums import describe_enum
from app.graphql.errors import REMARKS, USER_ERRORS, UserError, present_each
from app.graphql.fields import mutation, query
from app.graphql.inputs import patch_field, to_patch
from app.graphql.presenting import Presenter
from app.models import addresses as models
from app.models.addresses import AddressPurpose
from app.services.accounts import addresses as service
from app.services.accounts.address_formats import formatted

describe_enum(
    AddressPurpose,
    "What an address can be the default for.",
    {AddressPurpose.BILLING: "Bills go there.", AddressPurpose.SHIPPING: "Goods go there."},
)
OWN = (TokenKind.CUSTOMER, TokenKind.ON_BEHALF)
TagArgument = Annotated[
    str | None, strawberry.argument(description="Only the addresses with this tag: `BILLING`. Left out: all of them.")
]


def _formatted(root: strawberry.Parent[models.Address], info: Info) -> str:
    return formatted(info.context.uow, root)


def _formatted_latin(root: strawberry.Parent[models.Address], info: Info) -> str:
    return formatted(info.context.uow, root, latin=True)


def _default_for(root: strawberry.Parent[models.Address]) -> list[AddressPurpose]:
    return [purpose for purpose, column in models.PURPOSES.items() if getattr(root, column)]


@strawberry.type(description="A postal address of the customer.")
class Address:
    """The address as clients see it; its leaves are attributes of the row."""

    id: strawberry.ID = strawberry.field(description="The id of the address. It never changes.")
    contact_name: str = strawberry.field(description="The person who receives there: `Ada Lovelace`.")
    company_name: str | None = strawberry.field(description="The company at this address: `Analytical Engines Ltd`.")
    street: str = strawberry.field(description="The street, with or without the number: `Unter den Linden`.")
    street_number: str | None = strawberry.field(description="The house number: `77a`.")
    street_appendix: str | None = strawberry.field(description="Staircase, floor, apartment: `3rd floor`.")
    extra_line1: str | None = strawberry.field(
        description="A line of its own, where the other fields do not suffice: `c/o Babbage`."
    )
    extra_line2: str | None = strawberry.field(description="A second line of its own.")
    extra_line3: str | None = strawberry.field(description="A third line of its own.")
    extra_line4: str | None = strawberry.field(description="A fourth line of its own.")
    zip_code: str | None = strawberry.field(description="The postal code: `10117`.")
    city: str | None = strawberry.field(
        description="The city: `Berlin`. Null where the country has none, as in Singapore."
    )
    state: str | None = strawberry.field(description="The state or province: `BE`.")
    country: str = strawberry.field(description="The country by ISO 3166-1 alpha-2: `DE`.")
    contact_phone: str | None = strawberry.field(
        description="A phone number for deliveries, in E.164: `+493012345678`. A number that does not belong to the "
        "address's "
        "country stays as it was typed."
    )
    tags: list[str] = strawberry.field(description="Tags in upper case: `BILLING`, `SHIPPING`, or any other word.")
    is_default: bool = strawberry.field(
        description="Whether it is the default address. If there is any address, exactly one is the default."
    )
    default_for: list[AddressPurpose] = strawberry.field(
        resolver=_default_for,
        description="What it is the default for beside that, as the customer has said: `[BILLING]`. For a purpose that "
        "no address has, take the one with `isDefault`.",
    )
    formatted: str = strawberry.field(
        resolver=_formatted,
        description="The address as it stands on an envelope, its lines divided by `\\n`, in the order and the "
        "capitals of its country: `Ada Lovelace\\nUnter den Linden 77a\\n10117 BERLIN`. The last line is the country "
        "in the language of the site, unless it is the site's own country.",
    )
    formatted_latin: str = strawberry.field(
        resolver=_formatted_latin,
        description="The same in the order for Latin letters, as a sender abroad writes it: "
        "`Ada Lovelace\\n1-1 Marunouchi, TOKYO\\n100-0005\\nJAPAN`. States and cities whose Latin names are known "
        "have those; names and streets stay as they are. In most countries it is just `formatted`.",
    )


present_address = Presenter(models.Address, Address)


@strawberry.input(description="A new address.")
class AddressInput:
    """An address without its id."""

    contact_name: str = strawberry.field(
        description="The person who receives there: `Ada Lovelace`. At most 200 characters."
    )
    street: str = strawberry.field(
        description="The street, with or without the number: `Unter den Linden`. At most 200 characters."
    )
    country: str = strawberry.field(
        description="The country by ISO 3166-1 alpha-2: `DE`. Kosovo is `XK`. What its addresses have is told by "
        "`addressRules`."
    )
    city: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The city: `Berlin`. At most 100 characters. Needed where `addressRules` says so, not in "
        "Singapore.",
    )
    company_name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The company at this address: `Analytical Engines Ltd`. At most 200 characters.",
    )
    street_number: str | None = strawberry.field(
        default=strawberry.UNSET, description="The house number: `77a`. At most 50 characters."
    )
    street_appendix: str | None = strawberry.field(
        default=strawberry.UNSET, description="Staircase, floor, apartment: `3rd floor`. At most 100 characters."
    )
    extra_line1: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="A line of its own, where the other fields do not suffice: `c/o Babbage`. At most 200 characters.",
    )
    extra_line2: str | None = strawberry.field(
        default=strawberry.UNSET, description="A second line of its own. At most 200 characters."
    )
    extra_line3: str | None = strawberry.field(
        default=strawberry.UNSET, description="A third line of its own. At most 200 characters."
    )
    extra_line4: str | None = strawberry.field(
        default=strawberry.UNSET, description="A fourth line of its own. At most 200 characters."
    )
    zip_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="The postal code as it is written: `10117`. At most 20 characters."
    )
    state: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The state or province by its code or name, local or Latin, in any case: `CA`, `California`. It is "
        "kept as typed. At most 100 characters.",
    )
    contact_phone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="A phone number for deliveries: `+493012345678`, or as it is dialed in the country of the address: "
        "`030 12345678`.",
    )
    tags: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description='Tags: `["billing"]`. At most 20, each of at most 32 characters.'
    )
    is_default: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="True: make it the default address. The first address always becomes the default.",
    )
    default_for: list[AddressPurpose] | None = strawberry.field(
        default=strawberry.UNSET,
        description="What to make it the default for: `[BILLING, SHIPPING]`. It is taken from the address that was it. "
        "An empty list: for nothing.",
    )


@strawberry.input(description="What to change in an address. A field left out stays as it is; null clears it.")
class UpdateAddressInput:
    """A merge patch of an address."""

    id: strawberry.ID = strawberry.field(description="The id of the address to change.")
    contact_name: str | None = patch_field(AddressInput, "contact_name")
    street: str | None = patch_field(AddressInput, "street")
    country: str | None = patch_field(AddressInput, "country")
    city: str | None = patch_field(AddressInput, "city")
    company_name: str | None = patch_field(AddressInput, "company_name")
    street_number: str | None = patch_field(AddressInput, "street_number")
    street_appendix: str | None = patch_field(AddressInput, "street_appendix")
    extra_line1: str | None = patch_field(AddressInput, "extra_line1")
    extra_line2: str | None = patch_field(AddressInput, "extra_line2")
    extra_line3: str | None = patch_field(AddressInput, "extra_line3")
    extra_line4: str | None = patch_field(AddressInput, "extra_line4")
    zip_code: str | None = patch_field(AddressInput, "zip_code")
    state: str | None = patch_field(AddressInput, "state")
    contact_phone: str | None = patch_field(AddressInput, "contact_phone")
    tags: list[str] | None = patch_field(AddressInput, "tags")
    is_default: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="True: make it the default address. False is refused for the default: make another one the "
        "default.",
    )
    default_for: list[AddressPurpose] | None = patch_field(AddressInput, "default_for")


@strawberry.input(description="The address to delete.")
class DeleteAddressInput:
    """The address's id."""

    id: strawberry.ID = strawberry.field(description="The id of the address to delete.")


@strawberry.input(description="An address, and the tags to add to it or to remove from it.")
class AddressTagsInput:
    """The address's id and the tags."""

    address_id: strawberry.ID = strawberry.field(description="The id of the address.")
    tags: list[str] = strawberry.field(
        description='The tags, in upper or lower case: `["billing", "Holiday home"]` becomes `BILLING`, `HOLIDAY_HOME`.'
    )


async def _remarks(root: strawberry.Parent[_HasRemarks], info: Info) -> list[UserError]:
    stored = getattr(root, "address", None)
    return present_each(service.remarks_on(info.context.uow, stored)) if stored is not None else []


@strawberry.type
class _HasRemarks:
    """What a payload with an address has besides."""

    remarks: list[UserError] = strawberry.field(resolver=_remarks, description=REMARKS)


@strawberry.type(description="The new address, or what to correct.")
class CreateAddressPayload(ChangesOwnCustomer, _HasRemarks):
    """Answer of `createAddress`."""

    address: Address | None = strawberry.field(default=None, description="The new address.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The changed address, or what to correct.")
class UpdateAddressPayload(ChangesOwnCustomer, _HasRemarks):
    """Answer of `updateAddress`."""

    address: Address | None = strawberry.field(default=None, description="The address after the change.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The id of the deleted address, or why it was not deleted.")
class DeleteAddressPayload(ChangesOwnCustomer):
    """Answer of `deleteAddress`."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the deleted address.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The address with its tags after the change, or what to correct.")
class AddressTagsPayload(ChangesOwnCustomer, _HasRemarks):
    """Answer of `addAddressTags` and `removeAddressTags`."""

    address: Address | None = strawberry.field(default=None, description="The address with its tags after the change.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class AddressQueries:
    """Root query fields about addresses."""

    @query(kinds=OWN, session_scope=SessionScope.PROFILE_READ)
    async def addresses(self, info: Info, tag: TagArgument = None) -> list[Address]:
        """The caller's own addresses, the default first.

        Who: a customer, or staff on their behalf.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN` for an anonymous session: log in first.
        """
        uow = info.context.uow
        return present_address.each(await service.addresses(uow, uow.caller.require_customer().id, tag))

    @query(kinds=OWN, session_scope=SessionScope.PROFILE_READ)
    async def address(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The id of the address.")]
    ) -> Address | None:
        """One of the caller's own addresses. Null if the caller has no address with this id.

        Who: a customer, or staff on their behalf.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN` for an anonymous session: log in first.
        """
        return present_address.or_none(await service.address(info.context.uow, id))


@strawberry.type
class AddressMutations:
    """Root mutation fields about addresses."""

    @mutation(kinds=OWN, session_scope=SessionScope.ADDRESSES_WRITE)
    async def create_address(self, info: Info, input: AddressInput) -> CreateAddressPayload:
        """Add an address. The first one becomes the default.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`, `INVALID_COUNTRY`, `INVALID_PHONE`, and in a strict shop
        `INVALID_ZIP_CODE`, `INVALID_STATE`: show them at the field;
        `LIMIT_REACHED`: at `tags`, show it there; else the customer has 100 addresses, ask to delete one.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        address = await service.create_address(info.context.uow, to_patch(input))
        return CreateAddressPayload(address=present_address(address))

    @mutation(kinds=OWN, session_scope=SessionScope.ADDRESSES_WRITE)
    async def update_address(self, info: Info, input: UpdateAddressInput) -> UpdateAddressPayload:
        """Change one of the caller's own addresses. A field left out stays as it is; null clears it.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`, `INVALID_COUNTRY`, `INVALID_PHONE`, `LIMIT_REACHED`, and in a
        strict shop `INVALID_ZIP_CODE`, `INVALID_STATE`: show them at the field; `NOT_FOUND` at `id`: read the addresses
        again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        address = await service.update_address(info.context.uow, input.id, to_patch(input, "id"))
        return UpdateAddressPayload(address=present_address(address))

    @mutation(kinds=OWN, session_scope=SessionScope.ADDRESSES_WRITE)
    async def delete_address(self, info: Info, input: DeleteAddressInput) -> DeleteAddressPayload:
        """Delete one of the caller's own addresses. If it was the default, the oldest that remains becomes the default.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND` at `id`: the caller has no such address, read the addresses again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        return DeleteAddressPayload(deleted_id=strawberry.ID(await service.delete_address(info.context.uow, input.id)))

    @mutation(kinds=OWN, session_scope=SessionScope.ADDRESSES_WRITE)
    async def add_address_tags(self, info: Info, input: AddressTagsInput) -> AddressTagsPayload:
        """Add tags to an address. They are changed to upper case; a tag that the address has already is ignored.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND` at `addressId`: read the addresses again; `INVALID`, `TOO_LONG`, `LIMIT_REACHED` at
        `tags`: show them there.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        address = await service.add_address_tags(info.context.uow, input.address_id, input.tags)
        return AddressTagsPayload(address=present_address(address))

    @mutation(kinds=OWN, session_scope=SessionScope.ADDRESSES_WRITE)
    async def remove_address_tags(self, info: Info, input: AddressTagsInput) -> AddressTagsPayload:
        """Remove tags from an address. A tag that the address does not have is ignored.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND` at `addressId`: read the addresses again; `INVALID`, `TOO_LONG`, `LIMIT_REACHED` at
        `tags`: show them there.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        address = await service.remove_address_tags(info.context.uow, input.address_id, input.tags)
        return AddressTagsPayload(address=present_address(address))
