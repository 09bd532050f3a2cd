"""Sessions and tokens in GraphQL."""

from __future__ import annotations

from datetime import datetime

import strawberry

from app.domain.principal import TokenKind
from app.domain.scopes import SessionScope
from app.graphql.addresses import OWN
from app.graphql.context import Info
from app.graphql.customers import Customer, present_customer
from app.graphql.errors import UserError
from app.graphql.fields import ANYONE, mutation, query
from app.graphql.presenting import Presenter
from app.models import sessions as models
from app.services.sessions import saas_tokens, token_sets
from app.services.sessions import sessions as service
from app.services.sessions import token_info as token_info_service

SessionRow = strawberry.Parent[models.Session]
EVERY_KIND = tuple(TokenKind)
SESSION = (TokenKind.ANONYMOUS, *OWN)
SCOPE = (
    "What the token may do: the `sessionScope` of each operation in `@allow`, and the shop: `tenant=demo`. "
    "An integration's are the scopes that it asked for."
)


async def _saas_token(tokens: strawberry.Parent[TokenSet], info: Info) -> str | None:
    issued = tokens.issued
    if issued.bearer.must_change_password:
        return None
    return await saas_tokens.sign_saas_token(info.context.uow, issued.bearer, issued.customer)


@strawberry.type(description="The tokens of a session. Keep the refresh token where scripts of others cannot read it.")
class TokenSet:
    """What a client gets when a session begins or goes on (RFC 6749 section 5.1)."""

    access_token: str = strawberry.field(description="For the header `Authorization: Bearer …` of every call.")
    token_type: str = strawberry.field(description="`Bearer`")
    expires_in: int = strawberry.field(description="Seconds until the access token expires: `900`.")
    refresh_token: str | None = strawberry.field(description="Trade it with `refresh`; each works once.")
    refresh_token_expires_in: int | None = strawberry.field(description="Seconds until the refresh token expires.")
    saas_token: str | None = strawberry.field(
        resolver=_saas_token,
        description="A JWT (ES256) for the shop's other services, which check it with `/.well-known/jwks.json`. It is "
        "signed only when it is asked for; `saasToken` gives another one. Null as long as an initial password must be "
        "changed.",
    )
    saas_token_expires_in: int = strawberry.field(description="Seconds until the saas token expires: `300`.")
    session_id: strawberry.ID = strawberry.field(
        description="Stays from the anonymous start to the logout; the basket hangs on it. It proves nothing."
    )
    scope: list[str] = strawberry.field(description=SCOPE)
    initial_password: bool = strawberry.field(
        description="True: ask for a new password now. Until `changePassword` the token serves for nothing but `me` "
        "and `logout`, unless the shop has turned `initial_password_gate` off."
    )
    device_token: str | None = strawberry.field(
        description="After a `login` or `changePassword` what the account knows this device by: keep it beyond the "
        "logout, and give it to the next `login`. It opens nothing, and works for 180 days after the last login. "
        "Null everywhere else."
    )
    issued: strawberry.Private[token_sets.TokenSet]


@strawberry.type(description="A JWT for the shop's other services, which check it with `/.well-known/jwks.json`.")
class SaasToken:
    """The token and its life."""

    token: str = strawberry.field(description="Signed with ES256; `aud` is the shop.")
    expires_in: int = strawberry.field(
        description="Seconds until it expires, at most those of the access token: `300`."
    )


present_saas_token = Presenter(saas_tokens.SaasToken, SaasToken)


def present_tokens(tokens: token_sets.TokenSet) -> TokenSet:
    """Return the tokens as they stand in payloads."""
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

    id: strawberry.ID = strawberry.field(description="Of the organisation's user, or else of the client.")
    type: str = strawberry.field(description="`User`, or `Client` where no person was named.")
    reason: str = strawberry.field(description="As it was given to `loginOnBehalf`.")


@strawberry.type(description="The user of the organisation in whose name an integration acts.")
class Owner:
    """Id and type."""

    id: strawberry.ID
    type: str


