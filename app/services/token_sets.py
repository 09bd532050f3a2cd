"""The tokens that a session hands out: access, refresh and saas token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.errors import UnauthenticatedReason, unauthenticated
from app.domain.principal import TokenKind
from app.domain.tokens import OpaqueToken, TokenPrefix
from app.models.customers import CustomerProfile
from app.models.sessions import AccessToken, RefreshToken, Session
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class TokenSet:
    """What the client gets, once; lifetimes in whole seconds from now."""

    access_token: str
    expires_in: int
    refresh_token: str | None
    refresh_token_expires_in: int | None
    saas_token: str | None
    session_id: str
    scope: tuple[str, ...]
    initial_password: bool


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
    anonymous = kind is TokenKind.ANONYMOUS
    access = OpaqueToken.of(TokenPrefix.ANONYMOUS_ACCESS if anonymous else TokenPrefix.CUSTOMER_ACCESS, random.secret())
    refresh = OpaqueToken.of(
        TokenPrefix.ANONYMOUS_REFRESH if anonymous else TokenPrefix.CUSTOMER_REFRESH, random.secret()
    )
    await uow.sessions.add_access_token(
        AccessToken(
            tenant_id=uow.tenant.id,
            token_hash=access.hash,
            session_id=session.id,
            created_at=uow.now,
            expires_at=access_ends,
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
    return TokenSet(
        access_token=access.text,
        expires_in=_seconds(access_ends - uow.now),
        refresh_token=refresh.text,
        refresh_token_expires_in=_seconds(refresh_ends - uow.now),
        saas_token=await sign_saas_token(uow, session, customer, access_ends) if customer else None,
        session_id=session.id,
        scope=(),
        initial_password=customer is not None and customer.initial_password,
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


async def sign_saas_token(uow: UnitOfWork, session: Session, customer: CustomerProfile, access_ends: datetime) -> str:
    """Return the JWT by which other services know the customer: no personal data beyond the customer number.

    `groups` are the codes of the customer's groups.
    """
    ends = min(uow.now + timedelta(seconds=uow.tenant.saas_token_seconds), access_ends)
    claims = {
        "iss": uow.tools.public_url,
        "aud": uow.tenant.id,
        "sub": customer.id,
        "iat": int(uow.now.timestamp()),
        "exp": int(ends.timestamp()),
        "jti": uow.tools.random.new_id(),
        "sid": session.id,
        "client_id": session.client_id,
        "customer_number": customer.customer_number,
        "groups": await uow.groups.list_codes_of(customer.id),
    }
    if session.legal_entity_id is not None:
        claims["legal_entity_id"] = session.legal_entity_id
    return uow.tools.signer.sign(claims)


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
