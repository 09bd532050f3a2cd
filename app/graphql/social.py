"""Social login in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.domain.social import ProviderTokens
from app.graphql.changed_customers import ChangesOwnCustomer
from app.graphql.context import Info
from app.graphql.customers import Account, Customer, present_customer, present_social_account
from app.graphql.errors import USER_ERRORS, UserError, present
from app.graphql.fields import mutation
from app.graphql.login_steps import NEXT_STEP, LoginStep, present_login_step
from app.graphql.proofs import KEPT_UNPROVEN_DATA
from app.graphql.sessions import TokenSet, present_tokens
from app.services.accounts.unproven_data import holds_unproven_data
from app.services.sessions import login_steps
from app.services.sessions.sessions import LoggedIn
from app.services.social import accounts as account_service
from app.services.social import links as link_service
from app.services.social import login as service
from app.services.social import states as state_service
from app.services.social.answers import ProviderAnswer
from app.services.social.links import LinkConfirmation


@strawberry.type(description="The provider's own tokens, for calls to the provider. We do not store them.")
class SocialTokens:
    """Access token and id token of the provider."""

    access_token: str = strawberry.field(description="The access token for the provider's own interfaces.")
    id_token: str | None = strawberry.field(
        description="A JWT about the person. Null if the provider does not support OpenID Connect."
    )
    expires_in: int | None = strawberry.field(description="Seconds until the provider's access token expires: `3599`.")


@strawberry.input(description="A parameter that the person is sent to the provider with.")
class ParameterInput:
    """Name and value."""

    name: str = strawberry.field(
        description="Its name, one of those that the shop allows for the provider: by default `prompt`, `login_hint`, "
        "`ui_locales`, `acr_values` and `max_age` (OpenID Connect Core 3.1.2.1)."
    )
    value: str = strawberry.field(description="Its value, at most 500 characters: `select_account`.")


@strawberry.input(description="The provider, and where it sends the person back to.")
class BeginSocialLoginInput:
    """Provider, redirect URI and code challenge."""

    provider: str = strawberry.field(
        description="The id of the provider, one of `storefront { socialProviders { id } }`: `google`."
    )
    redirect_uri: str | None = strawberry.field(
        default=None,
        description="A redirect URI exactly as the client has registered it: `https://shop.example/callback`, or for "
        "an app `com.example.shop:/callback`. Leave it out, and the challenge too, to show the platform's own sheet.",
    )
    code_challenge: str | None = strawberry.field(
        default=None,
        description="The PKCE code challenge (RFC 7636, S256): the SHA-256 of the code verifier in base64url, 43 "
        "characters, no padding.",
    )
    reauthenticate: bool = strawberry.field(
        default=False,
        description="True: the provider asks the customer to log in anew, for `reauthenticate` with `social`.",
    )
    parameters: list[ParameterInput] | None = strawberry.field(
        default=None,
        description='What the provider is told beside: `[{name: "login_hint", value: "ada@example.com"}]`. Each '
        "name once. Not for the platform's own sheet.",
    )


@strawberry.input(
    description="What the provider has sent back, and what the social login was begun with: `code`, `redirectUri`, "
    "`codeVerifier` and `state` after a redirect; `idToken` and `nonce` after the platform's own sheet."
)
class SocialLoginInput:
    """Code, state and code verifier; or id token and nonce."""

    provider: str = strawberry.field(description="The `provider` that was given to `beginSocialLogin`: `google`.")
    code: str | None = strawberry.field(
        default=None,
        description="The parameter `code` of the address that the person came back to, at most 4096 characters: "
        "`4/0AVMBsJ…`. Where the provider posts its answer to us, as Apple does, it is a code of ours: `cg_sc_…`.",
    )
    redirect_uri: str | None = strawberry.field(
        default=None,
        description="The `redirectUri` that was given to `beginSocialLogin`: `https://shop.example/callback`.",
    )
    code_verifier: str | None = strawberry.field(
        default=None,
        description="The PKCE code verifier that the code challenge was made from: 43 to 128 letters, digits, `-`, "
        "`.`, `_` and `~`.",
    )
    state: str | None = strawberry.field(
        default=None,
        description="The parameter `state` of the address that the provider sent the person back to. It works once, "
        "for ten minutes, in the session that called `beginSocialLogin`.",
    )
    iss: str | None = strawberry.field(
        default=None, description="The parameter `iss` of that address, if there is one (RFC 9207)."
    )
    id_token: str | None = strawberry.field(
        default=None,
        description="The id token that the sheet of the platform has returned to the app (Sign in with Apple, "
        "Credential Manager): `eyJ…`. Then leave `code`, `redirectUri`, `codeVerifier`, `state` and `iss` out.",
    )
    nonce: str | None = strawberry.field(
        default=None,
        description="With `idToken`: the `nonce` from `beginSocialLogin`, as it was given. The token names it, or its "
        "SHA-256 in hex. It works once, for ten minutes, in the session that called `beginSocialLogin`.",
    )
    first_name: str | None = strawberry.field(
        default=None,
        description="The first name that the provider has told the app and tells nobody again, as Apple does: `Ada`. "
        "It counts where a customer is created whom the provider itself does not name. At most 100 characters.",
    )
    last_name: str | None = strawberry.field(
        default=None,
        description="The last name that the provider has told the app and tells nobody again: `Lovelace`. It counts "
        "where a customer is created whom the provider itself does not name. At most 100 characters.",
    )
    password: str | None = strawberry.field(
        default=None,
        description="The customer's password. Only for `linkSocialAccount`, if the login is more than ten minutes ago.",
    )
    device_token: str | None = strawberry.field(
        default=None,
        description="The `deviceToken` of an earlier login on this device. If the customer wanted the device to be "
        "remembered, no second factor is asked for. A client that keeps its refresh token in a cookie leaves this out. "
        "Only for `socialLogin`.",
    )


@strawberry.input(description="The ticket, and the password or the mailed code that confirms the link.")
class ConfirmSocialLinkInput:
    """The ticket, and the password or the mailed code."""

    ticket: str = strawberry.field(
        description="The `linkTicket` from `socialLogin`. It works for ten minutes, in the same session."
    )
    password: str | None = strawberry.field(default=None, description="The password of the account. Or give `code`.")
    code: str | None = strawberry.field(
        default=None, description="The eight digits that were mailed: `48210937`. Or give `password`."
    )
    device_token: str | None = strawberry.field(
        default=None,
        description="The `deviceToken` of an earlier login on this device. If the customer wanted the device to be "
        "remembered, no second factor is asked for. A client that keeps its refresh token in a cookie leaves this out.",
    )


@strawberry.input(description="The social account to unlink.")
class UnlinkSocialAccountInput:
    """The account's id, and the password."""

    account_id: strawberry.ID = strawberry.field(
        description="The id of the social account, one of `me { accounts { id } }`."
    )
    password: str | None = strawberry.field(
        default=None, description="The customer's password, if the login is more than ten minutes ago."
    )


