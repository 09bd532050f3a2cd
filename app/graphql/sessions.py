"""Sessions and tokens in GraphQL."""

from __future__ import annotations

from datetime import datetime

import strawberry

from app.domain.devices import describe_device
from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.domain.sign_in import SignInMethod
from app.graphql.addresses import OWN
from app.graphql.context import Info
from app.graphql.customers import Customer, present_customer
from app.graphql.errors import USER_ERRORS, UserError
from app.graphql.fields import ANYONE, mutation, query
from app.graphql.login_steps import NEXT_STEP, LoginStep, present_login_step
from app.graphql.presenting import Presenter
from app.graphql.proofs import KEPT_UNPROVEN_DATA
from app.graphql.refresh_cookies import check_refreshed, read_refresh_token
from app.models import sessions as models
from app.services.accounts.unproven_data import holds_unproven_data
from app.services.sessions import login_steps, saas_tokens, token_sets
from app.services.sessions import refresh as refresh_service
from app.services.sessions import sessions as service
from app.services.sessions import token_info as token_info_service
from app.services.sessions.sessions import LoggedIn
from app.services.unit_of_work import UnitOfWork

SessionRow = strawberry.Parent[models.Session]
EVERY_KIND = tuple(TokenKind)
SESSION = (TokenKind.ANONYMOUS, *OWN)
SCOPE = (
    'What the token may do: `["profile.read", "tenant=demo"]`. In `@allow`, each operation names its `sessionScope`; '
    "`tenant` is the shop. An integration's token has the scopes that it asked for."
)


async def _saas_token(tokens: strawberry.Parent[TokenSet], info: Info) -> str | None:
    issued = tokens.issued
    if issued.bearer.must_change_password:
        return None
    return await saas_tokens.sign_saas_token(info.context.uow, issued.bearer, issued.customer)


@strawberry.type(description="The tokens of a session. Keep the refresh token where no foreign script can read it.")
class TokenSet:
    """What a client gets when a session begins or goes on (RFC 6749 section 5.1)."""

    access_token: str = strawberry.field(
        description="The access token: `cg_…`. Send it with every call, in the header `Authorization: Bearer …`."
    )
    token_type: str = strawberry.field(description="How to send the token: `Bearer`.")
    expires_in: int = strawberry.field(description="Seconds until the access token expires: `900`.")
    refresh_token: str | None = strawberry.field(
        description="Trade it for new tokens with `refresh`. It works once. Null on behalf of a customer, "
        "and for a client that keeps it in a cookie."
    )
    refresh_token_expires_in: int | None = strawberry.field(
        description="Seconds until the refresh token expires: `86400`."
    )
    saas_token: str | None = strawberry.field(
        resolver=_saas_token,
        description="A JWT (ES256) for the shop's other services, which check it with `/.well-known/jwks.json`. It is "
        "signed only when it is asked for; `saasToken` gives another one. Null as long as an initial password must be "
        "changed.",
    )
    saas_token_expires_in: int = strawberry.field(description="Seconds until the saas token expires: `300`.")
    session_id: strawberry.ID = strawberry.field(
        description="The id of the session. It stays the same from `anonymousLogin` to `logout`, so bind the basket "
        "to it. It is "
        "no credential."
    )
    scope: list[str] = strawberry.field(description=SCOPE)
    initial_password: bool = strawberry.field(
        description="True: ask for a new password now. Until `changePassword` the token serves for nothing but `me` "
        "and `logout`, unless the shop has turned `initial_password_gate` off."
    )
    device_token: str | None = strawberry.field(
        description="After a `login` or `changePassword` what the account knows this device by: keep it beyond the "
        "logout, and give it to the next `login`. It opens nothing, and works for 180 days after the last login. "
        "Null everywhere else, and for a client that keeps its refresh token in a cookie: this one is in a cookie too."
    )
    issued: strawberry.Private[token_sets.TokenSet]


@strawberry.type(description="A JWT for the shop's other services, which check it with `/.well-known/jwks.json`.")
class SaasToken:
    """The token and its life."""

    token: str = strawberry.field(description="The JWT, signed with ES256. `aud` is the shop.")
    expires_in: int = strawberry.field(
        description="Seconds until it expires: `300`. Never longer than the access token."
    )


present_saas_token = Presenter(saas_tokens.SaasToken, SaasToken)


def present_tokens(tokens: token_sets.TokenSet) -> TokenSet:
    """Return the tokens as payloads have them."""
    return TokenSet(
        access_token=tokens.access_token,
        token_type="Bearer",  # noqa: S106 - the type, not a token
        expires_in=tokens.expires_in,
        refresh_token=tokens.refresh_token,
        refresh_token_expires_in=tokens.refresh_token_expires_in,
        saas_token_expires_in=tokens.saas_token_expires_in,
        session_id=strawberry.ID(tokens.session_id),
        scope=tokens.scope,
        initial_password=tokens.initial_password,
        device_token=tokens.device_token,
        issued=tokens,
    )


