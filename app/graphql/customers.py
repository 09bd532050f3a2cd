"""The customer in GraphQL."""

from __future__ import annotations

from datetime import datetime

import strawberry
import strawberry.federation
from strawberry.scalars import JSON

from app.domain.anonymizations import AnonymizationStatus
from app.domain.principal import TokenKind
from app.domain.scopes import Scope, SessionScope
from app.graphql.addresses import OWN, Address, present_address
from app.graphql.anonymizations import AnonymizationInfo, present_anonymization
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.fields import Allow, mutation, query
from app.graphql.inputs import to_patch
from app.graphql.payment_instruments import PaymentInstrument, present_payment_instrument
from app.graphql.presenting import Presenter
from app.graphql.product_lists import ProductList, present_product_lists
from app.models.customers import BusinessModel, CustomerProfile, CustomerStatus
from app.models.groups import CustomerGroupColumns
from app.models.social import SocialIdentity
from app.services.accounts import addresses as address_service
from app.services.accounts import customers as service
from app.services.accounts import legal_entities as legal_entity_service
from app.services.accounts import payment_instruments as payment_instrument_service
from app.services.accounts import product_lists as product_list_service
from app.services.privacy import anonymizations as anonymization_service
from app.services.social import identities as social_service

strawberry.enum(BusinessModel, description="Whether the customer buys as a person or for a company.")
strawberry.enum(CustomerStatus, description="`PROSPECT` has ordered nothing, `ACQUIRED` once, `REPEAT` more than once.")

Row = strawberry.Parent[CustomerProfile]


@strawberry.type(description="A company that the customer buys for.")
class LegalEntity:
    """One legal entity and the customer's place in it."""

    id: strawberry.ID = strawberry.field(description="Pass it to `refresh` to buy for this company.")
    name: str = strawberry.field(description="`Analytical Engines Ltd`")
    contact_assignment_id: strawberry.ID = strawberry.field(
        description="The customer's place in the company: `91033918` as it was given, or an id of ours."
    )
    confirmed: bool = strawberry.field(description="Whether the shop has confirmed what the customer said.")


@strawberry.type(description="What a business customer says about the company.")
class B2BDetails:
    """Registration number and legal entities."""

    company_registration_id: str | None = strawberry.field(description="Registration number: `HRB 12345`.")
    legal_entities: list[LegalEntity] = strawberry.field(description="Confirmed or not.")


@strawberry.type(description="A way to sign in.")
class Account:
    """The password, or one social identity."""

    id: strawberry.ID
    provider: str = strawberry.field(description="`password`, or the id of the social provider: `google`.")
    email: str | None = strawberry.field(description="The address that signs in, or that the provider told.")
    email_verified: bool = strawberry.field(description="Whether it is proven that the address is the customer's.")


@strawberry.type(description="A group of customers; the shop's other systems decide prices and markets by it.")
class CustomerGroup:
    """The group as clients see it; its leaves are attributes of the row."""

    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    name: str = strawberry.field(description="For people: `Wholesale`.")
    code: str = strawberry.field(description="For programs, unique in the shop: `wholesale`. It is in the saas token.")
    private_markets: list[str] = strawberry.field(description='Markets that only such groups see: `["outlet"]`.')


present_group = Presenter(CustomerGroupColumns, CustomerGroup)


@strawberry.type(description="About the record itself.")
class Metadata:
    """Version, times and schemas."""

    version: int = strawberry.field(description="Give it back to `updateMe` to be told when somebody was faster.")
    created_at: datetime = strawberry.field(description="RFC 3339, UTC.")
    updated_at: datetime = strawberry.field(description="RFC 3339, UTC.")
    mixins: JSON = strawberry.field(description="The JSON Schema of each mixin that the shop has, by name.")


def _email_verified(row: Row) -> bool:
    return row.email_verified_at is not None


async def _b2b(row: Row, info: Info) -> B2BDetails | None:
    entities = await legal_entity_service.legal_entities(info.context.uow, row.id)
    if not entities and row.company_registration_id is None:
        return None
    return B2BDetails(
        company_registration_id=row.company_registration_id,
        legal_entities=[
            LegalEntity(
                id=strawberry.ID(entity.legal_entity_id),
                name=entity.name,
                contact_assignment_id=strawberry.ID(entity.contact_assignment_id or entity.id),
                confirmed=entity.confirmed,
            )
            for entity in entities
        ],
    )


def present_social_account(identity: SocialIdentity) -> Account:
    """Return a social identity as the way to sign in that it is."""
    return Account(
        id=strawberry.ID(identity.id),
        provider=identity.provider,
        email=identity.email,
        email_verified=identity.email_verified,
    )


