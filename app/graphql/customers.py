"""The customer in GraphQL."""

from __future__ import annotations

from datetime import datetime

import strawberry
import strawberry.federation
from strawberry.scalars import JSON

from app.domain.anonymizations import AnonymizationStatus
from app.domain.principal import TokenKind
from app.domain.scopes import Scope, SessionScope
from app.graphql.addresses import OWN, Address, TagArgument, present_address
from app.graphql.anonymizations import AnonymizationInfo, present_anonymization
from app.graphql.context import Info
from app.graphql.enums import describe_enum
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import Allow, mutation, query
from app.graphql.inputs import to_patch
from app.graphql.payment_instruments import PaymentInstrument, present_payment_instrument
from app.graphql.presenting import Presenter
from app.graphql.product_lists import ProductList, present_product_lists
from app.graphql.sign_in_methods import (
    Passkey,
    SecondFactor,
    SignInMethods,
    present_passkey,
    resolve_second_factor,
    resolve_sign_in_methods,
)
from app.models.customers import BusinessModel, CustomerProfile, CustomerStatus
from app.models.groups import CustomerGroupColumns
from app.models.social import SocialIdentity
from app.services.accounts import addresses as address_service
from app.services.accounts import customers as service
from app.services.accounts import legal_entities as legal_entity_service
from app.services.accounts import merged_accounts as merged_account_service
from app.services.accounts import passkeys as passkey_service
from app.services.accounts import payment_instruments as payment_instrument_service
from app.services.accounts import product_lists as product_list_service
from app.services.privacy import anonymizations as anonymization_service
from app.services.sessions.login_steps import is_phone_proved
from app.services.social import identities as social_service

describe_enum(
    BusinessModel,
    "Whether the customer buys as a person or for a company.",
    {BusinessModel.B2C: "As a person.", BusinessModel.B2B: "For a company."},
)
describe_enum(
    CustomerStatus,
    "How often the customer has ordered.",
    {
        CustomerStatus.PROSPECT: "The customer has not ordered yet.",
        CustomerStatus.ACQUIRED: "The customer has ordered once.",
        CustomerStatus.REPEAT: "The customer has ordered more than once.",
    },
)

Row = strawberry.Parent[CustomerProfile]


@strawberry.type(description="A company that the customer buys for.")
class LegalEntity:
    """One legal entity and the customer's place in it."""

    id: strawberry.ID = strawberry.field(
        description="The id of the company: `acme-gmbh`. Pass it to `refresh` to buy for this company. It is the same "
        "for all customers of the company: a cache of several customers goes by `contactAssignmentId`."
    )
    name: str = strawberry.field(description="The name of the company: `Analytical Engines Ltd`.")
    contact_assignment_id: strawberry.ID = strawberry.field(
        description="The id of the customer's place in the company: `91033918`, as it was given, or else an id that "
        "we made."
    )
    confirmed: bool = strawberry.field(
        description="Whether the shop has confirmed that the customer may buy for this company."
    )


@strawberry.type(description="The registration number and the companies of a business customer.")
class B2BDetails:
    """Registration number and legal entities."""

    company_registration_id: str | None = strawberry.field(
        description="The registration number of the company: `HRB 12345`."
    )
    legal_entities: list[LegalEntity] = strawberry.field(
        description="The companies that the customer buys for, confirmed or not."
    )


@strawberry.type(description="A way to sign in: the password, or a social account.")
class Account:
    """The password, or one social identity."""

    id: strawberry.ID = strawberry.field(
        description="The id of this way to sign in, for `unlinkSocialAccount`. It never changes, and no two accounts "
        "have the same one."
    )
    provider: str = strawberry.field(description="`password`, or the id of the social provider: `google`.")
    email: str | None = strawberry.field(
        description="The e-mail address that signs in, or that the social provider reported: `ada@example.com`."
    )
    email_verified: bool = strawberry.field(
        description="Whether the customer, or the social provider, has proven that the address is the customer's."
    )


