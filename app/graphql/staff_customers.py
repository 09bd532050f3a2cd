"""Customers as staff and their systems work with them, in GraphQL."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import Scope
from app.graphql.addresses import AddressInput
from app.graphql.connections import PageInfo
from app.graphql.context import Info
from app.graphql.customers import COMPANY_REGISTRATION_ID, Customer, MetadataInput, ProfileInput, present_customer
from app.graphql.errors import REMARKS_BY_PATH, USER_ERRORS, UserError, present_each
from app.graphql.fields import mutation, query
from app.graphql.inputs import to_patch
from app.models.customers import CustomerStatus
from app.services.staff import customers as service
from app.services.staff import search as search_service
from app.services.staff.new_customers import NewCustomer
from app.services.staff.search import CustomerPage

STAFF = (TokenKind.INTEGRATION,)
LEGAL_ENTITIES = "All companies that the customer buys for, at most 20. To confirm one, name it by its id."
IN_PLACE_OF_BOTH = "Give this, or `companyRegistrationId` and `legalEntities`, but not both."


@strawberry.input(
    description="Which customers to list: those to whom all conditions apply. A field that is left out "
    "or null is no condition."
)
class CustomerFilter:
    """All conditions hold at once."""

    email: str | None = strawberry.field(
        default=strawberry.UNSET, description="The whole login address: `ada@example.com`."
    )
    email_prefix: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="How the login address begins: `ada@`. The list is then sorted by address.",
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="How the name begins, last name first: `lovelace, a`. Case and accents do not matter. For "
        "customers "
        "without a name, how the company begins. The list is then sorted by name.",
    )
    search: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Words as staff type them: `luczak krakow`. Each has to begin some word of the name, the company, "
        "a phone number, an address or an e-mail address, in any order. Case, accents, apostrophes and hyphens do not "
        "matter: `obrien` finds `O'Brien`, `strasse` finds `Straße`. An international domain is found in either "
        "spelling, a phone number with or without its calling code. At most 16 words. The list is then sorted by last "
        "name, first name and id.",
    )
    customer_number: str | None = strawberry.field(
        default=strawberry.UNSET, description="The whole customer number: `48210937`."
    )
    status: CustomerStatus | None = strawberry.field(
        default=strawberry.UNSET, description="How often the customer has ordered."
    )
    group_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The id of a customer group that the customer is in."
    )
    active: bool | None = strawberry.field(
        default=strawberry.UNSET, description="True: only active accounts; false: only inactive ones."
    )
    on_hold: bool | None = strawberry.field(
        default=strawberry.UNSET, description="True: only accounts on hold; false: only the others."
    )


@strawberry.type(description="A customer, and the cursor of their place in the list.")
class CustomerEdge:
    """Customer and cursor."""

    node: Customer = strawberry.field(description="The customer.")
    cursor: str = strawberry.field(
        description="The place of this customer in the list. Send it in `after` to read on from here."
    )


@strawberry.type(description="A page of customers.")
class CustomerConnection:
    """The customers twice: plain, and with their cursors."""

    nodes: list[Customer] = strawberry.field(description="The customers of the page.")
    edges: list[CustomerEdge] = strawberry.field(description="The same customers, each with its cursor.")
    page_info: PageInfo = strawberry.field(description="Whether there are more pages, and how to read them.")


@strawberry.input(description="A company that the customer buys for, as staff assign it.")
class LegalEntityAssignmentInput:
    """The company, and whether the shop confirms the customer's place in it."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The id of the company: `acme-gmbh`. Left out: we make one."
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The name: `Analytical Engines Ltd`. Needed, unless the customer has the company already.",
    )
    contact_assignment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The id of the customer's place in the company: `91033918`. At most 100 characters. Left out: we "
        "make one.",
    )
    confirmed: bool = strawberry.field(
        default=True, description="Whether the customer may buy for this company with `refresh`."
    )


@strawberry.input(description="The registration number and the companies of a business customer, as staff assign them.")
class B2BAssignmentInput:
    """Registration number and legal entities, in the shape in which customers write them."""

    company_registration_id: str | None = strawberry.field(
        default=strawberry.UNSET, description=COMPANY_REGISTRATION_ID
    )
    legal_entities: list[LegalEntityAssignmentInput] | None = strawberry.field(
        default=strawberry.UNSET, description=LEGAL_ENTITIES
    )