@strawberry.type(description="Who acts on the customer's behalf.")
class Actor:
    """The acting person or system."""

    id: strawberry.ID = strawberry.field(
        description="The id of the organisation's user, or else of the client: `aqwDFvELOz`. The same person may act "
        "for several reasons: a cache keeps an actor with the session, not by this id."
    )
    type: str = strawberry.field(description="`User`, or `Client` if the integration names no person.")
    reason: str = strawberry.field(description="Why: `Phone order 4711`. It was given to `loginOnBehalf`.")


@strawberry.type(description="The user of the organisation who owns an integration's token.")
class Owner:
    """Id and type."""

    id: strawberry.ID = strawberry.field(description="The id of the user: `aqwDFvELOz`.")
    type: str = strawberry.field(description="The kind of owner: `User`.")


@strawberry.type(description="What the access token of this call says.")
class TokenInfo:
    """The token's kind, life and owner."""

    kind: TokenKind = strawberry.field(description="What kind of access token it is.")
    token_type: str = strawberry.field(description="How to send the token: `Bearer`.")
    expires_in: int = strawberry.field(description="Seconds until the token expires: `900`.")
    scope: list[str] = strawberry.field(description=SCOPE)
    session_id: strawberry.ID | None = strawberry.field(
        description="The id of the session. Null for an integration token."
    )
    tenant: str = strawberry.field(description="The shop: `demo`.")
    client_id: str = strawberry.field(
        description="The id of the client that the token was issued to: `demo-storefront`."
    )
    customer_id: strawberry.ID | None = strawberry.field(
        description="The id of the customer. Null for anonymous and integration tokens."
    )
    email: str | None = strawberry.field(description="The login address of the customer: `ada@example.com`.")
    legal_entity_id: strawberry.ID | None = strawberry.field(
        description="The id of the company that the customer buys for."
    )
    actor: Actor | None = strawberry.field(description="Who acts on the customer's behalf. Null for other tokens.")
    owner: Owner | None = strawberry.field(description="Who owns an integration token. Null if it has no owner.")
    authenticated_at: datetime | None = strawberry.field(
        description="When the customer last proved who they are, by a login or by `reauthenticate`. Null for other "
        "tokens than the customer's own."
    )
    methods: list[SignInMethod] = strawberry.field(
        description="What the customer has proved it with in this session, the last one last: `[PASSWORD, TOTP]`. "
        "Empty for other tokens."
    )
    level: str | None = strawberry.field(
        description='How strong that is, as the claim `acr`: `"1"` is one factor, `"2"` are two factors or a passkey. '
        "Null for other tokens."
    )


present_token_info = Presenter(token_info_service.TokenInfo, TokenInfo)


def _device(row: SessionRow) -> str | None:
    return describe_device(row.user_agent, " on ") or None


def _last_used(row: SessionRow) -> datetime:
    return row.last_used_at


def _actor(row: SessionRow) -> Actor | None:
    if row.actor_id is None:
        return None
    return Actor(id=strawberry.ID(row.actor_id), type=row.actor_type or "", reason=row.actor_reason or "")


def _current(row: SessionRow, info: Info) -> bool:
    principal = info.context.principal
    return principal is not None and principal.session_id == row.id


@strawberry.type(description="One of the customer's open sessions.")
class Session:
    """Where, since when, and whether it is this one."""

    id: strawberry.ID = strawberry.field(
        description="The id of the session. Send it to `revokeSession` to end the session."
    )
    site: str | None = strawberry.field(description="The id of the shop's site: `main`.")
    created_at: datetime = strawberry.field(description="When the session began.")

    device: str | None = strawberry.field(
        resolver=_device, description="The browser and the system: `Firefox on Windows`. Null if we know neither."
    )
    user_agent: str | None = strawberry.field(
        description="The header `User-Agent` as it was sent: `Mozilla/5.0 (Windows NT 10.0; …`. Escape it: anybody "
        "can send "
        "any text."
    )
    last_used: datetime = strawberry.field(resolver=_last_used, description="When it last logged in or refreshed.")
    current: bool = strawberry.field(resolver=_current, description="Whether this call was made in it.")
    actor: Actor | None = strawberry.field(
        resolver=_actor, description="Who acts on the customer's behalf in it. Null if it is the customer's own."
    )


present_session = Presenter(models.Session, Session)


@strawberry.input(description="The storefront that begins a session.")
class AnonymousLoginInput:
    """Client id and site."""

    client_id: str = strawberry.field(
        description="The client id of the storefront: `demo-storefront`. It also says which shop it is."
    )
    site: str | None = strawberry.field(default=None, description="The id of one of the shop's sites: `main`.")