@strawberry.type(description="A group of customers. The shop's other systems decide prices and markets by it.")
class CustomerGroup:
    """The group as clients see it; its leaves are attributes of the row."""

    id: strawberry.ID = strawberry.field(description="The id of the group. It never changes.")
    name: str = strawberry.field(description="The name, for people: `Wholesale`.")
    code: str = strawberry.field(
        description="The code, for programs: `wholesale`. It is unique in the shop, and in the saas token."
    )
    private_markets: list[str] = strawberry.field(description='Markets that only certain groups see: `["outlet"]`.')


present_group = Presenter(CustomerGroupColumns, CustomerGroup)


@strawberry.type(description="About the record of the customer itself.")
class Metadata:
    """Version, times and schemas."""

    version: int = strawberry.field(
        description="The number of the version: `7`. Send it with a change to learn if "
        "somebody else changed the customer first."
    )
    created_at: datetime = strawberry.field(description="When the customer was created.")
    updated_at: datetime = strawberry.field(description="When the customer was changed last.")
    mixins: JSON = strawberry.field(
        description='The JSON Schemas of the shop\'s mixins, by name: `{"loyalty": {"type": "object"}}`.'
    )


def _email_verified(row: Row) -> bool:
    return row.email_verified_at is not None


def _phone_verified(row: Row) -> bool:
    return is_phone_proved(row)


def _email_bounced(row: Row) -> bool:
    return row.email is not None and row.email_bounced_at is not None


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
    """Return a social identity as a way to sign in."""
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
        # The password has no row of its own, and an id of its own all the same.
        account_id = strawberry.ID(f"password:{row.id}")
        password = Account(id=account_id, provider="password", email=row.email, email_verified=verified)
        accounts.insert(0, password)
    return accounts


async def _addresses(row: Row, info: Info, tag: TagArgument = None) -> list[Address]:
    return present_address.each(await address_service.addresses(info.context.uow, row.id, tag))


async def _passkeys(row: Row, info: Info) -> list[Passkey]:
    return present_passkey.each(await passkey_service.passkeys(info.context.uow, row.id))


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


