"""Logins that take more than one call, in GraphQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from strawberry.scalars import JSON

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.context import Info
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation
from app.graphql.sessions import LoginPayload, present_login
from app.graphql.social import SocialLoginInput, answer_of
from app.services.sign_in import login_codes, phone_codes
from app.services.sign_in.complete_login import complete_login
from app.services.sign_in.reauthentication import prove_again, prove_at_provider


@strawberry.input
class SignInAnswers:
    """The answers that prove who somebody is, of which one is given. Inherit it."""

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
        default=None, description="One of the ten recovery codes: `k7mq2xw5fd`. Blanks, hyphens and case do not matter."
    )


@strawberry.input(description="The ticket of the login, and exactly one answer.")
class CompleteLoginInput(SignInAnswers):
    """Ticket and answer."""

    ticket: str = strawberry.field(
        description="The ticket of `nextStep`, or of `requestLoginCode` or `beginPasskeyLogin` in the same session."
    )
    remember_device: bool = strawberry.field(
        default=False,
        description="True: on this device no second factor is asked for while the shop's `remember_device_days` last. "
        "Give the `deviceToken` of the answer to the next login. Only for a device that is the customer's own.",
    )
    device_token: str | None = strawberry.field(
        default=None,
        description="The `deviceToken` of an earlier login on this device. If the customer wanted the device to be "
        "remembered, no second factor is asked for. A client that keeps its refresh token in a cookie leaves this out.",
    )


@strawberry.input(description="Where the code is to go: an address, a phone, or the ticket of a login that goes on.")
class RequestLoginCodeInput:
    """Address, phone, or ticket."""

    email: str | None = strawberry.field(
        default=None,
        description="The login address: `ada@example.com`. With a customer's token it may be left out: the code "
        "goes to the customer's own.",
    )
    phone: str | None = strawberry.field(
        default=None,
        description="In the place of an address: a phone number that the customer has proved, `+493012345678`. With a "
        "customer's token: the `contactPhone`, to prove it.",
    )
    by_phone: bool = strawberry.field(
        default=False,
        description="With a `ticket` whose `methods` have `PHONE_CODE`: send the code to the proved phone.",
    )
    ticket: str | None = strawberry.field(
        default=None,
        description="In the place of an address: the ticket of `nextStep`, whose `methods` have `EMAIL_CODE`. The same "
        "ticket comes back, and only the newest code counts.",
    )
    site: str | None = strawberry.field(
        default=None,
        description="The id of the site whose page the mailed link opens: `main`. Without it the session's.",
    )


@strawberry.type(description="The ticket that the code is good with, or what to correct.")
class RequestLoginCodePayload:
    """Answer of `requestLoginCode`."""

    ticket: str | None = strawberry.field(
        default=None,
        description="The ticket, `cg_st_…`: keep it in this session, and send it with the code to `completeLogin`, or "
        "with a customer's token to `reauthenticate`.",
    )
    expires_in: int | None = strawberry.field(default=None, description="Seconds until the code expires: `600`.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="One more proof of who the customer is: exactly one, with the ticket that it needs.")
class ReauthenticateInput(SignInAnswers):
    """Ticket and answer."""

    ticket: str | None = strawberry.field(
        default=None,
        description="For a code or a passkey: the ticket of `requestLoginCode` or `beginPasskeyLogin` in this session.",
    )
    phone_code: str | None = strawberry.field(
        default=None, description="The six digits of the message: `482109`. They prove the phone number too."
    )
    social: SocialLoginInput | None = strawberry.field(
        default=None,
        description="In the place of an answer: what came back from a provider that the customer has an account of, "
        "begun in this session with `beginSocialLogin(input: {reauthenticate: true, …})`.",
    )


@strawberry.type(description="When the customer has proved who they are, or what to correct.")
class ReauthenticatePayload:
    """Answer of `reauthenticate`."""

    authenticated_at: datetime | None = strawberry.field(
        default=None, description="When the proof was taken. For ten minutes it counts as a fresh login."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


def _answers(input: CompleteLoginInput | ReauthenticateInput) -> dict[str, Any]:
    return {
        "password": input.password,
        "emailCode": input.email_code,
        "phoneCode": input.phone_code,
        "passkey": input.passkey,
        "totp": input.totp,
        "recoveryCode": input.recovery_code,
    }


@strawberry.type
class SignInMutations:
    """Root mutation fields of logins that take more than one call."""

    @mutation(
        kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER),
        session_scope=SessionScope.LOGIN_BEGIN,
        takes_credentials=True,
    )
    async def request_login_code(self, info: Info, input: RequestLoginCodeInput) -> RequestLoginCodePayload:
        """Send a code of six digits to sign in with, if there is an account with the address. The answer is the same.

        The mail has the digits, and a link with them to a page of the site: both are good only with the ticket, in this
        session. A new code ends the one that the session asked for before. Where the shop has `login_code_signup` on,
        the code makes an account for an address that has none.
        Who: an anonymous session, or a customer who is to prove once more who they are.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID_EMAIL`, `INVALID` at `email`, `INVALID_PHONE`, `INVALID` at
        `phone`, `INVALID` at `site`: correct the form; `TICKET_INVALID` at `ticket`: begin the login again;
        `METHOD_OFF`: offer another way.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN` for other tokens;
        `REAUTHENTICATION_REQUIRED` before a number is proved that will be a way in: call `reauthenticate` with one of
        `methods`; `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        uow = info.context.uow
        if input.ticket is not None:
            ticket = await login_codes.renew_step_code(uow, input.ticket, by_phone=input.by_phone)
        elif input.phone is not None:
            ticket = await phone_codes.request_phone_code(uow, input.phone)
        else:
            ticket = await login_codes.request_login_code(uow, input.email, input.site)
        return RequestLoginCodePayload(ticket=ticket.text, expires_in=ticket.expires_in)

    @mutation(
        kinds=(TokenKind.ANONYMOUS,),
        session_scope=SessionScope.CUSTOMER_LOGIN,
        takes_credentials=True,
        is_repeatable=True,
    )
    async def complete_login(self, info: Info, input: CompleteLoginInput) -> LoginPayload:
        """Go on with a login: answer its ticket with one of its methods. The session id, and so the basket, stays.

        The answer has the tokens, or the next step with a ticket of its own. If the answer is lost, send the same call
        again within 30 seconds, with the same token: it gives the same tokens.
        Who: the anonymous session that got the ticket.
        User errors: `REQUIRED`, `INVALID`: give exactly one answer; `CODE_INVALID`, `INVALID_CREDENTIALS`,
        `PASSKEY_INVALID`: ask again, at most five times; `CODE_EXPIRED`: ask for another code; `TICKET_INVALID` at
        `ticket`: begin the login again; `METHOD_OFF`, `PASSWORD_LOGIN_OFF`: offer another way; `ACCOUNT_INACTIVE`,
        `ACCOUNT_ON_HOLD`: refer to the shop.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log out first; `RATE_LIMITED`,
        `SERVICE_BUSY`: wait `retryAfter` seconds; `CHALLENGE_REQUIRED`: let the person solve the challenge of
        `provider` with `siteKey`, and send the same call with its answer in the header `Challenge-Response`.
        """
        uow = info.context.uow
        outcome = await complete_login(
            uow,
            input.ticket,
            _answers(input),
            device_token=input.device_token,
            device_cookie=info.context.device_cookie,
            remember_device=input.remember_device,
        )
        return present_login(uow, outcome)

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.CREDENTIALS_WRITE, takes_credentials=True)
    async def reauthenticate(self, info: Info, input: ReauthenticateInput) -> ReauthenticatePayload:
        """Prove once more who the customer is, after `REAUTHENTICATION_REQUIRED`. The tokens stay as they are.

        The method is added to `tokenInfo { methods }`, and may raise its `level`. A customer who has TOTP or a passkey
        must use one of them.
        Who: a customer; not staff on their behalf.
        User errors: below `social`, `PROVIDER_REFUSED`, `INVALID_CREDENTIALS` and all others of a provider's answer:
        begin again there; `REQUIRED`, `INVALID`: give exactly one answer, and the ticket of a code or a passkey;
        `CODE_INVALID`, `INVALID_CREDENTIALS`, `PASSKEY_INVALID`: ask again; `CODE_EXPIRED`: ask for another code;
        `TICKET_INVALID` at `ticket`: begin again; `METHOD_OFF`, `PASSWORD_LOGIN_OFF`: offer another way.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself; `REAUTHENTICATION_REQUIRED`: use one
        of its `methods`; `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        uow, answers = info.context.uow, _answers(input)
        if input.social is not None and not any(answers.values()):
            return ReauthenticatePayload(authenticated_at=await prove_at_provider(uow, answer_of(input.social)))
        return ReauthenticatePayload(authenticated_at=await prove_again(uow, input.ticket, answers))
