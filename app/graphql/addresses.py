"""Addresses in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.fields import mutation, query
from app.graphql.inputs import to_patch
from app.graphql.presenting import Presenter
from app.models import addresses as models
from app.services.accounts import addresses as service

OWN = (TokenKind.CUSTOMER, TokenKind.ON_BEHALF)


@strawberry.type(description="A postal address of the customer.")
class Address:
    """The address as clients see it; its leaves are attributes of the row."""

    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    contact_name: str = strawberry.field(description="Who receives there: `Ada Lovelace`.")
    company_name: str | None = strawberry.field(description="Company at this address: `Analytical Engines Ltd`.")
    street: str = strawberry.field(description="Street, with or without the number: `Unter den Linden`.")
    street_number: str | None = strawberry.field(description="House number: `77a`.")
    street_appendix: str | None = strawberry.field(description="Staircase, floor, apartment: `3rd floor`.")
    extra_line1: str | None = strawberry.field(description="Any further line.")
    extra_line2: str | None = strawberry.field(description="Any further line.")
    extra_line3: str | None = strawberry.field(description="Any further line.")
    extra_line4: str | None = strawberry.field(description="Any further line.")
    zip_code: str | None = strawberry.field(description="Postal code: `10117`.")
    city: str = strawberry.field(description="City: `Berlin`.")
    state: str | None = strawberry.field(description="State or province: `BE`.")
    country: str = strawberry.field(description="Country by ISO 3166-1 alpha-2: `DE`.")
    contact_phone: str | None = strawberry.field(
        description="E.164: `+493012345678`; a number that is none of the address's country as it was typed."
    )
    tags: list[str] = strawberry.field(
        description="Free tags in upper case; `BILLING` and `SHIPPING` are the usual ones."
    )
    is_default: bool = strawberry.field(
        description="Whether it is the default; exactly one address is, if there is any."
    )


present_address = Presenter(models.Address, Address)


@strawberry.input(description="A new address.")
class AddressInput:
    """An address without its id."""

    contact_name: str = strawberry.field(description="Who receives there: `Ada Lovelace`. At most 200 characters.")
    street: str = strawberry.field(description="Street: `Unter den Linden`. At most 200 characters.")
    city: str = strawberry.field(description="City: `Berlin`. At most 100 characters.")
    country: str = strawberry.field(description="Country by ISO 3166-1 alpha-2: `DE`.")
    company_name: str | None = strawberry.field(default=strawberry.UNSET, description="At most 200 characters.")
    street_number: str | None = strawberry.field(default=strawberry.UNSET, description="`77a`. At most 50 characters.")
    street_appendix: str | None = strawberry.field(
        default=strawberry.UNSET, description="`3rd floor`. At most 100 characters."
    )
    extra_line1: str | None = strawberry.field(default=strawberry.UNSET, description="At most 200 characters.")
    extra_line2: str | None = strawberry.field(default=strawberry.UNSET, description="At most 200 characters.")
    extra_line3: str | None = strawberry.field(default=strawberry.UNSET, description="At most 200 characters.")
    extra_line4: str | None = strawberry.field(default=strawberry.UNSET, description="At most 200 characters.")
    zip_code: str | None = strawberry.field(default=strawberry.UNSET, description="`10117`. At most 20 characters.")
    state: str | None = strawberry.field(default=strawberry.UNSET, description="`BE`. At most 100 characters.")
    contact_phone: str | None = strawberry.field(
        default=strawberry.UNSET, description="In E.164, or national by the address's country: `030 12345678`."
    )
    tags: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description='Free tags, up to 20 of 32 characters: `["billing"]`.'
    )
    is_default: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Make it the default. The first address becomes it anyway."
    )


@strawberry.input(description="What to change of an address: a field left out stays, null clears.")
class UpdateAddressInput:
    """A merge patch of an address."""

    id: strawberry.ID = strawberry.field(description="Which address.")
    contact_name: str | None = strawberry.UNSET
    street: str | None = strawberry.UNSET
    city: str | None = strawberry.UNSET
    country: str | None = strawberry.UNSET
    company_name: str | None = strawberry.UNSET
    street_number: str | None = strawberry.UNSET
    street_appendix: str | None = strawberry.UNSET
    extra_line1: str | None = strawberry.UNSET
    extra_line2: str | None = strawberry.UNSET
    extra_line3: str | None = strawberry.UNSET
    extra_line4: str | None = strawberry.UNSET
    zip_code: str | None = strawberry.UNSET
    state: str | None = strawberry.UNSET
    contact_phone: str | None = strawberry.UNSET
    tags: list[str] | None = strawberry.UNSET
    is_default: bool | None = strawberry.UNSET


@strawberry.input(description="Which address to remove.")
class DeleteAddressInput:
    """The address's id."""

    id: strawberry.ID