async def _accounts(row: Row, info: Info) -> list[Account]:
    identities = await social_service.social_identities(info.context.uow, row.id)
    accounts = [present_social_account(identity) for identity in identities]
    if row.has_password:
        verified = row.email_verified_at is not None
        password = Account(id=strawberry.ID(row.id), provider="password", email=row.email, email_verified=verified)
        accounts.insert(0, password)
    return accounts


async def _addresses(row: Row, info: Info, tag: str | None = None) -> list[Address]:
    return present_address.each(await address_service.addresses(info.context.uow, row.id, tag))


async def _groups(row: Row, info: Info) -> list[CustomerGroup]:
    return present_group.each(await info.context.load_groups(row.id))


async def _payment_instruments(row: Row, info: Info) -> list[PaymentInstrument]:
    return present_payment_instrument.each(
        await payment_instrument_service.payment_instruments(info.context.uow, row.id)
    )


async def _product_lists(row: Row, info: Info) -> list[ProductList]:
    return present_product_lists(info, await product_list_service.product_lists(info.context.uow, row.id))


async def _anonymization_info(row: Row, info: Info) -> AnonymizationInfo | None:
    if row.anonymization_status is None:
        return None
    return present_anonymization.or_none(await anonymization_service.anonymization_info(info.context.uow, row.id))


def _metadata(row: Row, info: Info) -> Metadata:
    return Metadata(
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        mixins=JSON(dict(info.context.uow.tenant.mixin_schemas)),
    )


@strawberry.federation.type(keys=["id"], description="A customer of the shop.")
class Customer:
    """The customer as clients see it; its leaves are attributes of the row."""

    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    customer_number: str = strawberry.field(description="Eight digits, for people to read out: `48210937`.")
    email: str | None = strawberry.field(description="The address that signs in: `ada@example.com`.")
    title: str | None = strawberry.field(description="`Dr.`")
    first_name: str | None = strawberry.field(description="`Ada`")
    middle_name: str | None = strawberry.field(description="`King`")
    last_name: str | None = strawberry.field(description="`Lovelace`")
    contact_email: str | None = strawberry.field(description="Where the shop writes to; need not be the login address.")
    contact_phone: str | None = strawberry.field(
        description="E.164: `+493012345678`; a national number of an unknown country as it was typed: `123456789`."
    )
    company: str | None = strawberry.field(description="`Analytical Engines Ltd`")
    preferred_language: str | None = strawberry.field(description="BCP 47: `en-US`.")
    preferred_currency: str | None = strawberry.field(description="ISO 4217: `EUR`.")
    preferred_site: str | None = strawberry.field(description="The id of one of the shop's sites: `main`.")
    business_model: BusinessModel = strawberry.field(description="`B2C` or `B2B`.")
    active: bool = strawberry.field(description="Whether the shop has activated the account.")
    on_hold: bool = strawberry.field(description="Whether the shop has put the account on hold.")
    status: CustomerStatus = strawberry.field(description="How far the customer has come with the shop.")
    shopper_reference: str = strawberry.field(description="Made at sign-up for payment providers; unique in the shop.")
    mixins: JSON = strawberry.field(description='The shop\'s own data by mixin: `{"loyalty": {"level": "gold"}}`.')
    anonymization_status: AnonymizationStatus | None = strawberry.field(
        description="How far the erasure of the customer's personal data has come; null when nobody asked for it."
    )
    last_login_at: datetime | None = strawberry.field(description="RFC 3339, UTC; null before the first login.")

    email_verified: bool = strawberry.field(
        resolver=_email_verified, description="Whether it is proven that `email` is the customer's."
    )
    b2b: B2BDetails | None = strawberry.field(
        resolver=_b2b, description="About the company; null for a customer who never said a word about one."
    )
    accounts: list[Account] = strawberry.field(
        resolver=_accounts, description="The ways to sign in: the password, and social identities."
    )
    groups: list[CustomerGroup] = strawberry.field(
        resolver=_groups, description="The groups that the shop has put the customer into, by their code."
    )
    addresses: list[Address] = strawberry.field(
        resolver=_addresses,
        description="The customer's addresses, the default first; with `tag` (`BILLING`) only those that have it.",
    )
    payment_instruments: list[PaymentInstrument] = strawberry.field(
        resolver=_payment_instruments,
        description="The customer's ways to pay, the default first. `FORBIDDEN`, and the operation is not run, "
        "for an integration without the scope `payments.read`, and on behalf where it, or the user in whose name "
        "it acts, lacks it.",
        directives=[Allow(kinds=[*OWN, TokenKind.INTEGRATION], scope=Scope.PAYMENTS_READ)],
    )
    product_lists: list[ProductList] = strawberry.field(
        resolver=_product_lists,
        description="The customer's wish lists, gift registries and the like, the oldest first.",
    )
    anonymization_info: AnonymizationInfo | None = strawberry.field(
        resolver=_anonymization_info, description="The latest request to anonymize the customer, if there was any."
    )
    metadata: Metadata = strawberry.field(resolver=_metadata, description="About the record itself.")


