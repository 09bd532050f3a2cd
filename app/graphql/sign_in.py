"""Logins that take more than one call, in GraphQL."""

from __future__ import annotations

import strawberry
from strawberry.scalars import JSON

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.context import Info
from app.graphql.fields import mutation
from app.graphql.sessions import LoginPayload, present_login
from app.services.sign_in.complete_login import complete_login


@strawberry.input(description="The ticket of the login, and exactly one answer.")
class CompleteLoginInput:
    """Ticket and answer."""

    ticket: str = strawberry.field(
        description="The ticket of `nextStep`, or of `requestLoginCode` or `beginPasskeyLogin` in the same session."
    )
    password: str | None = strawberry.field(default=None, description="The password, exactly as typed.")
    email_code: str | None = strawberry.field(default=None, description="The six digits of the mail: `482109`.")
    phone_code: str | None = strawberry.field(default=None, description="The six digits of the message: `482109`.")
    passkey: JSON | None = strawberry.field(
        default=None,
        description="What the browser answered to the options of `beginPasskeyLogin`: `credential.toJSON()`, an "
        "AuthenticationResponseJSON (WebAuthn Level 3).",
    )
    totp: str | None = strawberry.field(default=None, description="The six digits that the app shows: `482109`.")
    recovery_code: str | None = strawberry.field(
        default=None, description="One of the ten recovery codes: `k7mq2xw9fd`. Blanks, hyphens and case do not matter."
    )
    remember_device: bool = strawberry.field(
        default=False,
        description="True: on this device no second factor is asked for while the shop's `remember_device_days` last. "
        "Give the `deviceToken` of the answer to the next `login`. Only for a device that is the customer's own.",
    )


@strawberry.type
class SignInMutations:
    """Root mutation fields of logins that take more than one call."""

    @mutation(kinds=(TokenKind.ANONYMOUS,), session_scope=SessionScope.CUSTOMER_LOGIN, takes_credentials=True)
    async def complete_login(self, info: Info, input: CompleteLoginInput) -> LoginPayload:
        """Go on with a login: answer its ticket with one of its methods. The session id, and so the basket, stays.

        The answer has the tokens, or the next step with a ticket of its own.
        Who: the anonymous session that got the ticket.
        User errors: `REQUIRED`, `INVALID`: give exactly one answer; `CODE_INVALID`, `INVALID_CREDENTIALS`,
        `PASSKEY_INVALID`: ask again, at most five times; `CODE_EXPIRED`: ask for another code; `TICKET_INVALID` at
        `ticket`: begin the login again; `METHOD_OFF`, `PASSWORD_LOGIN_OFF`: offer another way; `ACCOUNT_INACTIVE`,
        `ACCOUNT_ON_HOLD`: refer to the shop.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log out first; `RATE_LIMITED`,
        `SERVICE_BUSY`: wait `retryAfter` seconds; `CHALLENGE_REQUIRED`: let the person solve the challenge of
        `provider` with `siteKey`, and send the same call with its answer in the header `Challenge-Response`.
        """
        answers = {
            "password": input.password,
            "emailCode": input.email_code,
            "phoneCode": input.phone_code,
            "passkey": input.passkey,
            "totp": input.totp,
            "recoveryCode": input.recovery_code,
        }
        uow = info.context.uow
        outcome = await complete_login(uow, input.ticket, answers, remember_device=input.remember_device)
        return present_login(uow, outcome)
