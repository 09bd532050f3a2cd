"""Customers as staff and their systems work with them, in GraphQL."""

from __future__ import annotations

from datetime import datetime

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import Scope
from app.graphql.addresses import AddressInput
from app.graphql.connections import PageInfo
from app.graphql.context import Info
from app.graphql.customers import Customer, MetadataInput, ProfileInput, present_customer
from app.graphql.errors import UserError
from app.graphql.fields import mutation, query
from app.graphql.inputs import to_patch
from app.models.customers import CustomerStatus
from app.services.staff import customers as service
from app.services.staff import search as search_service
from app.services.staff.new_customers import NewCustomer
from app.services.staff.search import CustomerPage

STAFF = (TokenKind.INTEGRATION,)


@strawberry.input(description="What the customers must have in common; what is left out or null does not matter.")
class CustomerFilter:
    """All conditions hold at once."""

    email: str | None = strawberry.field(default=strawberry.UNSET, description="The whole address that signs in.")
    email_prefix: str | None = strawberry.field(
        default=strawberry.UNSET, description="How that address begins: `ada@`. The list is ordered by the address."
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="How the name begins, last name first, whatever case and accents: `lovelace, a`. For customers "
        "without any name the company counts. The list is ordered by the name.",
    )
    customer_number: str | None = strawberry.field(default=strawberry.UNSET, description="The whole number.")
    status: CustomerStatus | None = strawberry.field(
        default=strawberry.UNSET, description="How far the customer has come."
    )
    group_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="In this customer group.")
    active: bool | None = strawberry.field(default=strawberry.UNSET, description="Activated, or not.")
    on_hold: bool | None = strawberry.field(default=strawberry.UNSET, description="On hold, or not.")


@strawberry.type(description="A customer and the place in the list.")
class CustomerEdge:
    """Customer and cursor."""

    node: Customer
    cursor: str = strawberry.field(description="Opaque; give it as `after` to go on behind this customer.")


@strawberry.type(description="A page of customers.")
class CustomerConnection:
    """The customers twice: plain, and with their cursors."""

    nodes: list[Customer]
    edges: list[CustomerEdge]
    page_info: PageInfo


@strawberry.input(description="A company that the customer buys for.")
class LegalEntityAssignmentInput:
    """The company, and whether the shop confirms the customer's place in it."""

    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The company's id; left out, one is made."
    )
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="`Analytical Engines Ltd`; needed unless the customer has it already."
    )
    contact_assignment_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The customer's place in the company, where it has a number: `91033918`. At most 100 characters.",
    )
    confirmed: bool = strawberry.field(
        default=True, description="Only for a confirmed company can the customer buy (`refresh`)."
    )


@strawberry.input(description="The company, as `CustomerDetailsInput` has it for customers.")
class B2BAssignmentInput:
    """Registration number and legal entities, in the place where customers write them."""

    company_registration_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="`HRB 12345`. At most 100 characters."
    )
    legal_entities: list[LegalEntityAssignmentInput] | None = strawberry.field(
        default=strawberry.UNSET, description="At most 20."
    )


@strawberry.input(description="A new customer.")
class CreateCustomerInput(ProfileInput):
    """Address, profile, and what only staff decide."""

    email: str | None = strawberry.field(
        default=None,
        description="The address that signs in; the contact address too, unless one is given. Left out, `contactEmail` "
        "signs in.",
    )
    email_verified: bool = strawberry.field(
        default=False, description="True when staff know that the address is the customer's."
    )
    password: str | None = strawberry.field(
        default=None,
        description="An initial one, which the customer is asked to change. Without it nobody can log in until a "
        "password is set with `createPasswordResetToken`, `requestPasswordReset` or a social login.",
    )
    customer_number: str | None = strawberry.field(
        default=None, description="Another system's number, up to 32 characters; left out, one is made."
    )
    shopper_reference: str | None = strawberry.field(
        default=None, description="3 to 128 characters, unique in the shop; left out, one is made."
    )
    active: bool = strawberry.field(default=True, description="Whether the customer may log in at once.")
    on_hold: bool = strawberry.field(default=False, description="Whether the account is on hold from the start.")
    group_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="The customer groups to put the customer into."
    )
    company_registration_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="`HRB 12345`. At most 100 characters."
    )
    legal_entities: list[LegalEntityAssignmentInput] = strawberry.field(default_factory=list, description="At most 20.")
    b2b: B2BAssignmentInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="In the place of `companyRegistrationId` and `legalEntities`, and not beside them.",
    )
    addresses: list[AddressInput] = strawberry.field(
        default_factory=list, description="At most 100, one of them the default: the first unless one says so."
    )


@strawberry.input(description="What to change of a customer: a field left out stays, null clears.")
class UpdateCustomerInput(ProfileInput):
    """A merge patch of the profile, and what only staff decide."""

    id: strawberry.ID = strawberry.field(description="Which customer.")
    active: bool | None = strawberry.field(
        default=strawberry.UNSET, description="False ends every session, on-behalf access and mailed token at once."
    )
    on_hold: bool | None = strawberry.field(
        default=strawberry.UNSET, description="True ends every session, on-behalf access and mailed token at once."
    )
    shopper_reference: str | None = strawberry.field(
        default=strawberry.UNSET, description="3 to 128 characters, unique in the shop; cannot be cleared."
    )
    group_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="The customer's groups from now on: these and no others."
    )
    company_registration_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="`HRB 12345`. At most 100 characters."
    )
    legal_entities: list[LegalEntityAssignmentInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="The customer's companies from now on, at most 20: these and no others. Name one by its id to "
        "confirm it, or to withdraw that.",
    )
    b2b: B2BAssignmentInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="In the place of `companyRegistrationId` and `legalEntities`, and not beside them.",
    )
    metadata: MetadataInput | None = strawberry.field(
        default=strawberry.UNSET, description="Give it to be told when somebody was faster (`VERSION_CONFLICT`)."
    )


