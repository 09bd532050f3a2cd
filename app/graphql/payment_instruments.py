"""Payment instruments in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.scopes import SessionScope
from app.graphql.addresses import OWN
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.fields import mutation
from app.graphql.inputs import to_patch
from app.graphql.presenting import Presenter
from app.models import payment_instruments as models
from app.services.accounts import payment_instruments as service


@strawberry.type(description="A way to pay, as the payment provider knows it; never a card number.")
class PaymentInstrument:
    """The instrument as clients see it; its leaves are attributes of the row."""

    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    token: str = strawberry.field(description="What the payment provider calls it: `pm_1MvQa2`.")
    brand: str = strawberry.field(description="`visa`, `paypal`, `sepa_debit` …")
    last4: str | None = strawberry.field(description="The last four digits: `4242`.")
    expiry_month: int | None = strawberry.field(description="1 to 12.")
    expiry_year: int | None = strawberry.field(description="Four digits: `2031`.")
    holder_name: str | None = strawberry.field(description="`Ada Lovelace`")
    is_default: bool = strawberry.field(
        description="Whether it is the default; exactly one instrument is, if there is any."
    )


present_payment_instrument = Presenter(models.PaymentInstrument, PaymentInstrument)


@strawberry.input(description="A new payment instrument.")
class AddPaymentInstrumentInput:
    """An instrument without its id."""

    token: str = strawberry.field(
        description="What the payment provider issued: `pm_1MvQa2`. At most 255 characters. A card number is refused."
    )
    brand: str = strawberry.field(description="`visa`, `paypal` … At most 50 characters.")
    last4: str | None = strawberry.field(default=strawberry.UNSET, description="The last four digits: `4242`.")
    expiry_month: int | None = strawberry.field(default=strawberry.UNSET, description="1 to 12; with `expiryYear`.")
    expiry_year: int | None = strawberry.field(default=strawberry.UNSET, description="`2031`; with `expiryMonth`.")
    holder_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="`Ada Lovelace`. At most 200 characters."
    )
    is_default: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Make it the default. The first instrument becomes it anyway."
    )


@strawberry.input(description="What to change of a payment instrument: a field left out stays, null clears.")
class UpdatePaymentInstrumentInput:
    """A merge patch of an instrument."""

    id: strawberry.ID = strawberry.field(description="Which instrument.")
    token: str | None = strawberry.UNSET
    brand: str | None = strawberry.UNSET
    last4: str | None = strawberry.UNSET
    expiry_month: int | None = strawberry.UNSET
    expiry_year: int | None = strawberry.UNSET
    holder_name: str | None = strawberry.UNSET
    is_default: bool | None = strawberry.UNSET


@strawberry.input(description="Which payment instrument to remove.")
class DeletePaymentInstrumentInput:
    """The instrument's id."""

    id: strawberry.ID


@strawberry.type
class AddPaymentInstrumentPayload:
    """Answer of `addPaymentInstrument`."""

    payment_instrument: PaymentInstrument | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class UpdatePaymentInstrumentPayload:
    """Answer of `updatePaymentInstrument`."""

    payment_instrument: PaymentInstrument | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class DeletePaymentInstrumentPayload:
    """Answer of `deletePaymentInstrument`."""

    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the payment instrument that is gone."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class PaymentInstrumentMutations:
    """Root mutation fields about payment instruments."""

    @mutation(kinds=OWN, session_scope=SessionScope.PAYMENT_WRITE)
    async def add_payment_instrument(self, info: Info, input: AddPaymentInstrumentInput) -> AddPaymentInstrumentPayload:
        """Keep a way to pay by the payment provider's token. The first one becomes the default.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`: show them at the field; `INVALID` there too, also for anything that looks
        like a card number: take the provider's token; `LIMIT_REACHED` when there are 50: ask to delete one.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        added = await service.add_payment_instrument(info.context.uow, to_patch(input))
        return AddPaymentInstrumentPayload(payment_instrument=present_payment_instrument(added))

    @mutation(kinds=OWN, session_scope=SessionScope.PAYMENT_WRITE)
    async def update_payment_instrument(
        self, info: Info, input: UpdatePaymentInstrumentInput
    ) -> UpdatePaymentInstrumentPayload:
        """Change one of the caller's own payment instruments: a field left out stays, null clears.

        Who: a customer, or staff on their behalf.
        User errors: as `addPaymentInstrument`; `NOT_FOUND`: read the payment instruments again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        changed = await service.update_payment_instrument(info.context.uow, input.id, to_patch(input, "id"))
        return UpdatePaymentInstrumentPayload(payment_instrument=present_payment_instrument(changed))

    @mutation(kinds=OWN, session_scope=SessionScope.PAYMENT_WRITE)
    async def delete_payment_instrument(
        self, info: Info, input: DeletePaymentInstrumentInput
    ) -> DeletePaymentInstrumentPayload:
        """Remove one of the caller's own payment instruments. If it was the default, the oldest left becomes it.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND`: it is gone already, or another customer's.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        deleted_id = await service.delete_payment_instrument(info.context.uow, input.id)
        return DeletePaymentInstrumentPayload(deleted_id=strawberry.ID(deleted_id))
