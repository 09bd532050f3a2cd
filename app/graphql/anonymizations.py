"""Anonymization and the export of one's own data in GraphQL."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

from app.domain.anonymizations import AnonymizationStatus
from app.domain.principal import TokenKind
from app.domain.scopes import Scope, SessionScope
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.fields import mutation
from app.graphql.presenting import Presenter
from app.models import anonymizations as models
from app.services.accounts.closed_accounts import CUSTOMER_TYPE
from app.services.privacy import anonymizations as service
from app.services.privacy import data_export

strawberry.enum(
    AnonymizationStatus,
    description="`REQUESTED`: closed and waiting; `IN_PROGRESS`: being erased; `DONE`: erased; `CANCELED`: open again; "
    "`FAILED`: an attempt failed, the next one follows.",
)

Row = strawberry.Parent[models.Anonymization]


@strawberry.type(description="Who asked for something.")
class Requester:
    """A user of the organisation, or the customer."""

    id: strawberry.ID | None = strawberry.field(
        description="Of the customer who asked; of the user of the organisation only for integrations, else null."
    )
    type: str = strawberry.field(
        description="`User` for somebody of the organisation, or `Customer` for who asked for it themself."
    )


def _requester(row: Row, info: Info) -> Requester:
    # An integration names its users to us, not to the customers: they learn of what kind it was.
    caller = info.context.caller.principal
    is_told = row.requester_type == CUSTOMER_TYPE or (caller is not None and caller.kind is TokenKind.INTEGRATION)
    return Requester(id=strawberry.ID(row.requester_id) if is_told else None, type=row.requester_type)


def _next_attempt_at(row: Row) -> datetime | None:
    return row.next_attempt_at if row.status == AnonymizationStatus.FAILED else None


@strawberry.type(description="A request to anonymize a customer, and how far it has come.")
class AnonymizationInfo:
    """The request as clients see it; its leaves are attributes of the row."""

    status: AnonymizationStatus
    requested_at: datetime = strawberry.field(description="RFC 3339, UTC. Since then nobody comes into the account.")
    due_at: datetime = strawberry.field(description="When the erasure begins; until then it can be canceled.")
    started_at: datetime | None = strawberry.field(description="When the erasure began.")
    completed_at: datetime | None = strawberry.field(description="When everything personal was erased.")
    canceled_at: datetime | None = strawberry.field(description="When it was canceled.")
    attempts: int = strawberry.field(description="How often the erasure was begun.")
    failed_at: datetime | None = strawberry.field(description="When an attempt failed last, if one did.")

    requester: Requester = strawberry.field(resolver=_requester, description="Who asked for it.")
    next_attempt_at: datetime | None = strawberry.field(
        resolver=_next_attempt_at, description="When it is tried again, while `status` is `FAILED`."
    )


present_anonymization = Presenter(models.Anonymization, AnonymizationInfo)


@strawberry.input(description="Who is to be anonymized.")
class RequestAnonymizationInput:
    """The customer for an integration, the password for the customer."""

    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="For an integration: which customer. A customer leaves it out."
    )
    password: str | None = strawberry.field(
        default=None, description="For a customer: the password. May be left out within ten minutes of a login."
    )


@strawberry.input(description="Whose anonymization is to be canceled.")
class CancelAnonymizationInput:
    """The customer for an integration, the mailed token for anybody else."""

    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="For an integration: which customer."
    )
    token: str | None = strawberry.field(
        default=None, description="For the customer, who cannot log in: the `token` of the mailed link."
    )


@strawberry.input(description="Proof that it is the customer who asks.")
class ExportMyDataInput:
    """The password."""

    password: str | None = strawberry.field(default=None, description="May be left out within ten minutes of a login.")


@strawberry.type
class RequestAnonymizationPayload:
    """Answer of `requestAnonymization`."""

    anonymization_info: AnonymizationInfo | None = strawberry.field(default=None, description="The request.")
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class CancelAnonymizationPayload:
    """Answer of `cancelAnonymization`."""

    anonymization_info: AnonymizationInfo | None = strawberry.field(default=None, description="The canceled request.")
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class ExportMyDataPayload:
    """Answer of `exportMyData`."""

    data: JSON | None = strawberry.field(
        default=None,
        description='All that is held, by noun: `{"exportedAt": …, "customer": {…}, "addresses": [{…}], …}`.',
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class AnonymizationMutations:
    """Root mutation fields about what becomes of personal data."""

    @mutation(
        kinds=(TokenKind.CUSTOMER, TokenKind.INTEGRATION),
        owner_scope=Scope.CUSTOMERS_PRIVACY,
        takes_credentials=True,
        session_scope=SessionScope.PRIVACY,
    )
    async def request_anonymization(
        self, info: Info, input: RequestAnonymizationInput | None = None
    ) -> RequestAnonymizationPayload:
        """Have all personal data of a customer erased for good, after the shop's delay (`dueAt`).

        At once the account is closed: sessions, on-behalf access, mailed links and social logins under way end, and
        nobody logs in any more. Id, customer number, shopper reference, status and the references of orders stay; the
        e-mail address is free again when it is done. The customer gets a mail; who asked for it themself finds in it
        the link for `cancelAnonymization`.
        Who: an integration with the scope `customers.privacy`, whose token is owned by a user of the shop who has it
        too; or the customer where the shop allows it; not staff on their behalf.
        User errors: `REQUIRED`, `NOT_FOUND` at `customerId`: there is no such customer; `ANONYMIZATION_OPEN` at
        `customerId`: it was asked for already; `INVALID_CREDENTIALS` at `password`: show it at the field.
        Errors: `UNAUTHENTICATED`: refresh or log in, or get a new token at `/oauth/token`; `FORBIDDEN`: the token or
        its owner may not; `REAUTHENTICATION_REQUIRED`: ask for the password and send it along; `RATE_LIMITED`,
        `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        wanted = input or RequestAnonymizationInput()
        requested = await service.request_anonymization(info.context.uow, wanted.customer_id, wanted.password)
        return RequestAnonymizationPayload(anonymization_info=present_anonymization(requested))

    @mutation(
        kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER, TokenKind.INTEGRATION),
        owner_scope=Scope.CUSTOMERS_PRIVACY,
        takes_credentials=True,
        session_scope=SessionScope.PRIVACY_CANCEL,
    )
    async def cancel_anonymization(
        self, info: Info, input: CancelAnonymizationInput | None = None
    ) -> CancelAnonymizationPayload:
        """Take a request to anonymize back, until the erasure begins; then the customer logs in anew.

        Who: an integration as for `requestAnonymization`; or anyone with the token that was mailed to the customer who
        asked for it, in an anonymous session or a customer's: the token alone decides whose account it is.
        User errors: `REQUIRED`, `NOT_FOUND` at `customerId`; `REQUIRED`, `TOKEN_INVALID`, `TOKEN_EXPIRED` at `token`:
        refer to the shop; `ANONYMIZATION_NOT_CANCELABLE`: it has begun, is done or canceled, or was never asked for.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`, or get a new token at `/oauth/token`; `FORBIDDEN`: the
        token or its owner may not; `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        wanted = input or CancelAnonymizationInput()
        canceled = await service.cancel_anonymization(info.context.uow, wanted.customer_id, wanted.token)
        return CancelAnonymizationPayload(anonymization_info=present_anonymization(canceled))

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.PRIVACY, takes_credentials=True)
    async def export_my_data(self, info: Info, input: ExportMyDataInput | None = None) -> ExportMyDataPayload:
        """All that the shop's customer system holds about the customer, as JSON; no hash and no secret is in it.

        Who: the customer; not staff on their behalf.
        User errors: `INVALID_CREDENTIALS` at `password`: show it at the field.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself; `REAUTHENTICATION_REQUIRED`: ask for
        the password and send it along; `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        password = input.password if input else None
        return ExportMyDataPayload(data=JSON(await data_export.export_my_data(info.context.uow, password)))