@strawberry.input(description="Whose password is to be set.")
class CreatePasswordResetTokenInput:
    """The customer's id."""

    customer_id: strawberry.ID


@strawberry.type
class CreateCustomerPayload:
    """Answer of `createCustomer`."""

    customer: Customer | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class UpdateCustomerPayload:
    """Answer of `updateCustomer`."""

    customer: Customer | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class CreatePasswordResetTokenPayload:
    """Answer of `createPasswordResetToken`."""

    token: str | None = strawberry.field(
        default=None, description="For `resetPassword`. Mail it to the customer and keep it nowhere."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="RFC 3339, UTC.")
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class StaffCustomerQueries:
    """Root query fields about any customer."""

    @query(kinds=STAFF, scope=Scope.CUSTOMERS_READ)
    async def customer(
        self,
        info: Info,
        id: strawberry.ID | None = None,
        customer_number: str | None = None,
        email: str | None = None,
        shopper_reference: str | None = None,
    ) -> Customer | None:
        """One customer of the shop, by exactly one of these; null when there is none.

        Who: an integration with the scope `customers.read`.
        Errors: `BAD_REQUEST`: give one argument, not none or several; `UNAUTHENTICATED`: get a new token at
        `/oauth/token`; `FORBIDDEN`: the token has not the scope.
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
        self, info: Info, first: int = 20, after: str | None = None, filter: CustomerFilter | None = None
    ) -> CustomerConnection:
        """The customers of the shop, page by page: in the order of their creation, or by what is searched.

        A customer who is added or changed while you page does not move the others: none comes twice or is left out.
        Who: an integration with the scope `customers.read`.
        Errors: `BAD_REQUEST`: `first` is 1 to 100, and `after` an `endCursor` of the same filter; `UNAUTHENTICATED`:
        get a new token at `/oauth/token`; `FORBIDDEN`: the token has not the scope.
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
        """Make a customer, with or without a password; no mail is sent. All faults are told at once.

        Who: an integration with the scope `customers.write`; with `password` it must have `customers.credentials` too.
        User errors: `REQUIRED`, `INVALID`, `TOO_SHORT`, `TOO_LONG`, `INVALID_EMAIL`, `INVALID_COUNTRY`,
        `INVALID_PHONE`, `INVALID_LANGUAGE`, `INVALID_CURRENCY`, `LIMIT_REACHED`, `PASSWORD_TOO_SHORT`,
        `PASSWORD_TOO_LONG`, `PASSWORD_TOO_COMMON`, `PASSWORD_TOO_PERSONAL`: put them right; `EMAIL_TAKEN`: find the
        customer with `customer(email:)`; `TAKEN`: another customer has the number or the shopper reference;
        `NOT_FOUND`: read `customerGroups` again.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token has not the scope;
        `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        new = NewCustomer.of(to_patch(input, "password", "group_ids"))
        created = await service.create_customer(info.context.uow, new, input.password, input.group_ids)
        return CreateCustomerPayload(customer=present_customer(created))

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_WRITE)
    async def update_customer(self, info: Info, input: UpdateCustomerInput) -> UpdateCustomerPayload:
        """Change a customer: a field left out stays, null clears; all faults are told at once.

        Who becomes inactive or is put on hold is out at once: sessions, on-behalf access and mailed tokens end.
        Who: an integration with the scope `customers.write`.
        User errors: as `updateMe`; `TOO_SHORT`, `REQUIRED`: the shopper reference has 3 to 128 characters; `TAKEN`:
        another customer has it; `NOT_FOUND`: there is no such customer, or no such group; `ANONYMIZATION_OPEN`: nothing
        is written about this customer any more; `VERSION_CONFLICT`: read
        the customer again and decide anew.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token has not the scope.
        """
        version = input.metadata.version if input.metadata else None
        patch = to_patch(input, "id", "metadata")
        updated = await service.update_customer(info.context.uow, input.id, patch, version)
        return UpdateCustomerPayload(customer=present_customer(updated))

    @mutation(kinds=STAFF, scope=Scope.CUSTOMERS_CREDENTIALS)
    async def create_password_reset_token(
        self, info: Info, input: CreatePasswordResetTokenInput
    ) -> CreatePasswordResetTokenPayload:
        """Make a token by which a customer sets a new password with `resetPassword`; you mail it, we do not.

        Tokens made before, or mailed by `requestPasswordReset`, are worthless from then on.
        Who: an integration with the scope `customers.credentials`.
        User errors: `NOT_FOUND`: there is no such customer; `ANONYMIZATION_OPEN`: cancel that first, if it has not
        begun; `ACCOUNT_INACTIVE`, `ACCOUNT_ON_HOLD`: change that first with `updateCustomer`; `INVALID`: the customer
        has no address to sign in with.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN`: the token has not the scope.
        """
        made = await service.create_password_reset_token(info.context.uow, input.customer_id)
        return CreatePasswordResetTokenPayload(token=made.token, expires_at=made.expires_at)
