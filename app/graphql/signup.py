"""Sign-up in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.addresses import AddressInput
from app.graphql.changed_customers import ChangesCustomer
from app.graphql.context import Info
from app.graphql.customers import CustomerDetailsInput
from app.graphql.enums import describe_enum
from app.graphql.errors import EMAIL_SUGGESTION, REMARKS_BY_PATH, USER_ERRORS, UserError, present_each
from app.graphql.fields import ANYONE, mutation
from app.graphql.inputs import HOW_TO_CHOOSE, to_patch
from app.graphql.proofs import KEPT_UNPROVEN_DATA
from app.services.accounts import confirmations
from app.services.accounts import signup as service
from app.services.accounts.signup import Registration, SignupStatus

describe_enum(
    SignupStatus,
    "What has to happen before the first login.",
    {
        SignupStatus.ACTIVE: "Nothing: the customer can log in.",
        SignupStatus.CONFIRMATION_SENT: "The customer has to open the mailed link.",
        SignupStatus.AWAITING_ACTIVATION: "The shop has to activate the account.",
    },
)


@strawberry.input(description="Login credentials that differ from the contact address.")
class SignupCredentialsInput:
    """Login address and password."""

    email: str = strawberry.field(description="The login address: `ada@example.com`.")
    password: str | None = strawberry.field(
        default=None, description=f"{HOW_TO_CHOOSE} Needed, unless the shop has no passwords."
    )


@strawberry.input(description="A new customer.")
class SignupInput:
    """Credentials, profile and first address."""

    email: str | None = strawberry.field(
        default=None, description="The login address: `ada@example.com`. With `signup`: only the contact address."
    )
    password: str | None = strawberry.field(
        default=None, description=f"{HOW_TO_CHOOSE} Not needed with `signup`, nor where the shop has no passwords."
    )
    customer_details: CustomerDetailsInput | None = strawberry.field(
        default=None, description="The profile of the customer."
    )
    customer_address: AddressInput | None = strawberry.field(
        default=None, description="The first address of the customer."
    )
    signup: SignupCredentialsInput | None = strawberry.field(
        default=None, description="Login credentials that differ from the contact address."
    )


@strawberry.input(description="The token of the mailed link, and who has signed up.")
class ConfirmSignupInput:
    """The one-time token and the password."""

    token: str = strawberry.field(description="The `token` of the link.")
    password: str | None = strawberry.field(
        default=None,
        description="The password of the sign-up. Left out in the session that signed up; ask for it on "
        "`PASSWORD_REQUIRED`, when the link was opened on another device.",
    )


@strawberry.type(description="The new customer, and what comes before the first login; or what to correct.")
class SignupPayload:
    """Answer of `signup`."""

    customer_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the new customer.")
    status: SignupStatus | None = strawberry.field(
        default=None, description="What has to happen before the first login."
    )
    remarks: list[UserError] = strawberry.field(default_factory=list, description=REMARKS_BY_PATH)
    email_suggestion: str | None = strawberry.field(default=None, description=EMAIL_SUGGESTION)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The confirmed customer, or why nothing was confirmed.")
class ConfirmSignupPayload(ChangesCustomer):
    """Answer of `confirmSignup`."""

    customer_id: strawberry.ID | None = strawberry.field(default=None, description="The confirmed customer's id.")
    kept_unproven_data: bool = strawberry.field(default=False, description=KEPT_UNPROVEN_DATA)
    already_confirmed: bool | None = strawberry.field(
        default=None, description="True: the link was used before, and nothing is left to do but `login`."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="Who is to get the confirmation mail again.")
class ResendConfirmationInput:
    """The address that signed up."""

    email: str = strawberry.field(description="The login address: `ada@example.com`.")


@strawberry.type(description="Whether the request was accepted, or what to correct.")
class ResendConfirmationPayload:
    """Answer of `resendConfirmation`."""

    accepted: bool | None = strawberry.field(
        default=None, description="True, whether or not this address has to be confirmed."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class SignupMutations:
    """Root mutation fields of sign-up."""

    @mutation(kinds=(TokenKind.ANONYMOUS,), session_scope=SessionScope.CUSTOMER_SIGNUP, takes_credentials=True)
    async def signup(self, info: Info, input: SignupInput) -> SignupPayload:
        """Create a customer account. All errors come at once.

        For an address that is taken, shops that confirm addresses or activate accounts answer just the same, and the
        owner of the address gets a mail. Where addresses are confirmed, the customer is made by `confirmSignup`, with
        the id of this answer. An address of which nobody has proved that it is theirs gets a link in every shop.
        Who: an anonymous session.
        User errors: `REQUIRED`, `INVALID`, `TOO_LONG`, `INVALID_EMAIL`, `INVALID_COUNTRY`, `INVALID_PHONE`,
        `INVALID_LANGUAGE`, `INVALID_CURRENCY`, `LIMIT_REACHED`, `PASSWORD_TOO_SHORT`, `PASSWORD_TOO_LONG`,
        `PASSWORD_TOO_COMMON`, `PASSWORD_TOO_PERSONAL`, and in a strict shop `INVALID_ZIP_CODE`, `INVALID_STATE`: show
        them at the field; `PASSWORD_LOGIN_OFF`: leave the password out; `EMAIL_TAKEN`, only if sign-up is open: offer
        `login`.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log out first; `RATE_LIMITED`,
        `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        signed_up = await service.signup(info.context.uow, _registration(input))
        return SignupPayload(
            customer_id=strawberry.ID(signed_up.customer_id),
            status=signed_up.status,
            remarks=present_each(signed_up.remarks),
            email_suggestion=signed_up.email_suggestion,
        )

    @mutation(kinds=ANYONE, takes_credentials=True)
    async def confirm_signup(self, info: Info, input: ConfirmSignupInput) -> ConfirmSignupPayload:
        """Confirm the login address with the token from the mailed link. Then log in.

        The token finishes the sign-up that it was mailed for, and no other; the first that is confirmed ends all others
        with the same address. Send the access token of the session that signed up, or the password of the sign-up:
        a mail scanner that opens the link changes nothing. Opened again, it answers `alreadyConfirmed`.
        Who: anyone with the token.
        User errors: `TOKEN_INVALID`, `TOKEN_EXPIRED`: offer `resendConfirmation`; `PASSWORD_REQUIRED`: ask for the
        password, the token still works; `INVALID_CREDENTIALS` at `password`: show it at the field.
        Errors: `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        confirmed = await confirmations.confirm_signup(info.context.uow, input.token, input.password)
        return ConfirmSignupPayload(
            changed_id=confirmed.customer_id,
            customer_id=strawberry.ID(confirmed.customer_id),
            already_confirmed=confirmed.already,
            kept_unproven_data=confirmed.kept_unproven_data,
        )

    @mutation(
        kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER),
        session_scope=SessionScope.CREDENTIALS_RECOVER,
        takes_credentials=True,
    )
    async def resend_confirmation(self, info: Info, input: ResendConfirmationInput) -> ResendConfirmationPayload:
        """Mail the link that confirms a new customer's address once more; its earlier links no longer work.

        It is the link of this session's own sign-up, or else of the latest with the address. Who is confirmed already
        is mailed that.

        The answer is the same whether or not the address is known, and whether or not it has to be confirmed.
        Who: an anonymous session, or a customer.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID_EMAIL`: show them at the field.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log in yourself; `RATE_LIMITED`: wait
        `retryAfter` seconds.
        """
        await confirmations.resend_confirmation(info.context.uow, input.email)
        return ResendConfirmationPayload(accepted=True)


def _registration(input: SignupInput) -> Registration:
    # A form sends an empty text for a field that nobody has filled in: that is no second pair of credentials.
    credentials = input.signup if input.signup and (input.signup.email or input.signup.password) else None
    return Registration(
        email=input.email,
        password=input.password,
        login_email=credentials.email if credentials else None,
        login_password=credentials.password if credentials else None,
        details=to_patch(input.customer_details) if input.customer_details else {},
        address=to_patch(input.customer_address) if input.customer_address else None,
    )