@strawberry.type(description="What the presented access token says.")
class TokenInfo:
    """The token's kind, life and owner."""

    kind: TokenKind
    token_type: str = strawberry.field(description="`Bearer`")
    expires_in: int = strawberry.field(description="Seconds until it expires.")
    scope: list[str] = strawberry.field(description=SCOPE)
    session_id: strawberry.ID | None
    tenant: str = strawberry.field(description="The shop: `demo`.")
    client_id: str = strawberry.field(description="The client that the token was given to: `demo-storefront`.")
    customer_id: strawberry.ID | None = strawberry.field(description="Null for anonymous and integration tokens.")
    email: str | None = strawberry.field(description="The customer's login address.")
    legal_entity_id: strawberry.ID | None = strawberry.field(description="The company that the customer buys for.")
    actor: Actor | None
    owner: Owner | None


present_token_info = Presenter(token_info_service.TokenInfo, TokenInfo)


def _device(row: SessionRow) -> str | None:
    return row.user_agent


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

    id: strawberry.ID = strawberry.field(description="For `revokeSession`.")
    site: str | None = strawberry.field(description="The shop's site: `main`.")
    created_at: datetime = strawberry.field(description="When the visit began: RFC 3339, UTC.")

    device: str | None = strawberry.field(
        resolver=_device, description="The browser or app as it names itself: `Mozilla/5.0 …`."
    )
    last_used: datetime = strawberry.field(
        resolver=_last_used, description="When it last logged in or refreshed: RFC 3339, UTC."
    )
    current: bool = strawberry.field(resolver=_current, description="Whether it is the session of this call.")
    actor: Actor | None = strawberry.field(
        resolver=_actor, description="Who acts on the customer's behalf in it; null in the customer's own."
    )


present_session = Presenter(models.Session, Session)


@strawberry.input(description="Which storefront begins a session.")
class AnonymousLoginInput:
    """Client id and site."""

    client_id: str = strawberry.field(
        description="The storefront's client id, which decides the shop: `demo-storefront`."
    )
    site: str | None = strawberry.field(default=None, description="One of the shop's sites: `main`.")


@strawberry.input(description="The refresh token to trade.")
class RefreshInput:
    """Refresh token and legal entity."""

    refresh_token: str = strawberry.field(description="The last one received.")
    legal_entity_id: strawberry.ID | None = strawberry.field(
        default=None, description="Buy for this company from now on: one of the customer's confirmed ones."
    )


@strawberry.input(description="The customer's address and password.")
class LoginInput:
    """Login credentials."""

    email: str = strawberry.field(description="`ada@example.com`")
    password: str = strawberry.field(description="Exactly as typed.")
    device_token: str | None = strawberry.field(
        default=None,
        description="The last `deviceToken` that a login of this customer gave on this device, if you have one: while "
        "somebody guesses the password, a device that the account knows need not wait. An unknown one does no harm.",
    )


@strawberry.input(description="How far the logout reaches.")
class LogoutInput:
    """This session, or all."""

    everywhere: bool = strawberry.field(default=False, description="End all sessions of the customer.")


@strawberry.input(description="Which session to end.")
class RevokeSessionInput:
    """The session's id."""

    session_id: strawberry.ID = strawberry.field(description="One of `sessions`.")