@strawberry.input(description="Tags to add to, or to take from, an address.")
class AddressTagsInput:
    """The address's id and the tags."""

    address_id: strawberry.ID = strawberry.field(description="Which address.")
    tags: list[str] = strawberry.field(
        description='In any case: `["billing", "Holiday home"]` is `BILLING`, `HOLIDAY_HOME`.'
    )


@strawberry.type
class CreateAddressPayload:
    """Answer of `createAddress`."""

    address: Address | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class UpdateAddressPayload:
    """Answer of `updateAddress`."""

    address: Address | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class DeleteAddressPayload:
    """Answer of `deleteAddress`."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the address that is gone.")
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class AddressTagsPayload:
    """Answer of `addAddressTags` and `removeAddressTags`."""

    address: Address | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class AddressQueries:
    """Root query fields about addresses."""

    @query(kinds=OWN, session_scope=SessionScope.PROFILE_READ)
    async def addresses(self, info: Info, tag: str | None = None) -> list[Address]:
        """The caller's own addresses, the default first; with `tag` (`"BILLING"`) only those that have it.

        Who: a customer, or staff on their behalf.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN` for an anonymous session: log in first.
        """
        uow = info.context.uow
        return present_address.each(await service.addresses(uow, uow.caller.require_customer().id, tag))

    @query(kinds=OWN, session_scope=SessionScope.PROFILE_READ)
    async def address(self, info: Info, id: strawberry.ID) -> Address | None:
        """One of the caller's own addresses; null when there is none with this id.

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
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`, `INVALID_COUNTRY`, `INVALID_PHONE`: show them at the field;
        `LIMIT_REACHED` when there are 100 addresses: ask to delete one.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        address = await service.create_address(info.context.uow, to_patch(input))
        return CreateAddressPayload(address=present_address(address))

    @mutation(kinds=OWN, session_scope=SessionScope.ADDRESSES_WRITE)
    async def update_address(self, info: Info, input: UpdateAddressInput) -> UpdateAddressPayload:
        """Change one of the caller's own addresses: a field left out stays, null clears.

        Who: a customer, or staff on their behalf.
        User errors: as `createAddress`; `NOT_FOUND`: read the addresses again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        address = await service.update_address(info.context.uow, input.id, to_patch(input, "id"))
        return UpdateAddressPayload(address=present_address(address))

    @mutation(kinds=OWN, session_scope=SessionScope.ADDRESSES_WRITE)
    async def delete_address(self, info: Info, input: DeleteAddressInput) -> DeleteAddressPayload:
        """Remove one of the caller's own addresses. If it was the default, the oldest that remains becomes it.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND`: it is gone already, or another customer's.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        return DeleteAddressPayload(deleted_id=strawberry.ID(await service.delete_address(info.context.uow, input.id)))

    @mutation(kinds=OWN, session_scope=SessionScope.ADDRESSES_WRITE)
    async def add_address_tags(self, info: Info, input: AddressTagsInput) -> AddressTagsPayload:
        """Add tags to an address; they are normalized to upper case, and those that it has already do no harm.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND`: read the addresses again; `INVALID`, `TOO_LONG`, `LIMIT_REACHED`: show them
        at the tags.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        address = await service.add_address_tags(info.context.uow, input.address_id, input.tags)
        return AddressTagsPayload(address=present_address(address))

    @mutation(kinds=OWN, session_scope=SessionScope.ADDRESSES_WRITE)
    async def remove_address_tags(self, info: Info, input: AddressTagsInput) -> AddressTagsPayload:
        """Take tags from an address; those that it has not do no harm.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND`: read the addresses again; `INVALID`, `TOO_LONG`: show them at the tags.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        address = await service.remove_address_tags(info.context.uow, input.address_id, input.tags)
        return AddressTagsPayload(address=present_address(address))
