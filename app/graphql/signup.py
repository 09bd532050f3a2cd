"""Sign-up in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.addresses import AddressInput
from app.graphql.context import Info
from app.graphql.customers import CustomerDetailsInput
from app.graphql.enums import describe_enum
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import ANYONE, mutation
from app.graphql.inputs import HOW_TO_CHOOSE, to_patch
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
    password: str = strawberry.field(description=HOW_TO_CHOOSE)


@strawberry.input(description="A new customer.")
class SignupInput:
    """Credentials, profile and first address."""

    email: str | None = strawberry.field(
        default=None, description="The login address: `ada@example.com`. With `signup`: only the contact address."
    )
    password: str | None = strawberry.field(default=None, description=f"{HOW_TO_CHOOSE} With `signup`: not needed.")
    customer_details: CustomerDetailsInput | None = strawberry.field(
        default=None, description="The profile of the customer."
    )
    customer_address: AddressInput | None = strawberry.field(
        default=None, description="The first address of the customer."
    )
    signup: SignupCredentialsInput | None = strawberry.field(
        default=None, description="Login credentials that differ from the contact address."
    )


@strawberry.input(description="The token from the mailed link.")
class ConfirmSignupInput:
    """The one-time token."""

    token: str = strawberry.field(description="The parameter `token` of the mailed link: `cg_ot_…`.")


@strawberry.type(description="The new customer, and what comes before the first login; or what to correct.")
class SignupPayload:
    """Answer of `signup`."""

    customer_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the new customer.")
    status: SignupStatus | None = strawberry.field(
        default=None, description="What has to happen before the first login."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The confirmed customer, or why nothing was confirmed.")
class ConfirmSignupPayload:
    """Answer of `confirmSignup`."""

    customer_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the confirmed customer.")
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

        If the address is taken and sign-up is not open (`storefront { signupMode }`), the answer is the same as for a
        free one, and the owner of the address gets a mail.
        Who: an anonymous session.
        User errors: `REQUIRED`, `INVALID`, `TOO_LONG`, `INVALID_EMAIL`, `INVALID_COUNTRY`, `INVALID_PHONE`,
        `INVALID_LANGUAGE`, `INVALID_CURRENCY`, `LIMIT_REACHED`, `PASSWORD_TOO_SHORT`, `PASSWORD_TOO_LONG`,
        `PASSWORD_TOO_COMMON`, `PASSWORD_TOO_PERSONAL`: show them at the field; `EMAIL_TAKEN`, only if sign-up is
        open: offer `login`.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log out first; `RATE_LIMITED`,
        `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        signed_up = await service.signup(info.context.uow, _registration(input))
        return SignupPayload(customer_id=strawberry.ID(signed_up.customer_id), status=signed_up.status)

    @mutation(kinds=ANYONE, takes_credentials=True)
    async def confirm_signup(self, info: Info, input: ConfirmSignupInput) -> ConfirmSignupPayload:
        """Confirm the login address with the token from the mailed link. Then log in.

        The token works once. Only the same session and the same customer may send it again; the answer is the same.
        Who: anyone with the token.
        User errors: `TOKEN_INVALID`, `TOKEN_EXPIRED`: offer `resendConfirmation`.
        Errors: `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        customer_id = await confirmations.confirm_signup(info.context.uow, input.token)
        return ConfirmSignupPayload(customer_id=strawberry.ID(customer_id))

    @mutation(
        kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER),
        session_scope=SessionScope.CREDENTIALS_RECOVER,
        takes_credentials=True,
    )
    async def resend_confirmation(self, info: Info, input: ResendConfirmationInput) -> ResendConfirmationPayload:
        """Mail the link that confirms a new customer's address again. The earlier links no longer work.

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
