"""TOTP and recovery codes in GraphQL: set up, taken away, renewed."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.changed_customers import ChangesCustomer, ChangesOwnCustomer
from app.graphql.context import Info
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation
from app.services.sign_in import totp_enrolment as service

_TOTP = "The six digits that the app shows: `482109`. They stand for a `reauthenticate` before the call."
_RECOVERY_CODE = "In the place of `totp`: one of the ten recovery codes, `k7mq2xw5fd`. It is used up."
_RECOVERY_CODES = (
    "The ten recovery codes, which are shown this once: `k7mq2xw5fd`. Each works once. Have the customer write them "
    "down, or print them."
)


@strawberry.input(description="Nothing, or the ticket of a login for which a second factor is set up.")
class BeginTotpInput:
    """Ticket."""

    ticket: str | None = strawberry.field(
        default=None,
        description="In an anonymous session: the ticket of `nextStep`, where the shop wants a second factor and the "
        "customer has none. The same ticket comes back. Left out with a customer's token.",
    )


@strawberry.type(description="What the app is to be given, or what to correct.")
class BeginTotpPayload:
    """Answer of `beginTotp`."""

    ticket: str | None = strawberry.field(
        default=None, description="The ticket, `cg_st_…`, for `confirmTotp` in this session, for five tries."
    )
    secret: str | None = strawberry.field(
        default=None,
        description="The secret in base32, for who types it: `JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP`. Show it in groups of "
        "four.",
    )
    uri: str | None = strawberry.field(
        default=None,
        description="Show it as a QR code: `otpauth://totp/Demo%20shop:ada%40example.com?secret=…&issuer=Demo%20shop`. "
        "It says SHA-1, six digits and 30 seconds, as every app has them.",
    )
    expires_in: int | None = strawberry.field(default=None, description="Seconds until the ticket expires: `600`.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="The ticket, and the first code of the app.")
class ConfirmTotpInput:
    """Ticket and code."""

    ticket: str = strawberry.field(description="The ticket of `beginTotp`.")
    code: str = strawberry.field(description="The six digits that the app shows: `482109`.")


@strawberry.type(description="The recovery codes, or what to correct.")
class ConfirmTotpPayload(ChangesCustomer):
    """Answer of `confirmTotp`."""

    recovery_codes: list[str] | None = strawberry.field(default=None, description=_RECOVERY_CODES)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="Nothing, or a code in the place of a `reauthenticate` before.")
class DisableTotpInput:
    """A code."""

    totp: str | None = strawberry.field(default=None, description=_TOTP)
    recovery_code: str | None = strawberry.field(default=None, description=_RECOVERY_CODE)


@strawberry.type(description="Whether the app is taken away, or what to correct.")
class DisableTotpPayload(ChangesOwnCustomer):
    """Answer of `disableTotp`."""

    disabled: bool | None = strawberry.field(
        default=None, description="True: no code of the app, and no recovery code, works any more."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.input(description="Nothing, or a code in the place of a `reauthenticate` before.")
class RenewRecoveryCodesInput:
    """A code."""

    totp: str | None = strawberry.field(default=None, description=_TOTP)
    recovery_code: str | None = strawberry.field(default=None, description=_RECOVERY_CODE)


@strawberry.type(description="The new recovery codes, or what to correct.")
class RenewRecoveryCodesPayload(ChangesOwnCustomer):
    """Answer of `renewRecoveryCodes`."""

    recovery_codes: list[str] | None = strawberry.field(default=None, description=_RECOVERY_CODES)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class TotpMutations:
    """Root mutation fields about TOTP and recovery codes."""

    @mutation(kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER), session_scope=SessionScope.LOGIN_BEGIN)
    async def begin_totp(self, info: Info, input: BeginTotpInput | None = None) -> BeginTotpPayload:
        """Begin to set up an app that makes codes (TOTP, RFC 6238). Nothing changes before `confirmTotp`.

        Who: a customer with a recent login; or an anonymous session with the ticket of a login that wants a second
        factor of a customer who has none.
        User errors: `METHOD_OFF` at `ticket`: the shop has no second factors; `TICKET_INVALID` at `ticket`: begin the
        login again; `REQUIRED` at `ticket`: give the one of the login; `LIMIT_REACHED`: the customer has an app
        already, offer `disableTotp`.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN` for other tokens;
        `REAUTHENTICATION_REQUIRED`: call `reauthenticate` with one of its `methods`.
        """
        begun = await service.begin_totp(info.context.uow, input.ticket if input is not None else None)
        ticket = begun.ticket
        return BeginTotpPayload(ticket=ticket.text, secret=begun.secret, uri=begun.uri, expires_in=ticket.expires_in)

    @mutation(
        kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER),
        session_scope=SessionScope.LOGIN_BEGIN,
        takes_credentials=True,
    )
    async def confirm_totp(self, info: Info, input: ConfirmTotpInput) -> ConfirmTotpPayload:
        """Finish setting up the app, with its first code. From now on it is asked for at each login.

        A login that waits goes on with `completeLogin`, the same ticket, and the next code of the app or a recovery
        code: no code works twice. The customer gets a mail with a link that takes the app away again.
        Who: the session that has called `beginTotp`.
        User errors: `CODE_INVALID` at `code`: ask again, at most five times; `TICKET_INVALID`, `METHOD_OFF` at
        `ticket`: begin again; `LIMIT_REACHED`: another app was set up meanwhile.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN` for other tokens; `RATE_LIMITED`: wait
        `retryAfter` seconds.
        """
        codes = await service.confirm_totp(info.context.uow, input.ticket, input.code)
        return ConfirmTotpPayload(changed_id=codes.customer_id, recovery_codes=list(codes.texts))

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.CREDENTIALS_WRITE, takes_credentials=True)
    async def disable_totp(self, info: Info, input: DisableTotpInput) -> DisableTotpPayload:
        """Take the app with codes away, with its recovery codes. The customer gets a mail with a link that undoes it.

        Who: a customer who has just proved who they are by two factors, or by a passkey, or does so with the call; not
        staff on their behalf.
        User errors: `NOT_FOUND`: there is no app; `CODE_INVALID`: ask again; `INVALID`: give one code only;
        `METHOD_OFF`: the shop has no second factors.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself; `REAUTHENTICATION_REQUIRED`: call
        `reauthenticate` with one of its `methods`, or send a code along; `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        await service.disable_totp(info.context.uow, totp=input.totp, recovery_code=input.recovery_code)
        return DisableTotpPayload(disabled=True)

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.CREDENTIALS_WRITE, takes_credentials=True)
    async def renew_recovery_codes(
        self, info: Info, input: RenewRecoveryCodesInput | None = None
    ) -> RenewRecoveryCodesPayload:
        """Make ten new recovery codes. Those of before no longer work. The customer gets a mail with the way back.

        Who: a customer who has just proved who they are by two factors, or by a passkey, or does so with the call; not
        staff on their behalf.
        User errors: `NOT_FOUND`: there is no app that they would be for; `CODE_INVALID`: ask again; `INVALID`: give
        one code only; `METHOD_OFF`: the shop has no second factors.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself; `REAUTHENTICATION_REQUIRED`: call
        `reauthenticate` with one of its `methods`, or send a code along; `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        given = input or RenewRecoveryCodesInput()
        codes = await service.renew_recovery_codes(info.context.uow, totp=given.totp, recovery_code=given.recovery_code)
        return RenewRecoveryCodesPayload(recovery_codes=list(codes.texts))
