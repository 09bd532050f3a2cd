"""Passwords and login addresses in GraphQL: reset, change, and undoing a change."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.changed_customers import ChangesCustomer, ChangesOwnCustomer
from app.graphql.context import Info
from app.graphql.customers import Account, present_social_account
from app.graphql.errors import EMAIL_SUGGESTION, USER_ERRORS, UserError
from app.graphql.fields import ANYONE, mutation
from app.graphql.inputs import HOW_TO_CHOOSE
from app.graphql.proofs import KEPT_UNPROVEN_DATA
from app.graphql.sessions import TokenSet, present_tokens
from app.services.accounts import credentials, email_change, password_reset

STOREFRONT = (TokenKind.ANONYMOUS, TokenKind.CUSTOMER)
THE_CUSTOMER = (TokenKind.CUSTOMER,)


@strawberry.input(description="The customer who has forgotten the password.")
class RequestPasswordResetInput:
    """Address and site."""

    email: str = strawberry.field(description="The login address: `ada@example.com`.")
    site: str | None = strawberry.field(
        default=None,
        description="The id of the site that the mailed link leads to: `main`. Left out: the site of the session. "
        "The link of an app that has registered a place of its own leads there in any case.",
    )


@strawberry.input(description="The token from the mailed link, and the new password.")
class ResetPasswordInput:
    """Token and password."""

    token: str = strawberry.field(description="The `token` of the link.")
    password: str = strawberry.field(
        description="8 to 256 characters, exactly as typed; see `storefront { passwordRules }`."
    )
    drop_other_sign_in_methods: bool = strawberry.field(
        default=False,
        description="True: social accounts are unlinked, and passkeys and the proof of a phone are removed, so that "
        "the new password is the only way in. For who fears that somebody else was in the account, or has lost a "
        "passkey. An app with codes stays: the login after it still asks for one.",
    )


@strawberry.input(description="The current password, and the new one.")
class ChangePasswordInput:
    """Current and new password."""

    current_password: str | None = strawberry.field(
        default=None,
        description="The current password. Left out only if the customer has none, within ten minutes "
        "of a social login.",
    )
    new_password: str = strawberry.field(description=HOW_TO_CHOOSE)


@strawberry.input(description="The new login address.")
class ChangeEmailInput:
    """Password, new address, and whether the contact address follows."""

    email: str | None = strawberry.field(
        default=None,
        description="The current login address: `ada@example.com`. It may be left out; if it is given, "
        "it must be right.",
    )
    password: str | None = strawberry.field(
        default=None, description="The current password. It may be left out within ten minutes of a login."
    )
    new_email: str = strawberry.field(description="The new login address: `ada@example.org`.")
    sync_contact_email: bool = strawberry.field(
        default=False, description="True: when the new address is confirmed, `contactEmail` changes to it too."
    )


@strawberry.input(description="The token that was mailed to the new address.")
class ConfirmEmailChangeInput:
    """The one-time token."""

    token: str = strawberry.field(description="The parameter `token` of the mailed link: `cg_ot_…`.")


@strawberry.input(description="The token that was mailed to the old address.")
class RevertEmailChangeInput:
    """The one-time token."""

    token: str = strawberry.field(description="The parameter `token` of the mailed link: `cg_ot_…`.")


@strawberry.type(description="Whether the request was accepted, or what to correct.")
class RequestPasswordResetPayload:
    """Answer of `requestPasswordReset`."""

    accepted: bool | None = strawberry.field(default=None, description="True, whether or not the address is known.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Whether the new password is set, or what to correct.")
class ResetPasswordPayload(ChangesCustomer):
    """Answer of `resetPassword`."""

    password_reset: bool | None = strawberry.field(default=None, description="True: log in with the new password.")
    other_sign_in_methods: list[Account] = strawberry.field(
        default_factory=list,
        description="What else signs in: social accounts. Show them; the customer may not know one of them, and then "
        "takes it away with `unlinkSocialAccount`.",
    )
    kept_unproven_data: bool = strawberry.field(default=False, description=KEPT_UNPROVEN_DATA)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="New tokens for this session, or what to correct.")
class ChangePasswordPayload(ChangesOwnCustomer):
    """Answer of `changePassword`."""

    tokens: TokenSet | None = strawberry.field(
        default=None, description="The new tokens of this session. The earlier ones no longer work."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Whether the request was accepted, or what to correct.")
class ChangeEmailPayload:
    """Answer of `changeEmail`."""

    accepted: bool | None = strawberry.field(
        default=None, description="True, whether or not the new address is free. Nothing has changed yet."
    )
    email_suggestion: str | None = strawberry.field(default=None, description=EMAIL_SUGGESTION)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The new login address, or why nothing changed.")
class ConfirmEmailChangePayload(ChangesCustomer):
    """Answer of `confirmEmailChange`."""

    email: str | None = strawberry.field(default=None, description="The address that signs in from now on.")
    kept_unproven_data: bool = strawberry.field(default=False, description=KEPT_UNPROVEN_DATA)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The old login address, which is in use again, or why nothing changed.")
class RevertEmailChangePayload(ChangesCustomer):
    """Answer of `revertEmailChange`."""

    email: str | None = strawberry.field(
        default=None, description="The login address, which is the old one again: `ada@example.com`."
    )
    reset_token: str | None = strawberry.field(
        default=None,
        description="For `resetPassword`, to choose a new password at once: `cg_ot_…`. It works once, within half an "
        "hour unless the shop says otherwise; the same token is mailed. Null when the link was opened before.",
    )
    kept_unproven_data: bool = strawberry.field(default=False, description=KEPT_UNPROVEN_DATA)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class CredentialMutations:
    """Root mutation fields about passwords and login addresses."""

    @mutation(kinds=STOREFRONT, session_scope=SessionScope.CREDENTIALS_RECOVER, takes_credentials=True)
    async def request_password_reset(self, info: Info, input: RequestPasswordResetInput) -> RequestPasswordResetPayload:
        """Mail a link to the address, with which its owner chooses a new password. Earlier links no longer work.

        The answer is the same, and takes the same time, whether or not the address is known.
        Who: an anonymous session, or a customer.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID_EMAIL`: show them at the field; `INVALID` at `site`:
        correct the settings of the storefront; `PASSWORD_LOGIN_OFF`: the shop has no passwords, offer
        `requestLoginCode`.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: use the token of a storefront;
        `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        await password_reset.request_password_reset(info.context.uow, input.email, input.site)
        return RequestPasswordResetPayload(accepted=True)

    @mutation(kinds=STOREFRONT, session_scope=SessionScope.CREDENTIALS_RECOVER, takes_credentials=True)
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> ResetPasswordPayload:
        """Set a new password with the token from the mailed link. All sessions of the customer end. Then log in.

        The address counts as confirmed too: the link has come to it. If no address of the account was ever confirmed
        and the call does not come in the customer's own session, somebody else may have made the account: social
        accounts are unlinked, an erasure that was asked for from inside is canceled, `contactEmail` and `contactPhone`
        are empty, no address and no instrument is the default, and no list is public. All else stays
        (`keptUnprovenData`).
        Who: an anonymous session, or a customer; the token alone decides whose password it is.
        User errors: `PASSWORD_LOGIN_OFF`: the shop has no passwords;
        `TOKEN_INVALID`, `TOKEN_EXPIRED`: offer `requestPasswordReset`; `REQUIRED`, `PASSWORD_TOO_SHORT`,
        `PASSWORD_TOO_LONG`, `PASSWORD_TOO_COMMON`, `PASSWORD_TOO_PERSONAL`: show them at the field, the token
        still works.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: use the token of a storefront;
        `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        reset = await password_reset.reset_password(
            info.context.uow,
            input.token,
            input.password,
            drop_other_sign_in_methods=input.drop_other_sign_in_methods,
        )
        return ResetPasswordPayload(
            changed_id=reset.customer_id,
            password_reset=True,
            other_sign_in_methods=[present_social_account(identity) for identity in reset.identities],
            kept_unproven_data=reset.kept_unproven_data,
        )

    @mutation(
        kinds=THE_CUSTOMER,
        session_scope=SessionScope.CREDENTIALS_WRITE,
        initial_password=True,
        takes_credentials=True,
        is_repeatable=True,
    )
    async def change_password(self, info: Info, input: ChangePasswordInput) -> ChangePasswordPayload:
        """Set a new password. All other sessions end. This one goes on with the new tokens.

        If the answer was lost, send the same call once more within 30 seconds, with the old token: you get the same
        tokens.

        Who: the customer; not staff on their behalf.
        User errors: `PASSWORD_LOGIN_OFF`: the shop has no passwords;
        `REQUIRED`, `INVALID_CREDENTIALS` at `currentPassword`; `PASSWORD_TOO_SHORT`, `PASSWORD_TOO_LONG`,
        `PASSWORD_TOO_COMMON`, `PASSWORD_TOO_PERSONAL`, `INVALID` (it is the current one) at `newPassword`: show them at
        the field; `VERSION_CONFLICT`: it was changed elsewhere at the same time, ask the customer to log in again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself; `REAUTHENTICATION_REQUIRED`: the
        customer has no password yet and must log in again first; `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter`
        seconds.
        """
        changed = await credentials.change_password(info.context.uow, input.current_password, input.new_password)
        return ChangePasswordPayload(owner_id=changed.customer.id, tokens=present_tokens(changed.tokens))

    @mutation(kinds=THE_CUSTOMER, session_scope=SessionScope.CREDENTIALS_WRITE, takes_credentials=True)
    async def change_email(self, info: Info, input: ChangeEmailInput) -> ChangeEmailPayload:
        """Ask for a new login address. It changes when the link that is mailed to it is opened, within an hour.

        The old address gets a mail with a link that undoes the change (`revertEmailChange`) for 72 hours. If the new
        address is taken, the answer is the same.
        Who: the customer; not staff on their behalf.
        User errors: `REQUIRED`, `TOO_LONG`, `INVALID_EMAIL`, `INVALID` (it is the current one) at `newEmail`,
        `INVALID` (it is not the current one) at `email`, `INVALID_CREDENTIALS` at `password`: show them at the field;
        `VERSION_CONFLICT`: the account was changed elsewhere at the same time, ask the customer to log in again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in yourself; `REAUTHENTICATION_REQUIRED`: ask for
        the password and send it along; `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        suggestion = await email_change.change_email(
            info.context.uow,
            input.new_email,
            email=input.email,
            password=input.password,
            sync_contact_email=input.sync_contact_email,
        )
        return ChangeEmailPayload(accepted=True, email_suggestion=suggestion)

    @mutation(kinds=STOREFRONT, session_scope=SessionScope.CREDENTIALS_RECOVER, takes_credentials=True)
    async def confirm_email_change(self, info: Info, input: ConfirmEmailChangeInput) -> ConfirmEmailChangePayload:
        """Make the new address the login address, with the token that was mailed to it.

        All sessions of the customer end, but for the one that asked for the change. If no address of the account was
        ever confirmed and the call does not come in the customer's own session, that one ends too, neither the password
        nor a linked social account works any more, and a link to choose a new password is mailed to the new address;
        for what is in the account, see `resetPassword`.
        A token that was used answers the same again, as long as the address is the login address.
        Who: an anonymous session, or a customer; the token alone decides whose address it is.
        User errors: `TOKEN_INVALID`, `TOKEN_EXPIRED`: offer `changeEmail`; `EMAIL_TAKEN`: somebody else has the address
        by now.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: the token is no storefront's;
        `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        confirmed = await email_change.confirm_email_change(info.context.uow, input.token)
        return ConfirmEmailChangePayload(
            changed_id=confirmed.customer_id,
            email=confirmed.email,
            kept_unproven_data=confirmed.kept_unproven_data,
        )

    @mutation(kinds=ANYONE, takes_credentials=True)
    async def revert_email_change(self, info: Info, input: RevertEmailChangeInput) -> RevertEmailChangePayload:
        """Give the account back to its old address, with the token that was mailed there.

        Whoever had taken the account over is out of it: all sessions end, every pending link dies, the password no
        longer works, and social accounts are unlinked that were linked after the change was asked for or in the 72
        hours before; of an address that was never confirmed until now, all of them. An anonymization that the
        customer's side has asked for in this time is canceled. A link to choose a new password is mailed to the
        address; `resetToken` does the same at once. `contactEmail` goes back too where it would have followed; of an
        address that was never confirmed until now, see `resetPassword` for what is in the account.
        A token that was used answers the same `email` again, as long as it is the login address, and no `resetToken`.
        Who: anyone with the token.
        User errors: `TOKEN_INVALID`, `TOKEN_EXPIRED`, `EMAIL_TAKEN`: refer to the shop.
        Errors: `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        reverted = await email_change.revert_email_change(info.context.uow, input.token)
        return RevertEmailChangePayload(
            changed_id=reverted.customer_id,
            email=reverted.email,
            reset_token=reverted.reset_token,
            kept_unproven_data=reverted.kept_unproven_data,
        )