present_customer = Presenter(CustomerProfile, Customer)


@strawberry.input(description="A company that the customer says to buy for.")
class LegalEntityInput:
    """Name, id and the customer's place; unconfirmed until the shop confirms it."""

    name: str = strawberry.field(description="`Analytical Engines Ltd`. At most 200 characters.")
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The company's id, where it has one with the shop; else one is made."
    )
    contact_assignment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The customer's place in the company, where it has a number: `91033918`. At most 100 characters.",
    )


@strawberry.input(description="What a business customer says about the company.")
class B2BInput:
    """Registration number and legal entities."""

    company_registration_id: str | None = strawberry.field(default=strawberry.UNSET, description="`HRB 12345`.")
    legal_entities: list[LegalEntityInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="At most 20. Replaces what the customer said before; what the shop has confirmed stays.",
    )


@strawberry.input
class ProfileInput:
    """The fields of the profile, whoever writes them."""

    title: str | None = strawberry.field(default=strawberry.UNSET, description="`Dr.` At most 50 characters.")
    first_name: str | None = strawberry.field(default=strawberry.UNSET, description="`Ada`. At most 100 characters.")
    middle_name: str | None = strawberry.field(default=strawberry.UNSET, description="`King`. At most 100 characters.")
    last_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="`Lovelace`. At most 100 characters."
    )
    contact_email: str | None = strawberry.field(default=strawberry.UNSET, description="Where the shop writes to.")
    contact_phone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="In E.164, or national by the country of the customer's site, or of an address given with it.",
    )
    company: str | None = strawberry.field(default=strawberry.UNSET, description="At most 200 characters.")
    preferred_language: str | None = strawberry.field(
        default=strawberry.UNSET, description="`en-US` or `en_US`; answered as BCP 47."
    )
    preferred_currency: str | None = strawberry.field(default=strawberry.UNSET, description="ISO 4217: `EUR`.")
    preferred_site: str | None = strawberry.field(
        default=strawberry.UNSET, description="The id of one of the shop's sites; see `storefront`."
    )
    business_model: BusinessModel | None = strawberry.field(
        default=strawberry.UNSET, description="`B2C` or `B2B`; left out, whoever names a company becomes `B2B`."
    )
    mixins: JSON | None = strawberry.field(
        default=strawberry.UNSET, description="The shop's own data by mixin, merged into what there is (RFC 7396)."
    )


@strawberry.input(description="The customer's profile.")
class CustomerDetailsInput(ProfileInput):
    """What people may write about themselves."""

    b2b: B2BInput | None = strawberry.field(default=strawberry.UNSET, description="About the company.")


@strawberry.input(description="Which version of the profile the change was made from.")
class MetadataInput:
    """The version last read."""

    version: int = strawberry.field(description="`me { metadata { version } }` as it was read.")


@strawberry.input(description="What to change of the profile: a field left out stays, null clears.")
class UpdateMeInput(CustomerDetailsInput):
    """A merge patch of the profile."""

    metadata: MetadataInput | None = strawberry.field(
        default=strawberry.UNSET, description="Give it to be told when somebody was faster (`VERSION_CONFLICT`)."
    )


@strawberry.type
class UpdateMePayload:
    """Answer of `updateMe`."""

    customer: Customer | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class CustomerQueries:
    """Root query fields about the customer."""

    @query(
        kinds=(TokenKind.ANONYMOUS, *OWN),
        session_scope=SessionScope.PROFILE_READ,
        null_for_guests=True,
        initial_password=True,
    )
    def me(self, info: Info) -> Customer | None:
        """The customer whose token it is; null for an anonymous session.

        Who: an anonymous session, a customer, or staff on their behalf.
        Errors: `UNAUTHENTICATED`: refresh, or begin anew with `anonymousLogin`; `FORBIDDEN` for an integration token:
        it asks for `customer`.
        """
        return present_customer.or_none(info.context.caller.customer)


@strawberry.type
class CustomerMutations:
    """Root mutation fields about the customer."""

    @mutation(kinds=OWN, session_scope=SessionScope.PROFILE_WRITE)
    async def update_me(self, info: Info, input: UpdateMeInput) -> UpdateMePayload:
        """Change the own profile: a field left out stays, null clears; all faults are told at once.

        Who: a customer, or staff on their behalf.
        User errors: `TOO_LONG`, `INVALID`, `INVALID_EMAIL`, `INVALID_PHONE`, `INVALID_LANGUAGE`, `INVALID_CURRENCY`,
        `REQUIRED`, `LIMIT_REACHED`: show them at the field; `VERSION_CONFLICT`: read `me` again and let the
        person decide.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        version = input.metadata.version if input.metadata else None
        customer = await service.update_me(info.context.uow, to_patch(input, "metadata"), version)
        return UpdateMePayload(customer=present_customer(customer))