@strawberry.input(description="A new customer.")
class CreateCustomerInput(ProfileInput):
    """Address, profile, and what only staff decide."""

    email: str | None = strawberry.field(
        default=None,
        description="The login address: `ada@example.com`. It is the contact address too, unless `contactEmail` is "
        "given. "
        "Left out: `contactEmail` is the login address.",
    )
    email_verified: bool = strawberry.field(
        default=False, description="True if staff know that the address is the customer's."
    )
    password: str | None = strawberry.field(
        default=None,
        description="An initial password, which the customer is asked to change. Without one nobody can log in until "
        "there is a password, by `createPasswordResetToken` or `requestPasswordReset`, or a social login.",
    )
    customer_number: str | None = strawberry.field(
        default=None,
        description="A number from another system: `48210937`. At most 32 characters. Left out: we make one.",
    )
    shopper_reference: str | None = strawberry.field(
        default=None,
        description="The reference for payment providers: `shopper-4711`. 3 to 128 characters, unique in the shop. "
        "Left "
        "out: we make one.",
    )
    active: bool = strawberry.field(
        default=True, description="False: nobody can log in until `updateCustomer` sets it to true."
    )
    on_hold: bool = strawberry.field(
        default=False, description="True: nobody can log in until `updateCustomer` sets it to false."
    )
    group_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="The ids of the customer groups to put the customer into."
    )
    company_registration_id: str | None = strawberry.field(
        default=strawberry.UNSET, description=COMPANY_REGISTRATION_ID
    )
    legal_entities: list[LegalEntityAssignmentInput] = strawberry.field(
        default_factory=list, description=LEGAL_ENTITIES
    )
    b2b: B2BAssignmentInput | None = strawberry.field(default=strawberry.UNSET, description=IN_PLACE_OF_BOTH)
    addresses: list[AddressInput] = strawberry.field(
        default_factory=list,
        description="The addresses, at most 100. The default is the one with `isDefault`, or else the first.",
    )


@strawberry.input(description="What to change in a customer. A field left out stays as it is; null clears it.")
class UpdateCustomerInput(ProfileInput):
    """A merge patch of the profile, and what only staff decide."""

    id: strawberry.ID = strawberry.field(description="The id of the customer to change.")
    active: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="False: nobody can log in; all sessions, on-behalf access and mailed tokens end at once.",
    )
    second_factor_required: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="True: each login of this customer needs a second factor, in a shop that leaves that to staff "
        '(`require_second_factor = "staff_marked"`). Null changes nothing.',
    )
    on_hold: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="True: nobody can log in; all sessions, on-behalf access and mailed tokens end at once.",
    )
    shopper_reference: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The reference for payment providers: `shopper-4711`. 3 to 128 characters, unique in the shop. It "
        "cannot be cleared.",
    )
    group_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The ids of all groups that the customer is to be in. The customer leaves the others.",
    )
    company_registration_id: str | None = strawberry.field(
        default=strawberry.UNSET, description=COMPANY_REGISTRATION_ID
    )
    legal_entities: list[LegalEntityAssignmentInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All companies that the customer buys for, at most 20; the others are removed. To confirm one, "
        "or to "
        "withdraw that, name it by its id.",
    )
    b2b: B2BAssignmentInput | None = strawberry.field(default=strawberry.UNSET, description=IN_PLACE_OF_BOTH)
    metadata: MetadataInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="The version that was read. If somebody else changed the customer "
        "first, the answer is `VERSION_CONFLICT`.",
    )


@strawberry.input(description="The customer who is to set a password.")
class CreatePasswordResetTokenInput:
    """The customer's id."""

    customer_id: strawberry.ID = strawberry.field(description="The id of the customer.")


@strawberry.type(description="The new customer, or what to correct.")
class CreateCustomerPayload:
    """Answer of `createCustomer`."""

    customer: Customer | None = strawberry.field(default=None, description="The new customer.")
    remarks: list[UserError] = strawberry.field(default_factory=list, description=REMARKS_BY_PATH)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The changed customer, or what to correct.")
class UpdateCustomerPayload:
    """Answer of `updateCustomer`."""

    customer: Customer | None = strawberry.field(default=None, description="The customer after the change.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The token, or why there is none.")
class CreatePasswordResetTokenPayload:
    """Answer of `createPasswordResetToken`."""

    token: str | None = strawberry.field(
        default=None,
        description="The token for `resetPassword`: `cg_ot_…`. Mail it to the customer and do not store it.",
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When the token expires.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class StaffCustomerQueries:
    """Root query fields about any customer."""

    @query(kinds=STAFF, scope=Scope.CUSTOMERS_READ)
    async def customer(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="The id of the customer.")] = None,
        customer_number: Annotated[
            str | None, strawberry.argument(description="The customer number: `48210937`.")
        ] = None,
        email: Annotated[str | None, strawberry.argument(description="The login address: `ada@example.com`.")] = None,
        shopper_reference: Annotated[
            str | None, strawberry.argument(description="The reference for payment providers: `shopper-4711`.")
        ] = None,
    ) -> Customer | None:
        """One customer of the shop, by exactly one of the arguments. Null if there is no such customer.

        Who: an integration with the scope `customers.read`.
        Errors: `BAD_REQUEST`: give exactly one argument; `UNAUTHENTICATED`: get a new token at
        `/oauth/token`; `FORBIDDEN`: the token lacks the scope.
        """
        found = await search_service.customer(
            info.context.uow,
            customer_id=id,
            customer_number=customer_number,
            email=email,
            shopper_reference=shopper_reference,
        )
        return present_customer(found) if found is not None else None

    @query(kinds=STAFF, scope=Scope.CUSTOMERS_READ)
    async def customers(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description="How many customers a page has: 1 to 100.")] = 20,
        after: Annotated[
            str | None,
            strawberry.argument(description="The `endCursor` of the page before. Left out: the first page."),
        ] = None,
        filter: Annotated[
            CustomerFilter | None,
            strawberry.argument(description="Which customers to list. Left out: all of them."),
        ] = None,
    ) -> CustomerConnection:
        """The customers of the shop, page by page, in the order of their creation; `filter` may change the order.

        If a customer is added or changed while you page, no other customer comes twice or is left out.
        Who: an integration with the scope `customers.read`.
        Errors: `BAD_REQUEST`: `first` must be 1 to 100, `after` an `endCursor` of the same filter, and `search` has at
        most 16 words;
        `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token lacks the scope.
        """
        terms = to_patch(filter) if filter is not None else {}
        return _present_page(await search_service.customers(info.context.uow, first, after, terms))


