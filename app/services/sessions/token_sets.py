"""The tokens that a session issues: access token, refresh token, and the owner of the saas token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.errors import UnauthenticatedReason, unauthenticated
from app.domain.principal import Actor, Principal, TokenKind
from app.domain.scopes import scope_words
from app.domain.tokens import OpaqueToken, TokenPrefix
from app.models.customers import CustomerProfile
from app.models.sessions import AccessToken, RefreshToken, Session
from app.services.sessions.saas_tokens import saas_token_seconds
from app.services.unit_of_work import UnitOfWork

_ANONYMOUS_KINDS = (TokenPrefix.ANONYMOUS_ACCESS, TokenPrefix.ANONYMOUS_REFRESH)
_CUSTOMER_KINDS = (TokenPrefix.CUSTOMER_ACCESS, TokenPrefix.CUSTOMER_REFRESH)


@dataclass(frozen=True, slots=True, repr=False)
class TokenSet:
    """What the client gets, once; lifetimes in whole seconds from now.

    `bearer` and `customer` are whose the tokens are: the saas token is signed for them when somebody asks for it.
    `device_token` is what the account knows the device by, where a password was just given.
    """

    access_token: str
    expires_in: int
    refresh_token: str | None
    refresh_token_expires_in: int | None
    saas_token_expires_in: int
    bearer: Principal
    customer: CustomerProfile | None
    device_token: str | None = None

    @property
    def session_id(self) -> str:
        """The session, which stays."""
        return self.bearer.session_id or ""

    @property
    def scope(self) -> list[str]:
        """What the access token may do."""
        return scope_words(self.bearer)

    @property
    def initial_password(self) -> bool:
        """Whether the customer logged in with a password that staff have set."""
        return self.customer is not None and self.bearer.actor is None and self.customer.initial_password


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """An access token and the refresh token that came with it, and when they end."""

    access: str
    access_ends: datetime
    refresh: str
    refresh_ends: datetime


@dataclass(frozen=True, slots=True)
class _Lifetimes:
    access: timedelta
    refresh: timedelta


async def issue_tokens(
    uow: UnitOfWork, session: Session, customer: CustomerProfile | None, *, parent_hash: bytes | None = None
) -> TokenSet:
    """Write and return new tokens of a session; none of them outlives it."""
    kind = TokenKind(session.kind)
    lifetimes = _lifetimes(uow, kind)
    random = uow.tools.random
    access_ends = min(uow.now + lifetimes.access, session.expires_at)
    refresh_ends = min(uow.now + lifetimes.refresh, session.expires_at)
    kinds = _ANONYMOUS_KINDS if kind is TokenKind.ANONYMOUS else _CUSTOMER_KINDS
    access, refresh = (OpaqueToken.of_tenant(each, uow.tenant.id, random.secret()) for each in kinds)
    await uow.sessions.add_access_token(
        AccessToken(
            tenant_id=uow.tenant.id,
            token_hash=access.hash,
            session_id=session.id,
            created_at=uow.now,
            expires_at=access_ends,
            refresh_hash=refresh.hash,
        )
    )
    await uow.sessions.add_refresh_token(
        RefreshToken(
            tenant_id=uow.tenant.id,
            token_hash=refresh.hash,
            session_id=session.id,
            family=session.family,
            parent_hash=parent_hash,
            created_at=uow.now,
            expires_at=refresh_ends,
        )
    )
    return token_set(uow, session, customer, Pair(access.text, access_ends, refresh.text, refresh_ends))


def token_set(uow: UnitOfWork, session: Session, customer: CustomerProfile | None, pair: Pair) -> TokenSet:
    """Return what the client gets with this pair of the session's tokens."""
    gated = session.kind == TokenKind.CUSTOMER and customer is not None and customer.initial_password
    bearer = bearer_of(session, pair.access_ends, must_change_password=gated and uow.tenant.initial_password_gate)
    return TokenSet(
        access_token=pair.access,
        expires_in=_seconds(pair.access_ends - uow.now),
        refresh_token=pair.refresh,
        refresh_token_expires_in=_seconds(pair.refresh_ends - uow.now),
        saas_token_expires_in=saas_token_seconds(uow, bearer),
        bearer=bearer,
        customer=customer,
    )


async def rotate_tokens(uow: UnitOfWork, session_id: str, customer: CustomerProfile) -> TokenSet:
    """End every token of a customer's session and return new ones; raises UNAUTHENTICATED when it has ended."""
    session = await uow.sessions.begin_family(session_id, uow.now)
    if session is None:
        raise unauthenticated(UnauthenticatedReason.REVOKED)
    await uow.sessions.revoke_tokens(session_id, uow.now)
    return await issue_tokens(uow, session, customer)


def session_end(uow: UnitOfWork, kind: TokenKind) -> datetime:
    """Return the absolute end of a session that begins, or for an anonymous one goes on, now."""
    if kind is TokenKind.ANONYMOUS:
        return uow.now + timedelta(seconds=uow.tenant.anonymous_refresh_token_seconds)
    return uow.now + timedelta(seconds=uow.tenant.refresh_token_absolute_seconds)


def _lifetimes(uow: UnitOfWork, kind: TokenKind) -> _Lifetimes:
    tenant = uow.tenant
    if kind is TokenKind.ANONYMOUS:
        access, refresh = tenant.anonymous_access_token_seconds, tenant.anonymous_refresh_token_seconds
    else:
        access, refresh = tenant.access_token_seconds, tenant.refresh_token_idle_seconds
    return _Lifetimes(timedelta(seconds=access), timedelta(seconds=refresh))


def bearer_of(session: Session, expires_at: datetime, *, must_change_password: bool = False) -> Principal:
    """Return the principal of an access token of the session, as `authenticate` will return it."""
    return Principal(
        kind=TokenKind(session.kind),
        tenant_id=session.tenant_id,
        client_id=session.client_id,
        expires_at=expires_at,
        session_id=session.id,
        site=session.site,
        customer_id=session.customer_id,
        legal_entity_id=session.legal_entity_id,
        authenticated_at=session.authenticated_at,
        factors=session.factors,
        actor=Actor(session.actor_id, session.actor_type or "", session.actor_reason or "")
        if session.actor_id is not None
        else None,
        must_change_password=must_change_password,
    )


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