@strawberry.input(description="The refresh token to trade.")
class RefreshInput:
    """Refresh token and legal entity."""

    refresh_token: str | None = strawberry.field(
        default=None,
        description="The refresh token that was received last: `cg_cr_…`. Leave it out if the client keeps it in a "
        "cookie (`refresh_cookie`), and send the header `Gateway-Client`.",
    )
    legal_entity_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of one of the customer's confirmed companies, to buy for it from now on."
    )


@strawberry.input(description="The customer's login address and password.")
class LoginInput:
    """Login credentials."""

    email: str = strawberry.field(description="`ada@example.com`")
    password: str = strawberry.field(description="Exactly as typed.")
    device_token: str | None = strawberry.field(
        default=None,
        description="The last `deviceToken` that a login of this customer gave on this device, if you have one: while "
        "somebody guesses the password, a device that the account knows need not wait. An unknown one does no harm. "
        "A client that keeps its refresh token in a cookie leaves this out.",
    )


@strawberry.input(description="Whether to end this session only, or all of them.")
class LogoutInput:
    """This session, or all."""

    everywhere: bool = strawberry.field(
        default=False, description="True: end all sessions of the customer. False: end this one only."
    )


@strawberry.input(description="The session to end.")
class RevokeSessionInput:
    """The session's id."""

    session_id: strawberry.ID = strawberry.field(description="The `id` of one of `sessions`.")