@strawberry.type
class TokenPayload:
    """Answer of `anonymousLogin` and `refresh`."""

    tokens: TokenSet | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class LoginPayload:
    """Answer of `login`."""

    tokens: TokenSet | None = None
    customer: Customer | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class LogoutPayload:
    """Answer of `logout`."""

    logged_out: bool | None = strawberry.field(default=None, description="True: the tokens are dead by now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class RevokeSessionPayload:
    """Answer of `revokeSession`."""

    revoked: bool | None = strawberry.field(default=None, description="True: the session's tokens are dead by now.")
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class SessionQueries:
    """Root query fields about sessions."""

    @query(kinds=EVERY_KIND, session_scope=SessionScope.SESSION_USE)
    def token_info(self, info: Info) -> TokenInfo:
        """What the presented access token says.

        Who: the bearer of any access token.
        Errors: `UNAUTHENTICATED` with `reason`: `MISSING`: send one; `INVALID`: begin with `anonymousLogin`;
        `EXPIRED`: `refresh`; `REVOKED`: log in again.
        """
        return present_token_info(token_info_service.token_info(info.context.uow))

    @query(kinds=SESSION, session_scope=SessionScope.SESSION_USE)
    async def saas_token(self, info: Info) -> SaasToken:
        """A new saas token of this session: ask again when the last one is about to expire, without a `refresh`.

        Who: an anonymous session, a customer, or staff on their behalf, whom `act` of the token names.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN` for an integration: its own token is a JWT.
        """
        return present_saas_token(await saas_tokens.saas_token(info.context.uow))

    @query(kinds=OWN, session_scope=SessionScope.SESSIONS_MANAGE)
    async def sessions(self, info: Info) -> list[Session]:
        """The customer's open sessions, the latest used first, with the one of this call marked.

        Who: a customer, or staff on their behalf.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        return present_session.each(await service.sessions(info.context.uow))


@strawberry.type
class SessionMutations:
    """Root mutation fields about sessions."""

    @mutation(kinds=ANYONE)
    async def anonymous_login(self, info: Info, input: AnonymousLoginInput) -> TokenPayload:
        """Begin a visit: an anonymous session of a storefront. Nothing about the person is kept.

        Who: anyone; a stale token in the header does no harm.
        User errors: `INVALID` at `clientId` or `site`: the storefront is set up wrongly.
        Errors: `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        tokens = await service.anonymous_login(info.context.uow, input.client_id, input.site)
        return TokenPayload(tokens=present_tokens(tokens))

    @mutation(kinds=ANYONE)
    async def refresh(self, info: Info, input: RefreshInput) -> TokenPayload:
        """Trade a refresh token for new tokens; the session id stays. Works for anonymous and for customer sessions.

        Two tabs may trade the same token within 30 seconds, and a lost answer may be asked for again.
        Who: anyone with a refresh token; a stale access token in the header does no harm.
        User errors: `TOKEN_INVALID`, `TOKEN_EXPIRED`: begin anew with `anonymousLogin`; `TOKEN_REUSED`: two parties
        had the token, so the session was ended: log in again; `NOT_FOUND` at `legalEntityId`: not one of the customer's
        confirmed companies, nothing was traded.
        Errors: `RATE_LIMITED`: wait `retryAfter` seconds.
        """
        tokens = await service.refresh(info.context.uow, input.refresh_token, input.legal_entity_id)
        return TokenPayload(tokens=present_tokens(tokens))

    @mutation(kinds=(TokenKind.ANONYMOUS,), session_scope=SessionScope.CUSTOMER_LOGIN, takes_credentials=True)
    async def login(self, info: Info, input: LoginInput) -> LoginPayload:
        """Log a customer in. The session id stays, so the basket does too; the anonymous tokens die: use the new ones.

        Who: an anonymous session.
        User errors: `INVALID_CREDENTIALS`: address or password is not right, or there is no such account. In the
        session that signed up with the address, `EMAIL_NOT_CONFIRMED`: offer `resendConfirmation`; there, or after the
        right password, `ACCOUNT_INACTIVE`, `ACCOUNT_ON_HOLD`: refer to the shop.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`; `FORBIDDEN`: log out first; `RATE_LIMITED`,
        `SERVICE_BUSY`: wait `retryAfter` seconds, or offer a password reset, after which this session need not wait;
        `CHALLENGE_REQUIRED`: let the person solve the challenge of `provider` with `siteKey`, and send the same call
        with its answer in the header `Challenge-Response`.
        """
        logged_in = await service.login(info.context.uow, input.email, input.password, input.device_token)
        return LoginPayload(tokens=present_tokens(logged_in.tokens), customer=present_customer(logged_in.customer))

    @mutation(kinds=SESSION, session_scope=SessionScope.SESSION_USE, initial_password=True)
    async def logout(self, info: Info, input: LogoutInput | None = None) -> LogoutPayload:
        """End this session, or with `everywhere` all sessions of the customer. The tokens are dead at once.

        Who: an anonymous session, a customer, or staff on their behalf.
        User errors: none.
        Errors: `UNAUTHENTICATED`: it has ended already; `FORBIDDEN` for an integration token: it has no session to end.
        """
        everywhere = input is not None and input.everywhere
        return LogoutPayload(logged_out=await service.logout(info.context.uow, everywhere=everywhere))

    @mutation(kinds=OWN, session_scope=SessionScope.SESSIONS_MANAGE)
    async def revoke_session(self, info: Info, input: RevokeSessionInput) -> RevokeSessionPayload:
        """End one of the customer's own sessions, on a lost phone for example. Its tokens are dead at once.

        Who: a customer, or staff on their behalf.
        User errors: `NOT_FOUND`: read `sessions` again.
        Errors: `UNAUTHENTICATED`: refresh or log in; `FORBIDDEN`: log in first.
        """
        return RevokeSessionPayload(revoked=await service.revoke_session(info.context.uow, input.session_id))
