"""Payment instruments in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.scopes import SessionScope
from app.graphql.addresses import OWN
from app.graphql.changed_customers import ChangesOwnCustomer
from app.graphql.context import Info
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation
from app.graphql.inputs import patch_field, to_patch
from app.graphql.presenting import Presenter
from app.models import payment_instruments as models
from app.services.accounts import payment_instruments as service


@strawberry.type(description="A way to pay that the payment provider has stored. It never contains a card number.")
class PaymentInstrument:
    """The instrument as clients see it; its leaves are attributes of the row."""

    id: strawberry.ID = strawberry.field(description="The id of the payment instrument. It never changes.")
    token: str = strawberry.field(description="The payment provider's token for it: `pm_1MvQa2`.")
    brand: str = strawberry.field(description="The kind: `visa`, `paypal` or `sepa_debit`, for example.")
    last4: str | None = strawberry.field(description="The last four digits: `4242`.")
    expiry_month: int | None = strawberry.field(description="The month in which it expires, 1 to 12: `6`.")
    expiry_year: int | None = strawberry.field(description="The year in which it expires: `2031`.")
    holder_name: str | None = strawberry.field(description="The name of its holder: `Ada Lovelace`.")
    is_default: bool = strawberry.field(
        description="Whether it is the default. If there is any payment instrument, exactly one is the default."
    )


present_payment_instrument = Presenter(models.PaymentInstrument, PaymentInstrument)


@strawberry.input(description="A new payment instrument.")
class AddPaymentInstrumentInput:
    """An instrument without its id."""

    token: str = strawberry.field(
        description="The token that the payment provider issued: `pm_1MvQa2`. At most 255 characters. A card number "
        "is refused."
    )
    brand: str = strawberry.field(description="The kind: `visa` or `paypal`, for example. At most 50 characters.")
    last4: str | None = strawberry.field(default=strawberry.UNSET, description="The last four digits: `4242`.")
    expiry_month: int | None = strawberry.field(
        default=strawberry.UNSET, description="The month in which it expires, 1 to 12: `6`. Give `expiryYear` as well."
    )
    expiry_year: int | None = strawberry.field(
        default=strawberry.UNSET, description="The year in which it expires: `2031`. Give `expiryMonth` as well."
    )
    holder_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The name of its holder: `Ada Lovelace`. At most 200 characters."
    )
    is_default: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="True: make it the default. The first payment instrument always becomes the default.",
    )


@strawberry.input(
    description="What to change in a payment instrument. A field left out stays as it is; null clears it."
)
class UpdatePaymentInstrumentInput:
    """A merge patch of an instrument."""

    id: strawberry.ID = strawberry.field(description="The id of the payment instrument to change.")
    token: str | None = patch_field(AddPaymentInstrumentInput, "token")
    brand: str | None = patch_field(AddPaymentInstrumentInput, "brand")
    last4: str | None = patch_field(AddPaymentInstrumentInput, "last4")
    expiry_month: int | None = patch_field(AddPaymentInstrumentInput, "expiry_month")
    expiry_year: int | None = patch_field(AddPaymentInstrumentInput, "expiry_year")
    holder_name: str | None = patch_field(AddPaymentInstrumentInput, "holder_name")
    is_default: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="True: make it the default. False is refused for the default: make another one the default.",
    )


@strawberry.input(description="The payment instrument to delete.")
class DeletePaymentInstrumentInput:
    """The instrument's id."""

    id: strawberry.ID = strawberry.field(description="The id of the payment instrument to delete.")


@strawberry.type(description="The new payment instrument, or what to correct.")
class AddPaymentInstrumentPayload(ChangesOwnCustomer):
    """Answer of `addPaymentInstrument`."""

    payment_instrument: PaymentInstrument | None = strawberry.field(
        default=None, description="The new payment instrument."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The changed payment instrument, or what to correct.")
class UpdatePaymentInstrumentPayload(ChangesOwnCustomer):
    """Answer of `updatePaymentInstrument`."""

    payment_instrument: PaymentInstrument | None = strawberry.field(
        default=None, description="The payment instrument after the change."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The id of the deleted payment instrument, or why it was not deleted.")
class DeletePaymentInstrumentPayload(ChangesOwnCustomer):
    """Answer of `deletePaymentInstrument`."""

    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the deleted payment instrument."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class PaymentInstrumentMutations:
    """Root mutation fields about payment instruments."""

    @mutation(kinds=OWN, session_scope=SessionScope.PAYMENT_WRITE)
    async def add_payment_instrument(self, info: Info, input: AddPaymentInstrumentInput) -> AddPaymentInstrumentPayload:
        """Add a way to pay, by the token of the payment provider. The first one becomes the default.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`: show them at the field (a card number is `INVALID`: send the
        token of the payment provider); `LIMIT_REACHED`: the customer has 50, ask to delete one.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        added = await service.add_payment_instrument(info.context.uow, to_patch(input))
        return AddPaymentInstrumentPayload(payment_instrument=present_payment_instrument(added))

    @mutation(kinds=OWN, session_scope=SessionScope.PAYMENT_WRITE)
    async def update_payment_instrument(
        self, info: Info, input: UpdatePaymentInstrumentInput
    ) -> UpdatePaymentInstrumentPayload:
        """Change one of the caller's own payment instruments. A field left out stays as it is; null clears it.

        Who: a customer, or staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID`: show them at the field (a card number is `INVALID`: send the
        token of the payment provider); `NOT_FOUND` at `id`: read the payment instruments again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        changed = await service.update_payment_instrument(info.context.uow, input.id, to_patch(input, "id"))
        return UpdatePaymentInstrumentPayload(payment_instrument=present_payment_instrument(changed))

    @mutation(kinds=OWN, session_scope=SessionScope.PAYMENT_WRITE)
    async def delete_payment_instrument(
        self, info: Info, input: DeletePaymentInstrumentInput
    ) -> DeletePaymentInstrumentPayload:
        """Delete one of the caller's own payment instruments. If it was the default, the oldest left becomes it.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND` at `id`: the caller has no such payment instrument, read them again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        deleted_id = await service.delete_payment_instrument(info.context.uow, input.id)
        return DeletePaymentInstrumentPayload(deleted_id=strawberry.ID(deleted_id))
