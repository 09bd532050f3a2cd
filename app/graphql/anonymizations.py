"""Anonymization and the export of a customer's own data in GraphQL."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from app.domain.anonymizations import AnonymizationStatus
from app.domain.principal import TokenKind
from app.domain.scopes import Scope, SessionScope
from app.graphql.changed_customers import ChangesCustomer
from app.graphql.context import Info
from app.graphql.enums import describe_enum
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation
from app.graphql.presenting import Presenter
from app.models import anonymizations as models
from app.services.accounts.closed_accounts import CUSTOMER_TYPE
from app.services.privacy import anonymizations as service
from app.services.privacy import data_export

describe_enum(
    AnonymizationStatus,
    "How far the anonymization of a customer has come.",
    {
        AnonymizationStatus.REQUESTED: "The account is closed; the erasure begins at `dueAt`.",
        AnonymizationStatus.IN_PROGRESS: "The personal data are being erased.",
        AnonymizationStatus.DONE: "The personal data are erased.",
        AnonymizationStatus.CANCELED: "The request was canceled; the account is open again.",
        AnonymizationStatus.FAILED: "An attempt has failed; the next one is at `nextAttemptAt`.",
    },
)

Row = strawberry.Parent[models.Anonymization]


@strawberry.type(description="Who asked for the anonymization.")
class Requester:
    """A user of the organisation, or the customer."""

    id: strawberry.ID | None = strawberry.field(
        description="The id of the customer or of the organisation's user. Only integrations see the id of a user; "
        "for others "
        "it is null."
    )
    type: str = strawberry.field(description="`User` for a user of the organisation, `Customer` for the customer.")


def _requester(row: Row, info: Info) -> Requester:
    # The ids of an organisation's users are not for customers: they learn only that it was a user.
    caller = info.context.caller.principal
    is_told = row.requester_type == CUSTOMER_TYPE or (caller is not None and caller.kind is TokenKind.INTEGRATION)
    return Requester(id=strawberry.ID(row.requester_id) if is_told else None, type=row.requester_type)


def _next_attempt_at(row: Row) -> datetime | None:
    return row.next_attempt_at if row.status == AnonymizationStatus.FAILED else None


@strawberry.type(description="A request to anonymize a customer, and how far it has come.")
class AnonymizationInfo:
    """The request as clients see it; its leaves are attributes of the row."""

    status: AnonymizationStatus = strawberry.field(description="How far it has come.")
    requested_at: datetime = strawberry.field(description="When it was requested. Since then nobody can log in.")
    due_at: datetime = strawberry.field(description="When the erasure begins. Until then the request can be canceled.")
    started_at: datetime | None = strawberry.field(description="When the erasure began. Null before that.")
    completed_at: datetime | None = strawberry.field(
        description="When all personal data were erased. Null before that."
    )
    canceled_at: datetime | None = strawberry.field(description="When the request was canceled. Null if it was not.")
    attempts: int = strawberry.field(description="How often the erasure was begun: `1`.")
    failed_at: datetime | None = strawberry.field(description="When an attempt failed last. Null if none did.")

    requester: Requester = strawberry.field(resolver=_requester, description="Who asked for it.")
    next_attempt_at: datetime | None = strawberry.field(
        resolver=_next_attempt_at, description="When the next attempt begins. Null unless `status` is `FAILED`."
    )


present_anonymization = Presenter(models.Anonymization, AnonymizationInfo)


@strawberry.input(description="The customer to anonymize.")
class RequestAnonymizationInput:
    """The customer for an integration, the password for the customer."""

    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="For an integration: the id of the customer. A customer leaves it out."
    )
    password: str | None = strawberry.field(
        default=None, description="For a customer: the password. It may be left out within ten minutes of a login."
    )


@strawberry.input(description="The customer whose anonymization to cancel.")
class CancelAnonymizationInput:
    """The customer for an integration, the mailed token for anybody else."""

    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="For an integration: the id of the customer."
    )
    token: str | None = strawberry.field(
        default=None,
        description="For a customer, who cannot log in: the parameter `token` of the mailed link: `cg_ot_…`.",
    )


@strawberry.input(description="The password, as proof that the customer asks.")
class ExportMyDataInput:
    """The password."""

    password: str | None = strawberry.field(
        default=None, description="The password. It may be left out within ten minutes of a login."
    )


@strawberry.type(description="The request, or why it was not accepted.")
class RequestAnonymizationPayload(ChangesCustomer):
    """Answer of `requestAnonymization`."""

    anonymization_info: AnonymizationInfo | None = strawberry.field(
        default=None, description="The request and its `dueAt`."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The canceled request, or why it was not canceled.")
class CancelAnonymizationPayload(ChangesCustomer):
    """Answer of `cancelAnonymization`."""

    anonymization_info: AnonymizationInfo | None = strawberry.field(default=None, description="The canceled request.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The data, or what to correct.")
class ExportMyDataPayload:
    """Answer of `exportMyData`."""

    data: JSON | None = strawberry.field(
        default=None,
        description='The data: `{"exportedAt": …, "customer": {…}, "addresses": [{…}], …}`.',
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class AnonymizationMutations:
    """Root mutation fields about the erasure and the export of personal data."""

    @mutation(
        kinds=(TokenKind.CUSTOMER, TokenKind.INTEGRATION),
        owner_scope=Scope.CUSTOMERS_PRIVACY,
        takes_credentials=True,
        session_scope=SessionScope.PRIVACY,
    )
    async def request_anonymization(
        self, info: Info, input: RequestAnonymizationInput | None = None
    ) -> RequestAnonymizationPayload:
        """Request the erasure of all personal data of a customer. It begins after the shop's delay, at `dueAt`.

        At once the account is closed: sessions, on-behalf access, mailed links and social logins under way end, and
        nobody logs in any more. Id, customer number, shopper reference, status and the references of orders stay; the
        e-mail address is free again when it is done. What is left of accounts that were joined with it
        (`mergeAccounts`) is erased with it. The customer gets a mail; who asked for it themself finds in it the link
        for `cancelAnonymization`.
        Who: an integration with the scope `customers.privacy`, whose token is owned by a user of the shop who has it
        too; or the customer where the shop allows it; not staff on their behalf.
        User errors: `REQUIRED`, `NOT_FOUND` at `customerId`: there is no such customer; `ANONYMIZATION_OPEN` at
        `customerId`: it was requested already; `ACCOUNT_MERGED` at `customerId`: ask for the customer in its
        `mergedInto`; `INVALID_CREDENTIALS` at `password`: show it at the field.
        Errors: `UNAUTHENTICATED`: refresh or log in, or get a new token at `/oauth/token`; `FORBIDDEN`: the token or
        its owner lacks the scope, or the shop does not allow it; `REAUTHENTICATION_REQUIRED`: ask for the password and
        send it along; `RATE_LIMITED`,
        `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        wanted = input or RequestAnonymizationInput()
        requested = await service.request_anonymization(info.context.uow, wanted.customer_id, wanted.password)
        return RequestAnonymizationPayload(
            changed_id=requested.customer_id, anonymization_info=present_anonymization(requested)
        )

    @mutation(
        kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER, TokenKind.INTEGRATION),
        owner_scope=Scope.CUSTOMERS_PRIVACY,
        takes_credentials=True,
        session_scope=SessionScope.PRIVACY_CANCEL,
    )
    async def cancel_anonymization(
        self, info: Info, input: CancelAnonymizationInput | None = None
    ) -> CancelAnonymizationPayload:
        """Cancel a request to anonymize a customer, before the erasure begins. Then the customer can log in again.

        Who: an integration with the scope `customers.anonymize` and a token whose owner has this scope too; or an
        anonymous session or a customer, with the token that was mailed to the customer who made the request. The token
        alone decides for which customer.
        User errors: `REQUIRED`, `NOT_FOUND` at `customerId`: there is no such customer; `REQUIRED`, `TOKEN_INVALID`,
        `TOKEN_EXPIRED` at `token`: refer to the shop; `ANONYMIZATION_NOT_CANCELABLE`: the erasure has begun, or nothing
        is requested.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`, or get a new token at `/oauth/token`; `FORBIDDEN`: the
        token or its owner lacks the scope; `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        wanted = input or CancelAnonymizationInput()
        canceled = await service.cancel_anonymization(info.context.uow, wanted.customer_id, wanted.token)
        return CancelAnonymizationPayload(
            changed_id=canceled.customer_id, anonymization_info=present_anonymization(canceled)
        )

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.PRIVACY, takes_credentials=True)
    async def export_my_data(self, info: Info, input: ExportMyDataInput | None = None) -> ExportMyDataPayload:
        """Export all data that this service stores about the customer, as JSON. Hashes and secrets are left out.

        `mergedAccounts` is what is left of accounts that were joined with this one (`mergeAccounts`), each like this.
        Who: the customer; not staff on their behalf.
        User errors: `INVALID_CREDENTIALS` at `password`: show it at the field.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself; `REAUTHENTICATION_REQUIRED`: ask for
        the password and send it along; `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        password = input.password if input else None
        return ExportMyDataPayload(data=JSON(await data_export.export_my_data(info.context.uow, password)))