def _present_page(page: CustomerPage) -> CustomerConnection:
    nodes = [present_customer(each) for each in page.customers]
    return CustomerConnection(
        nodes=nodes,
        edges=[CustomerEdge(node=node, cursor=cursor) for node, cursor in zip(nodes, page.cursors, strict=True)],
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        ),
    )


@strawberry.type
class StaffCustomerMutations:
    """Root mutation fields about any customer."""

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_WRITE)
    async def create_customer(self, info: Info, input: CreateCustomerInput) -> CreateCustomerPayload:
        """Create a customer, with or without a password. No mail is sent. All errors come at once.

        Who: an integration with the scope `customers.write`; with `password` it must have `customers.credentials` too.
        User errors: `REQUIRED`, `INVALID`, `TOO_SHORT`, `TOO_LONG`, `INVALID_EMAIL`, `INVALID_COUNTRY`,
        `INVALID_PHONE`, `INVALID_LANGUAGE`, `INVALID_CURRENCY`, `LIMIT_REACHED`, `PASSWORD_TOO_SHORT`,
        `PASSWORD_TOO_LONG`, `PASSWORD_TOO_COMMON`, `PASSWORD_TOO_PERSONAL`: show them at the field;
        `INVALID_ZIP_CODE`, `INVALID_STATE`, only in a strict shop: the address does not fit its country;
        `PASSWORD_LOGIN_OFF`: the shop has no passwords, leave it out; `EMAIL_TAKEN` at
        `email`: find the customer with `customer(email:)`; `TAKEN`: another customer has the number or the reference,
        choose another one; `NOT_FOUND` at `groupIds`: read `customerGroups` again.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token lacks the scope;
        `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        new = NewCustomer.of(to_patch(input, "password", "group_ids"))
        created = await service.create_customer(info.context.uow, new, input.password, input.group_ids)
        return CreateCustomerPayload(customer=present_customer(created.profile), remarks=present_each(created.remarks))

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_WRITE)
    async def update_customer(self, info: Info, input: UpdateCustomerInput) -> UpdateCustomerPayload:
        """Change a customer. A field left out stays as it is; null clears it. All errors come at once.

        If the customer becomes inactive or is put on hold, all sessions, on-behalf access and mailed tokens end at
        once.
        Who: an integration with the scope `customers.write`.
        User errors: `REQUIRED`, `INVALID`, `TOO_SHORT`, `TOO_LONG`, `INVALID_EMAIL`, `INVALID_PHONE`,
        `INVALID_LANGUAGE`, `INVALID_CURRENCY`, `LIMIT_REACHED`: show them at the field; `TAKEN` at `shopperReference`:
        another customer has it, choose another one; `NOT_FOUND`: at `id`, there is no such customer; at `groupIds`,
        read `customerGroups` again; `ANONYMIZATION_OPEN`: this customer can no longer be changed; `ACCOUNT_MERGED`: go
        on with the customer in its `mergedInto`; `VERSION_CONFLICT`:
        read the customer again and let the person decide.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token lacks the scope.
        """
        version = input.metadata.version if input.metadata else None
        patch = to_patch(input, "id", "metadata")
        updated = await service.update_customer(info.context.uow, input.id, patch, version)
        return UpdateCustomerPayload(customer=present_customer(updated))

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_CREDENTIALS)
    async def create_password_reset_token(
        self, info: Info, input: CreatePasswordResetTokenInput
    ) -> CreatePasswordResetTokenPayload:
        """Create a token with which a customer sets a new password (`resetPassword`). You mail it; we do not.

        Tokens made before, or mailed by `requestPasswordReset`, are worthless from then on.
        Who: an integration with the scope `customers.credentials`.
        User errors: `PASSWORD_LOGIN_OFF`: the shop has no passwords;
        `NOT_FOUND`: there is no such customer; `ANONYMIZATION_OPEN`: cancel that first, if it has not
        begun; `ACCOUNT_MERGED`: go on with the customer in its `mergedInto`; `ACCOUNT_INACTIVE`, `ACCOUNT_ON_HOLD`:
        change that first with `updateCustomer`; `INVALID`: the customer has no address to sign in with.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token lacks the scope.
        """
        made = await service.create_password_reset_token(info.context.uow, input.customer_id)
        return CreatePasswordResetTokenPayload(token=made.token, expires_at=made.expires_at)