async def _merged_into(row: Row, info: Info) -> strawberry.ID | None:
    survivor = await merged_account_service.merged_into(info.context.uow, row)
    return strawberry.ID(survivor) if survivor is not None else None


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

    id: strawberry.ID = strawberry.field(description="The id of the customer. It never changes.")
    customer_number: str = strawberry.field(
        description="The number that people read out: `48210937`. It is unique in the shop."
    )
    email: str | None = strawberry.field(description="The e-mail address that signs in: `ada@example.com`.")
    title: str | None = strawberry.field(description="The title: `Dr.`")
    first_name: str | None = strawberry.field(description="The first name: `Ada`.")
    middle_name: str | None = strawberry.field(description="The middle name: `King`.")
    last_name: str | None = strawberry.field(description="The last name: `Lovelace`.")
    contact_email: str | None = strawberry.field(
        description="The e-mail address that the shop writes to: `ada@example.com`. It can differ from the login "
        "address."
    )
    contact_phone: str | None = strawberry.field(
        description="The phone number, in E.164: `+493012345678`. A national number of an unknown country stays as "
        "it was "
        "typed: `123456789`."
    )
    company: str | None = strawberry.field(description="The name of the company: `Analytical Engines Ltd`.")
    preferred_language: str | None = strawberry.field(description="The preferred language, by BCP 47: `en-US`.")
    preferred_currency: str | None = strawberry.field(description="The preferred currency, by ISO 4217: `EUR`.")
    preferred_site: str | None = strawberry.field(description="The id of the preferred site of the shop: `main`.")
    business_model: BusinessModel = strawberry.field(
        description="Whether the customer buys as a person or for a company."
    )
    active: bool = strawberry.field(description="Whether the account is active. If not, nobody can log in.")
    phone_verified: bool = strawberry.field(
        resolver=_phone_verified,
        description="Whether the customer has proved by a code that messages to `contactPhone` reach them.",
    )
    second_factor_required: bool = strawberry.field(
        description="Whether the shop wants a second factor of this customer at each login."
    )
    on_hold: bool = strawberry.field(
        description="Whether the shop has put the account on hold. If so, nobody can log in."
    )
    status: CustomerStatus = strawberry.field(description="How often the customer has ordered.")
    shopper_reference: str = strawberry.field(
        description="The reference of the customer for payment providers: `shopper-4711`. It is unique in the shop."
    )
    mixins: JSON = strawberry.field(description='The shop\'s own data, by mixin: `{"loyalty": {"level": "gold"}}`.')
    anonymization_status: AnonymizationStatus | None = strawberry.field(
        description="How far the anonymization has come. Null if it was never requested."
    )
    last_login_at: datetime | None = strawberry.field(
        description="When the customer logged in last. Null before the first login."
    )

    email_verified: bool = strawberry.field(
        resolver=_email_verified, description="Whether the customer has proven that `email` is theirs."
    )
    email_bounced: bool = strawberry.field(
        resolver=_email_bounced,
        description="Whether the last mail to `email` came back for good: ask the customer for another address. It is "
        "false again as soon as a mail arrives. For integrations: `FORBIDDEN`, and the operation is not run, for "
        "everybody else.",
        directives=[Allow(kinds=[TokenKind.INTEGRATION], scope=Scope.CUSTOMERS_READ)],
    )
    b2b: B2BDetails | None = strawberry.field(
        resolver=_b2b, description="About the company. Null if the customer has named none."
    )
    accounts: list[Account] = strawberry.field(
        resolver=_accounts, description="The ways to sign in: the password, and social accounts."
    )
    passkeys: list[Passkey] = strawberry.field(
        resolver=_passkeys, description="The passkeys that the customer can sign in with, the oldest first."
    )
    sign_in_methods: SignInMethods = strawberry.field(
        resolver=resolve_sign_in_methods, description="All that the customer can sign in with."
    )
    second_factor: SecondFactor | None = strawberry.field(
        resolver=resolve_second_factor,
        description="The app with codes, and the recovery codes for it. Null where the shop has no second factors.",
    )
    groups: list[CustomerGroup] = strawberry.field(
        resolver=_groups, description="The groups that the shop has put the customer into, sorted by code."
    )
    addresses: list[Address] = strawberry.field(
        resolver=_addresses, description="The customer's addresses, the default first."
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
        description="The customer's wish lists, gift registries and other lists, the oldest first.",
    )
    anonymization_info: AnonymizationInfo | None = strawberry.field(
        resolver=_anonymization_info,
        description="The latest request to anonymize the customer. Null if there was none.",
    )
    merged_into: strawberry.ID | None = strawberry.field(
        resolver=_merged_into,
        description="Of an account that `mergeAccounts` has closed: the id of the customer who has all of it today. "
        "Null of every account that is in use.",
    )
    metadata: Metadata = strawberry.field(
        resolver=_metadata, description="About the record itself: version, times, schemas."
    )


present_customer = Presenter(CustomerProfile, Customer)


@strawberry.input(description="A company that the customer buys for, by their own word.")
class LegalEntityInput:
    """Name, id and the customer's place; unconfirmed until the shop confirms it."""

    name: str = strawberry.field(
        description="The name of the company: `Analytical Engines Ltd`. At most 200 characters."
    )
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The id that the shop has for the company: `acme-gmbh`. Left out: we make one.",
    )
    contact_assignment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The id of the customer's place in the company: `91033918`. At most 100 characters. Left out: we "
        "make one.",
    )


COMPANY_REGISTRATION_ID = "The registration number of the company: `HRB 12345`. At most 100 characters."


@strawberry.input(description="The registration number and the companies of a business customer.")
class B2BInput:
    """Registration number and legal entities."""

    company_registration_id: str | None = strawberry.field(
        default=strawberry.UNSET, description=COMPANY_REGISTRATION_ID
    )
    legal_entities: list[LegalEntityInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The companies that the customer buys for, at most 20. They replace those the customer named "
        "before; those "
        "the shop has confirmed stay.",
    )


