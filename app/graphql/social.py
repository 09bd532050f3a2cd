"""Social login in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.domain.social import ProviderTokens
from app.graphql.context import Info
from app.graphql.customers import Account, Customer, present_customer, present_social_account
from app.graphql.errors import UserError, present
from app.graphql.fields import mutation
from app.graphql.proofs import KEPT_UNPROVEN_DATA
from app.graphql.sessions import TokenSet, present_tokens
from app.services.accounts.customers import get_profile
from app.services.accounts.unproven_data import holds_unproven_data
from app.services.social import accounts as account_service
from app.services.social import links as link_service
from app.services.social import login as service
from app.services.social import states as state_service
from app.services.social.links import LinkConfirmation
from app.services.social.states import ProviderAnswer


@strawberry.type(description="The provider's own tokens, for calls to the provider. They are kept nowhere here.")
class SocialTokens:
    """Access token and id token of the provider."""

    access_token: str = strawberry.field(description="For the provider's own interfaces.")
    id_token: str | None = strawberry.field(description="A JWT about the person; null without OpenID.")
    expires_in: int | None = strawberry.field(description="Seconds until the access token expires.")


@strawberry.input(description="Which provider, and where it sends the person back to.")
class BeginSocialLoginInput:
    """Provider, redirect URI and code challenge."""

    provider: str = strawberry.field(description="One of `storefront { socialProviders { id } }`: `google`.")
    redirect_uri: str = strawberry.field(
        description="One that the client has registered, letter for letter: `https://shop.example/callback`, or of an "
        "app `com.example.shop:/callback`."
    )
    code_challenge: str = strawberry.field(
        description="PKCE (RFC 7636, S256): the SHA-256 of the code verifier in base64url, 43 characters, no padding."
    )


@strawberry.input(description="What came back from the provider.")
class SocialLoginInput:
    """Code, state and code verifier."""

    provider: str = strawberry.field(description="The one that it was begun with.")
    code: str = strawberry.field(description="`code` of the address that the provider sent the person back to.")
    redirect_uri: str = strawberry.field(description="The one that it was begun with.")
    code_verifier: str = strawberry.field(
        description="What the code challenge was made from: 43 to 128 letters, digits, `-`, `.`, `_` and `~`."
    )
    state: str = strawberry.field(
        description="`state` of the address that the provider sent the person back to. Works once, for ten minutes, in "
        "the session that began it."
    )
    iss: str | None = strawberry.field(
        default=None, description="`iss` of that address, where there is one (RFC 9207)."
    )
    password: str | None = strawberry.field(
        default=None, description="Only for `linkSocialAccount`, when the login was longer ago than ten minutes."
    )


@strawberry.input(description="What confirms that a provider may be linked to an account that is there already.")
class ConfirmSocialLinkInput:
    """The ticket, and the password or the mailed code."""

    ticket: str = strawberry.field(description="`linkTicket` of `socialLogin`. Works for ten minutes, in its session.")
    password: str | None = strawberry.field(default=None, description="The account's password.")
    code: str | None = strawberry.field(default=None, description="Or the eight digits that were mailed: `48210937`.")


@strawberry.input(description="Which social account to take away.")
class UnlinkSocialAccountInput:
    """The account's id, and the password."""

    account_id: strawberry.ID = strawberry.field(description="One of `me { accounts { id } }`.")
    password: str | None = strawberry.field(
        default=None, description="The customer's password, when the login was longer ago than ten minutes."
    )