@strawberry.type(description="Where to send the person, or what to correct.")
class BeginSocialLoginPayload:
    """Answer of `beginSocialLogin`."""

    authorization_url: str | None = strawberry.field(
        default=None,
        description="The address of the provider. Send the person there. Null if `redirectUri` was left out.",
    )
    state: str | None = strawberry.field(
        default=None,
        description="The state. Compare it with the `state` that comes back, and send it to `socialLogin`. Null if "
        "`redirectUri` was left out.",
    )
    nonce: str | None = strawberry.field(
        default=None,
        description="What the id token must name: give it, or its SHA-256 in hex, to the sheet of the platform. Null "
        "if the provider has no id tokens.",
    )
    expires_in: int | None = strawberry.field(default=None, description="Seconds until the person must be back: `600`.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The tokens of the customer, who is logged in now; or what to do first.")
class SocialLoginPayload:
    """Answer of `socialLogin` and `confirmSocialLink`."""

    tokens: TokenSet | None = strawberry.field(default=None, description="The tokens to use from now on.")
    customer: Customer | None = strawberry.field(default=None, description="The customer who is logged in.")
    created: bool | None = strawberry.field(default=None, description="True: the customer is new.")
    kept_unproven_data: bool = strawberry.field(default=False, description=KEPT_UNPROVEN_DATA)
    social_tokens: SocialTokens | None = strawberry.field(
        default=None,
        description="The tokens of the provider. Null unless the shop has opted in, and after `confirmSocialLink`.",
    )
    next_step: LoginStep | None = strawberry.field(default=None, description=NEXT_STEP)
    link_ticket: str | None = strawberry.field(
        default=None, description="The ticket for `confirmSocialLink`. Only with `LINK_CONFIRMATION_REQUIRED`."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The linked social account, or why it was not linked.")
class LinkSocialAccountPayload(ChangesOwnCustomer):
    """Answer of `linkSocialAccount`."""

    account: Account | None = strawberry.field(default=None, description="The new way to sign in.")
    social_tokens: SocialTokens | None = strawberry.field(
        default=None, description="The tokens of the provider. Null unless the shop has opted in."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The unlinked social account, or why it was not unlinked.")
class UnlinkSocialAccountPayload(ChangesOwnCustomer):
    """Answer of `unlinkSocialAccount`."""

    account_id: strawberry.ID | None = strawberry.field(default=None, description="The id of the unlinked account.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


def _present_login(info: Info, outcome: LoggedIn | login_steps.LoginStep, *, created: bool) -> SocialLoginPayload:
    """Return the answer of a login that is complete, or has a step to go."""
    if isinstance(outcome, login_steps.LoginStep):
        return SocialLoginPayload(next_step=present_login_step(outcome), created=created)
    return SocialLoginPayload(
        tokens=present_tokens(outcome.tokens),
        customer=present_customer(outcome.customer),
        created=created,
        kept_unproven_data=holds_unproven_data(info.context.uow, outcome.customer),
    )


@strawberry.type
class SocialMutations:
    """Root mutation fields of social login."""

    @mutation(kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER), session_scope=SessionScope.SOCIAL_BEGIN)
    async def begin_social_login(self, info: Info, input: BeginSocialLoginInput) -> BeginSocialLoginPayload:
        """Begin a social login: send the person to `authorizationUrl`, and keep the code verifier and the state.

        An app that shows the sheet of its platform leaves `redirectUri` and `codeChallenge` out, and asks there with
        `nonce`.
        Finish it in the same session with `socialLogin`, or with `linkSocialAccount` if the customer is logged in. A
        session can have five open social logins: if you begin another one, the oldest stops working.
        Who: an anonymous session, or a customer who wants to link another account.
        User errors: `PROVIDER_UNKNOWN`: read `storefront { socialProviders { id } }`; `REDIRECT_URI_NOT_ALLOWED`,
        `REQUIRED` at `redirectUri` or `codeChallenge`, `INVALID` at `codeChallenge`: correct the
        storefront; `INVALID`, `REQUIRED`, `TOO_LONG` within `parameters`: correct them, or ask the shop to allow them;
        `PROVIDER_UNAVAILABLE`: offer another way to log in.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN` for other tokens; `RATE_LIMITED`: wait
        `retryAfter` seconds.
        """
        begun = await state_service.begin_social_login(
            info.context.uow,
            input.provider,
            input.redirect_uri,
            input.code_challenge,
            parameters=[(each.name, each.value) for each in input.parameters or ()],
            reauthenticates=input.reauthenticate,
        )
        return BeginSocialLoginPayload(
            authorization_url=begun.authorization_url,
            state=begun.state,
            nonce=begun.nonce,
            expires_in=begun.expires_in,
        )

    @mutation(
        kinds=(TokenKind.ANONYMOUS,),
        session_scope=SessionScope.CUSTOMER_LOGIN,
        takes_credentials=True,
        is_repeatable=True,
    )
    async def social_login(self, info: Info, input: SocialLoginInput) -> SocialLoginPayload:
        """Log in a person who comes back from the provider; a new person becomes a customer. The session id stays.

        If the answer was lost, send the same call once more within 30 seconds, with the old token: you get the same
        tokens.

        The login address is set only when the shop trusts the provider to know whose it is. An account that is there
        already and whose address nobody ever confirmed goes to its proven owner, even when the answer is that the
        owner may not log in yet; for what ends by that and what stays, see `resetPassword`. Where a second factor is
        needed, there is `nextStep` in the place of `tokens`: go on with `completeLogin`.
        Who: the anonymous session that `beginSocialLogin` was called with.
        User errors: `PROVIDER_UNKNOWN`; `TOKEN_INVALID`, `TOKEN_EXPIRED` at `state` or `nonce`,
        `TOKEN_INVALID` at `code`, `REDIRECT_URI_NOT_ALLOWED`, `TOO_LONG` at `code` or `idToken`, `TOO_SHORT`,
        `TOO_LONG`, `INVALID` at `codeVerifier`: begin again; `REQUIRED`, `INVALID` at what is missing, or does not
        belong to what is given: correct the storefront; `TOO_LONG`, `INVALID` at `firstName`, `lastName`: leave the
        name out; `PROVIDER_REFUSED`: the provider did not confirm who the person is, begin again;
        `PROVIDER_UNAVAILABLE`: offer another way to log in; `LINK_CONFIRMATION_REQUIRED`: the address has an account
        already, ask for its password or the mailed code, and call `confirmSocialLink` with `linkTicket`;
        `ACCOUNT_INACTIVE`, `ACCOUNT_ON_HOLD`, and `INVALID_CREDENTIALS` in a shop that does not say which: refer to the
        shop.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log out first; `RATE_LIMITED`: wait
        `retryAfter` seconds.
        """
        outcome = await service.social_login(
            info.context.uow, answer_of(input), input.device_token, device_cookie=info.context.device_cookie
        )
        if isinstance(outcome, LinkConfirmation):
            return SocialLoginPayload(link_ticket=outcome.ticket, user_errors=present(outcome.error))
        payload = _present_login(info, outcome.logged_in, created=outcome.created)
        payload.social_tokens = _present_social_tokens(outcome.tokens)
        return payload

    @mutation(
        kinds=(TokenKind.ANONYMOUS,),
        session_scope=SessionScope.CUSTOMER_LOGIN,
        takes_credentials=True,
        is_repeatable=True,
    )
    async def confirm_social_link(self, info: Info, input: ConfirmSocialLinkInput) -> SocialLoginPayload:
        """Link the social account to the account with the same address, by its password or the mailed code, and log in.

        Where a second factor is needed, there is `nextStep` in the place of `tokens`: go on with `completeLogin`.
        Who: the anonymous session that got `LINK_CONFIRMATION_REQUIRED`.
        User errors: `PASSWORD_LOGIN_OFF`: ask for the mailed code; `REQUIRED`: give `password` or `code`;
        `INVALID_CREDENTIALS` at `password`, `INVALID` at `code`:
        ask again, at most five times; `TOKEN_INVALID`, `TOKEN_EXPIRED` at `ticket`: begin the social login again;
        `ACCOUNT_INACTIVE`, `ACCOUNT_ON_HOLD`: refer to the shop.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log out first; `RATE_LIMITED`,
        `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        outcome = await link_service.confirm_social_link(
            info.context.uow,
            input.ticket,
            input.password,
            input.code,
            input.device_token,
            device_cookie=info.context.device_cookie,
        )
        return _present_login(info, outcome, created=False)

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.CREDENTIALS_WRITE, takes_credentials=True)
    async def link_social_account(self, info: Info, input: SocialLoginInput) -> LinkSocialAccountPayload:
        """Link a social account, so that the customer can log in with it too. The customer gets a mail.

        Who: the customer's session that called `beginSocialLogin`; if the login is more than ten minutes ago, with
        `password`.
        User errors: `PROVIDER_UNKNOWN`; `TOKEN_INVALID`, `TOKEN_EXPIRED` at `state` or `nonce`,
        `TOKEN_INVALID` at `code`, `REDIRECT_URI_NOT_ALLOWED`, `TOO_LONG` at `code` or `idToken`, `TOO_SHORT`,
        `TOO_LONG`, `INVALID` at `codeVerifier`: begin again; `REQUIRED`, `INVALID` at what is missing, or does not
        belong to what is given: correct the storefront; `TOO_LONG`, `INVALID` at `firstName`, `lastName`: leave the
        name out; `PROVIDER_REFUSED`: the provider did not confirm who the person is, begin again;
        `PROVIDER_UNAVAILABLE`: try later; `INVALID_CREDENTIALS` at `password`: ask again; `SOCIAL_ACCOUNT_TAKEN`:
        another customer signs in with it, offer another account; `LIMIT_REACHED`: the customer has twenty, ask to
        unlink one.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first; `REAUTHENTICATION_REQUIRED`: ask for
        the password, or log in again; `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        linked = await account_service.link_social_account(info.context.uow, answer_of(input), input.password)
        return LinkSocialAccountPayload(
            account=present_social_account(linked.identity),
            social_tokens=_present_social_tokens(linked.tokens),
        )

    @mutation(kinds=(TokenKind.CUSTOMER,), session_scope=SessionScope.CREDENTIALS_WRITE, takes_credentials=True)
    async def unlink_social_account(self, info: Info, input: UnlinkSocialAccountInput) -> UnlinkSocialAccountPayload:
        """Unlink a social account. All sessions that began with it end, also this one. The customer gets a mail.

        Who: a customer; if the login is more than ten minutes ago, with `password`.
        User errors: `NOT_FOUND`: read `me { accounts { id } }` again; `LAST_SIGN_IN_METHOD`: link another one, or set a
        password first; `INVALID_CREDENTIALS` at `password`: ask again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first; `REAUTHENTICATION_REQUIRED`: ask for
        the password, or log in again; `RATE_LIMITED`, `SERVICE_BUSY`: wait `retryAfter` seconds.
        """
        account_id = await account_service.unlink_social_account(info.context.uow, input.account_id, input.password)
        return UnlinkSocialAccountPayload(account_id=strawberry.ID(account_id))


def answer_of(input: SocialLoginInput) -> ProviderAnswer:
    """Return what the client has brought back from a provider."""
    return ProviderAnswer(
        provider=input.provider,
        code=input.code,
        redirect_uri=input.redirect_uri,
        code_verifier=input.code_verifier,
        state=input.state,
        iss=input.iss,
        id_token=input.id_token,
        nonce=input.nonce,
        first_name=input.first_name,
        last_name=input.last_name,
    )


def _present_social_tokens(tokens: ProviderTokens | None) -> SocialTokens | None:
    if tokens is None:
        return None
    return SocialTokens(access_token=tokens.access_token, id_token=tokens.id_token, expires_in=tokens.expires_in)