@strawberry.input(description="The profile of a customer.")
class ProfileInput:
    """The fields of the profile that customers and staff write."""

    title: str | None = strawberry.field(
        default=strawberry.UNSET, description="The title: `Dr.` At most 50 characters."
    )
    first_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The first name: `Ada`. At most 100 characters."
    )
    middle_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The middle name: `King`. At most 100 characters."
    )
    last_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The last name: `Lovelace`. At most 100 characters."
    )
    contact_email: str | None = strawberry.field(
        default=strawberry.UNSET, description="The e-mail address that the shop writes to: `ada@example.com`."
    )
    contact_phone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The phone number: `+493012345678`, or as it is dialed in the country of the site or of an "
        "address in "
        "the same call: `030 12345678`.",
    )
    company: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The name of the company: `Analytical Engines Ltd`. At most 200 characters.",
    )
    preferred_language: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The preferred language: `en-US` or `en_US`. A device may send its locale as it is, such as "
        "`en-US-u-fw-mon-mu-celsius`: what is not language, script or region is dropped.",
    )
    preferred_currency: str | None = strawberry.field(
        default=strawberry.UNSET, description="The preferred currency, by ISO 4217: `EUR`."
    )
    preferred_site: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The id of the preferred site, one of `storefront { sites { id } }`: `main`.",
    )
    business_model: BusinessModel | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether the customer buys as a person or for a company. If it is left out and a company is named, "
        "it becomes `B2B`.",
    )
    mixins: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description='The shop\'s own data, by mixin: `{"loyalty": {"level": "gold"}}`. It is merged into the data so '
        "far "
        "(RFC 7396).",
    )


@strawberry.input(description="The customer's profile.")
class CustomerDetailsInput(ProfileInput):
    """What people may write about themselves."""

    b2b: B2BInput | None = strawberry.field(
        default=strawberry.UNSET, description="About the company that the customer buys for."
    )


@strawberry.input(description="The version of the customer that the change was made from.")
class MetadataInput:
    """The version last read."""

    version: int = strawberry.field(description="`metadata { version }` of the customer, as it was read: `7`.")


@strawberry.input(description="What to change in the profile. A field left out stays as it is; null clears it.")
class UpdateMeInput(CustomerDetailsInput):
    """A merge patch of the profile."""

    metadata: MetadataInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="The version that was read. If somebody else changed the customer "
        "first, the answer is `VERSION_CONFLICT`.",
    )


@strawberry.type(description="The changed profile, or what to correct.")
class UpdateMePayload:
    """Answer of `updateMe`."""

    customer: Customer | None = strawberry.field(default=None, description="The customer after the change.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


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
        """The customer whose token it is. Null for an anonymous session.

        Who: an anonymous session, a customer, or staff on their behalf.
        Errors: `UNAUTHENTICATED`: refresh, or begin again with `anonymousLogin`; `FORBIDDEN` for an integration token:
        call `customer` instead.
        """
        return present_customer.or_none(info.context.caller.customer)


@strawberry.type
class CustomerMutations:
    """Root mutation fields about the customer."""

    @mutation(kinds=OWN, session_scope=SessionScope.PROFILE_WRITE)
    async def update_me(self, info: Info, input: UpdateMeInput) -> UpdateMePayload:
        """Change the caller's own profile. A field left out stays as it is; null clears it. All errors come at once.

        Who: a customer, or staff on their behalf.
        User errors: `TOO_LONG`, `INVALID`, `INVALID_EMAIL`, `INVALID_PHONE`, `INVALID_LANGUAGE`, `INVALID_CURRENCY`,
        `REQUIRED`, `LIMIT_REACHED`: show them at the field; `VERSION_CONFLICT`: read `me` again and let the
        person decide.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        version = input.metadata.version if input.metadata else None
        customer = await service.update_me(info.context.uow, to_patch(input, "metadata"), version)
        return UpdateMePayload(customer=present_customer(customer))
