"""The ways in of a customer in GraphQL: all there are, and the link that takes a change of them back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
from strawberry.types.lazy_type import LazyType

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.domain.sign_in import SecondFactorRule
from app.graphql.changed_customers import ChangesCustomer
from app.graphql.context import Info
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import mutation
from app.graphql.login_steps import SignInMethod
from app.graphql.presenting import Presenter
from app.models import passkeys
from app.models.customers import CustomerProfile
from app.models.social import SocialIdentity
from app.services.accounts import sign_in_methods as service
from app.services.accounts.sign_in_reverts import revert_sign_in_method

# `customers.py` shows what is here, so its type is named, and not imported.
_ACCOUNTS: Any = list[LazyType("Account", "app.graphql.customers")]  # type: ignore[misc]
Row = strawberry.Parent[CustomerProfile]


@strawberry.type(description="A passkey of the customer (WebAuthn Level 3).")
class Passkey:
    """One public key; its leaves are attributes of the row."""

    id: strawberry.ID = strawberry.field(description="The id of the passkey. It never changes.")
    name: str = strawberry.field(description="The name that the customer knows it by: `Ada's phone`.")
    created_at: datetime = strawberry.field(description="When it was registered.")
    last_used_at: datetime | None = strawberry.field(
        description="When the customer signed in with it last. Null before the first time."
    )
    backed_up: bool = strawberry.field(
        description="Whether it was synchronized with other devices when it was used last. If not, it is lost with its "
        "device."
    )


present_passkey = Presenter(passkeys.Passkey, Passkey)


@strawberry.type(description="The second factor of the customer: an app with codes, and the recovery codes for it.")
class SecondFactor:
    """TOTP and recovery codes; its leaves are attributes of the service's answer."""

    totp: bool = strawberry.field(
        description="Whether the customer has an app that makes codes. If not, offer `beginTotp`."
    )
    recovery_codes_left: int = strawberry.field(
        description="How many of the ten recovery codes are unused: `9`. If there are few, offer `renewRecoveryCodes`."
    )


async def _social(root: strawberry.Parent[service.SignInMethods]) -> list[SocialIdentity]:
    return list(root.social)


@strawberry.type(description="All that the customer can sign in with.")
class SignInMethods:
    """The ways in; its leaves are attributes of the service's answer."""

    password_since: datetime | None = strawberry.field(
        description="When the password was set. Null if there is none: offer `changePassword`."
    )
    passkeys: list[Passkey] = strawberry.field(description="The passkeys, the oldest first.")
    totp: bool = strawberry.field(
        description="Whether the customer has an app that makes codes. If not, offer `beginTotp`."
    )
    recovery_codes_left: int = strawberry.field(description="How many recovery codes are unused: `9`.")
    social: Any = strawberry.field(
        resolver=_social, graphql_type=_ACCOUNTS, description="The social accounts, the oldest first."
    )
    phone: str | None = strawberry.field(
        description="The phone number that codes go to, in E.164: `+493012345678`. Null if the customer has proved "
        "none, or has changed it since."
    )


present_sign_in_methods = Presenter(service.SignInMethods, SignInMethods)
present_second_factor = Presenter(service.SecondFactor, SecondFactor)


async def resolve_sign_in_methods(row: Row, info: Info) -> SignInMethods:
    """Return all ways in of the customer."""
    return present_sign_in_methods(await service.sign_in_methods(info.context.uow, row))


async def resolve_second_factor(row: Row, info: Info) -> SecondFactor | None:
    """Return the customer's second factor; None where the shop has none."""
    uow = info.context.uow
    if uow.tenant.require_second_factor is SecondFactorRule.OFF:
        return None
    return present_second_factor(await service.second_factor(uow, row))


@strawberry.input(description="The token of the mail about a way in that was added or removed.")
class RevertSignInMethodInput:
    """The one-time token."""

    token: str = strawberry.field(description="The parameter `token` of the mailed link: `cg_ot_…`.")


@strawberry.type(description="What the link has taken back, or why nothing changed.")
class RevertSignInMethodPayload(ChangesCustomer):
    """Answer of `revertSignInMethod`."""

    method: SignInMethod | None = strawberry.field(
        default=None,
        description="The way in that the link was about: `PASSKEY`. `RECOVERY_CODE`: the recovery codes of before work "
        "again, in the place of the renewed ones.",
    )
    restored: bool | None = strawberry.field(
        default=None,
        description="True: what was removed works again. False: what was added is gone, and so are the sessions that "
        "it had opened. Then offer `requestPasswordReset`: somebody may know the password.",
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class SignInMethodMutations:
    """Root mutation fields about the ways in."""

    @mutation(
        kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER),
        session_scope=SessionScope.CREDENTIALS_RECOVER,
        takes_credentials=True,
    )
    async def revert_sign_in_method(self, info: Info, input: RevertSignInMethodInput) -> RevertSignInMethodPayload:
        """Take back that a way in was added or removed, with the token that was mailed to the customer; for 72 hours.

        An added one (passkey, app with codes, social account, phone, first password) is removed, with the sessions that
        it opened, and no device is remembered any more. A removed one works again: a passkey, the app with codes and
        its recovery codes, a social account. Renewed recovery codes give way to those of before. The second call with
        the same token has the same answer, as long as that is true.
        Who: an anonymous session, or a customer; the token alone decides whose way in it is.
        User errors: `TOKEN_INVALID`, `TOKEN_EXPIRED`: have the customer look at `signInMethods` instead;
        `SOCIAL_ACCOUNT_TAKEN`: another customer has linked the social account meanwhile.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: use the token of a storefront;
        `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        reverted = await revert_sign_in_method(info.context.uow, input.token)
        return RevertSignInMethodPayload(
            changed_id=reverted.customer_id, method=reverted.method, restored=reverted.is_back
        )