@strawberry.type(description="The tokens, or why there are none.")
class TokenPayload:
    """Answer of `anonymousLogin` and `refresh`."""

    tokens: TokenSet | None = strawberry.field(default=None, description="The tokens to use from now on.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="The tokens and the customer, or the next step, or why the login failed.")
class LoginPayload:
    """Answer of `login` and `completeLogin`."""

    tokens: TokenSet | None = strawberry.field(default=None, description="The tokens to use from now on.")
    customer: Customer | None = strawberry.field(default=None, description="The customer who is logged in.")
    next_step: LoginStep | None = strawberry.field(default=None, description=NEXT_STEP)
    kept_unproven_data: bool = strawberry.field(default=False, description=KEPT_UNPROVEN_DATA)
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


def present_login(uow: UnitOfWork, outcome: LoggedIn | login_steps.LoginStep) -> LoginPayload:
    """Return the answer of a login that is complete, or has a step to go."""
    if isinstance(outcome, login_steps.LoginStep):
        return LoginPayload(next_step=present_login_step(outcome))
    return LoginPayload(
        tokens=present_tokens(outcome.tokens),
        customer=present_customer(outcome.customer),
        kept_unproven_data=holds_unproven_data(uow, outcome.customer),
    )


@strawberry.type(description="Whether the session has ended.")
class LogoutPayload:
    """Answer of `logout`."""

    logged_out: bool | None = strawberry.field(
        default=None, description="True: the session has ended, and its tokens no longer work."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type(description="Whether the session has ended, or why not.")
class RevokeSessionPayload:
    """Answer of `revokeSession`."""

    revoked: bool | None = strawberry.field(
        default=None, description="True: the session has ended, and its tokens no longer work."
    )
    user_errors: list[UserError] = strawberry.field(default_factory=list, description=USER_ERRORS)


@strawberry.type
class SessionQueries:
    """Root query fields about sessions."""

    @query(kinds=EVERY_KIND, session_scope=SessionScope.SESSION_USE)
    def token_info(self, info: Info) -> TokenInfo:
        """What the access token of this call says.

        Who: the bearer of any access token.
        Errors: `UNAUTHENTICATED` with `reason`: `MISSING`: send a token; `INVALID`: begin with `anonymousLogin`;
        `EXPIRED`: call `refresh`; `REVOKED`: log in again.
        """
        return present_token_info(token_info_service.token_info(info.context.uow))

    @query(kinds=SESSION, session_scope=SessionScope.SESSION_USE)
    async def saas_token(self, info: Info) -> SaasToken:
        """A new saas token for this session. Call it when the last one is about to expire; no `refresh` is needed.

        Who: an anonymous session, a customer, or staff on their behalf; then `act` in the token names the staff.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN` for an integration token: it is a JWT itself.
        """
        return present_saas_token(await saas_tokens.saas_token(info.context.uow))

    @query(kinds=OWN, session_scope=SessionScope.SESSIONS_MANAGE)
    async def sessions(self, info: Info) -> list[Session]:
        """The customer's open sessions, the one that was used last first.

        Who: a customer, or staff on their behalf.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        return present_session.each(await service.sessions(info.context.uow))


@strawberry.type
class SessionMutations:
    """Root mutation fields about sessions."""

    @mutation(kinds=ANYONE)
    async def anonymous_login(self, info: Info, input: AnonymousLoginInput) -> TokenPayload:
        """Begin an anonymous session of a storefront. Nothing about the person is stored.

        Who: anyone; an old token in the header is ignored.
        User errors: `INVALID` at `clientId` or `site`: correct the settings of the storefront.
        Errors: `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        tokens = await service.anonymous_login(info.context.uow, input.client_id, input.site)
        return TokenPayload(tokens=present_tokens(tokens))

    @mutation(kinds=ANYONE)
    async def refresh(self, info: Info, input: RefreshInput) -> TokenPayload:
        """Trade a refresh token for new tokens, in an anonymous session or a customer's. The session id stays the same.

        Within 30 seconds any number of tabs may trade the same token: some share a pair. If the answer is lost, call
        again, even days later: as long as nothing of the lost answer was traded on, you get a new pair, once a day.
        A client with `refresh_cookie` sends `{}`, its cookie, and the header `Gateway-Client`.
        Who: anyone with a refresh token; an old access token in the header is ignored.
        User errors: `REQUIRED`: give the refresh token; `TOKEN_INVALID`, `TOKEN_EXPIRED`: use the newest token that any
        tab has, or begin again with `anonymousLogin`; `TOKEN_REUSED`: somebody else may have the token, so
        the session was ended, and all its refresh tokens answer so: log in again; `NOT_FOUND` at `legalEntityId`: it is
        not one of the customer's confirmed companies, and the refresh token still works.
        Errors: `RATE_LIMITED`: wait `retryAfter` seconds; `FORBIDDEN`: the cookie counts only from a page of the
        client's origins, with `Gateway-Client`.
        """
        tools, facts = info.context.tools, info.context.caller.facts.as_sent
        presented = read_refresh_token(tools, facts, input.refresh_token)
        tokens = await refresh_service.refresh(info.context.uow, presented, input.legal_entity_id)
        check_refreshed(tools, facts, input.refresh_token, tokens.bearer.client_id)
        return TokenPayload(tokens=present_tokens(tokens))

    @mutation(
        kinds=(TokenKind.ANONYMOUS,),
        session_scope=SessionScope.CUSTOMER_LOGIN,
        takes_credentials=True,
        is_repeatable=True,
    )
    async def login(self, info: Info, input: LoginInput) -> LoginPayload:
        """Log a customer in. The session id, and so the basket, stays the same. Only the new tokens work from now on.

        If the answer was lost, send the same call once more within 30 seconds, with the old token: you get the same
        tokens.
        Where a second factor is needed, there is `nextStep` in the place of `tokens`: go on with `completeLogin`.
        Who: an anonymous session.
        User errors: `INVALID_CREDENTIALS`: address or password is not right, or there is no such account. In the
        session that signed up with the address, `EMAIL_NOT_CONFIRMED`: offer `resendConfirmation`; there, or after the
        right password, `ACCOUNT_INACTIVE`, `ACCOUNT_ON_HOLD`: refer to the shop. `PASSWORD_LOGIN_OFF`: the shop has no
        passwords, offer `requestLoginCode` or a passkey.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log out first; `RATE_LIMITED`,
        `SERVICE_BUSY`: wait `retryAfter` seconds, or offer a password reset, after which this session need not wait;
        `CHALLENGE_REQUIRED`: let the person solve the challenge of `provider` with `siteKey`, and send the same call
        with its answer in the header `Challenge-Response`.
        """
        context, uow = info.context, info.context.uow
        logged_in = await service.login(
            uow, input.email, input.password, input.device_token, device_cookie=context.device_cookie
        )
        return present_login(uow, logged_in)

    @mutation(kinds=SESSION, session_scope=SessionScope.SESSION_USE, initial_password=True, ends_session=True)
    async def logout(self, info: Info, input: LogoutInput | None = None) -> LogoutPayload:
        """End this session, or with `everywhere` all sessions of the customer. The tokens stop working at once.

        Who: an anonymous session, a customer, or staff on their behalf; or the bearer of the cookie of a client with
        `refresh_cookie`, without an access token, who sends the header `Gateway-Client`.
        User errors: none.
        Errors: `UNAUTHENTICATED`: the session has ended already; `FORBIDDEN` for an integration token: it has no
        session; or for a cookie that does not come from a page of the client's origins.
        """
        everywhere = input is not None and input.everywhere
        return LogoutPayload(logged_out=await service.logout(info.context.uow, everywhere=everywhere))

    @mutation(kinds=OWN, session_scope=SessionScope.SESSIONS_MANAGE)
    async def revoke_session(self, info: Info, input: RevokeSessionInput) -> RevokeSessionPayload:
        """End one of the customer's own sessions, on a lost phone for example. Its tokens stop working at once.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND`: read `sessions` again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        return RevokeSessionPayload(revoked=await service.revoke_session(info.context.uow, input.session_id))