@strawberry.type
class BeginSocialLoginPayload:
    """Answer of `beginSocialLogin`."""

    authorization_url: str | None = strawberry.field(default=None, description="Send the person there.")
    state: str | None = strawberry.field(
        default=None, description="Compare it with what comes back, and give it to `socialLogin`."
    )
    expires_in: int | None = strawberry.field(default=None, description="Seconds to come back in: `600`.")
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class SocialLoginPayload:
    """Answer of `socialLogin` and `confirmSocialLink`."""

    tokens: TokenSet | None = None
    customer: Customer | None = None
    created: bool | None = strawberry.field(default=None, description="True: this is a new customer.")
    kept_unproven_data: bool = strawberry.field(default=False, description=KEPT_UNPROVEN_DATA)
    social_tokens: SocialTokens | None = strawberry.field(
        default=None, description="Null unless the shop hands them on, and after `confirmSocialLink`."
    )
    link_ticket: str | None = strawberry.field(
        default=None, description="With `LINK_CONFIRMATION_REQUIRED`: for `confirmSocialLink`."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class LinkSocialAccountPayload:
    """Answer of `linkSocialAccount`."""

    account: Account | None = strawberry.field(default=None, description="The new way to sign in.")
    customer: Customer | None = None
    social_tokens: SocialTokens | None = strawberry.field(
        default=None, description="Null unless the shop hands them on."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class UnlinkSocialAccountPayload:
    """Answer of `unlinkSocialAccount`."""

    account_id: strawberry.ID | None = strawberry.field(default=None, description="What was taken away.")
    customer: Customer | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class SocialMutations:
    """Root mutation fields of social login."""

    @mutation(kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER), session_scope=SessionScope.SOCIAL_BEGIN)
    async def begin_social_login(self, info: Info, input: BeginSocialLoginInput) -> BeginSocialLoginPayload:
        """Make the way to a social provider: send the person to `authorizationUrl`, and keep the code verifier.

        Five may be open in a session; with the sixth the oldest stops to work. Finish with `socialLogin`, or when the
        customer is logged in with `linkSocialAccount`, in the same session.
        Who: an anonymous session, or a customer who wants to link one more account.
        User errors: `PROVIDER_UNKNOWN`: read `storefront { socialProviders { id } }`; `REDIRECT_URI_NOT_ALLOWED`,
        `INVALID` at `codeChallenge`: the storefront is set up wrongly; `PROVIDER_UNAVAILABLE`: offer another way.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN` for other tokens; `RATE_LIMITED`: wait
        `retryAfter` seconds.
        """
        begun = await state_service.begin_social_login(
            info.context.uow, input.provider, input.redirect_uri, input.code_challenge
        )
        return BeginSocialLoginPayload(
            authorization_url=begun.authorization_url, state=begun.state, expires_in=begun.expires_in
        )

    @mutation(kinds=(TokenKind.ANONYMOUS,), session_scope=SessionScope.CUSTOMER_LOGIN, takes_credentials=True)
    async def social_login(self, info: Info, input: SocialLoginInput) -> SocialLoginPayload:
        """Log in whom the provider has sent back; whom nobody knows becomes a new customer. The session id stays.

        The login address is set only when the shop trusts the provider to know whose it is. An account that is there
        already and whose address nobody ever confirmed goes to its proven owner, even when the answer is that the
        owner may not log in yet; for what ends by that and what stays, see `resetPassword`.
        Who: the anonymous session that `beginSocialLogin` was called with.
        User errors: `PROVIDER_UNKNOWN`; `TOKEN_INVALID`, `TOKEN_EXPIRED` at `state`, `REDIRECT_URI_NOT_ALLOWED`,
        `REQUIRED`, `TOO_LONG` at `code`, `TOO_SHORT`, `TOO_LONG`, `INVALID` at `codeVerifier`: begin again;
        `PROVIDER_REFUSED`: the provider did not confirm who the person is, begin again; `PROVIDER_UNAVAILABLE`: offer
        another way; `LINK_CONFIRMATION_REQUIRED`: the address has an account already, ask for its password or for the
        code that was mailed, and call `confirmSocialLink` with `linkTicket`; `ACCOUNT_INACTIVE`, `ACCOUNT_ON_HOLD`:
        refer to the shop; `INVALID_CREDENTIALS`: the same, where the shop does not tell.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log out first; `RATE_LIMITED`: wait
        `retryAfter` seconds.
        """
        outcome = await service.social_login(info.context.uow, _answer(input))
        if isinstance(outcome, LinkConfirmation):
            return SocialLoginPayload(link_ticket=outcome.ticket, user_errors=present(outcome.error))
        return SocialLoginPayload(
            tokens=present_tokens(outcome.logged_in.tokens),
            customer=present_customer(outcome.logged_in.customer),
            created=outcome.created,
            kept_unproven_data=holds_unproven_data(info.context.uow, outcome.logged_in.customer),
            social_tokens=_present_social_tokens(outcome.tokens),
        )

    @mutation(kinds=(TokenKind.ANONYMOUS,), session_scope=SessionScope.CUSTOMER_LOGIN, takes_credentials=True)
    async def confirm_social_link(self, info: Info, input: ConfirmSocialLinkInput) -> SocialLoginPayload:
        """Link the provider to the account whose address it is, by its password or the mailed code, and log in.

        Who: the anonymous session that got `LINK_CONFIRMATION_REQUIRED`.
        User errors: `REQUIRED`: give either of the two; `INVALID_CREDENTIALS` at `password`, `INVALID` at `code`: ask
        again, five times at most; `TOKEN_INVALID`, `TOKEN_EXPIRED` at `ticket`: begin the social login again;
        `ACCOUNT_INACTIVE`, `ACCOUNT_ON_HOLD`: refer to the shop.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log out first; `RATE_LIMITED`,
        `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        logged_in = await link_service.confirm_social_link(info.context.uow, input.ticket, input.password, input.code)
        return SocialLoginPayload(
            tokens=present_tokens(logged_in.tokens),
            customer=present_customer(logged_in.customer),
            created=False,
            kept_unproven_data=holds_unproven_data(info.context.uow, logged_in.customer),
        )

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.CREDENTIALS_WRITE, takes_credentials=True)
    async def link_social_account(self, info: Info, input: SocialLoginInput) -> LinkSocialAccountPayload:
        """Let the customer sign in with a social account as well. The customer gets a mail.

        Who: the customer's session that `beginSocialLogin` was called with; the login was not longer than ten minutes
        ago, or `password` is given.
        User errors: those of `socialLogin` about the answer of the provider; `INVALID_CREDENTIALS` at `password`;
        `SOCIAL_ACCOUNT_TAKEN`: another customer signs in with it; `LIMIT_REACHED`: there are twenty, remove one.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first; `REAUTHENTICATION_REQUIRED`: ask for
        the password, or log in again; `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        uow = info.context.uow
        linked = await account_service.link_social_account(uow, _answer(input), input.password)
        return LinkSocialAccountPayload(
            account=present_social_account(linked.identity),
            customer=present_customer(await get_profile(uow, linked.identity.customer_id)),
            social_tokens=_present_social_tokens(linked.tokens),
        )

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.CREDENTIALS_WRITE, takes_credentials=True)
    async def unlink_social_account(self, info: Info, input: UnlinkSocialAccountInput) -> UnlinkSocialAccountPayload:
        """Take a social account away; sessions that began with it end, this one too. The customer gets a mail.

        Who: a customer; the login was not longer than ten minutes ago, or `password` is given.
        User errors: `NOT_FOUND`: read `me { accounts { id } }` again; `LAST_SIGN_IN_METHOD`: link another one, or set a
        password first; `INVALID_CREDENTIALS` at `password`.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first; `REAUTHENTICATION_REQUIRED`: ask for
        the password, or log in again; `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        uow = info.context.uow
        account_id = await account_service.unlink_social_account(uow, input.account_id, input.password)
        customer = await get_profile(uow, uow.caller.require_customer().id)
        return UnlinkSocialAccountPayload(account_id=strawberry.ID(account_id), customer=present_customer(customer))


def _answer(input: SocialLoginInput) -> ProviderAnswer:
    return ProviderAnswer(
        provider=input.provider,
        code=input.code,
        redirect_uri=input.redirect_uri,
        code_verifier=input.code_verifier,
        state=input.state,
        iss=input.iss,
    )


def _present_social_tokens(tokens: ProviderTokens | None) -> SocialTokens | None:
    if tokens is None:
        return None
    return SocialTokens(access_token=tokens.access_token, id_token=tokens.id_token, expires_in=tokens.expires_in)
