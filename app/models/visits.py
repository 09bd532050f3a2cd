"""Visits: anonymous sessions of which nothing but their start is known, each one small row."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, PrimaryKeyConstraint
from sqlmodel import Field

from app.domain.principal import TokenKind
from app.domain.tenants.rules import Lifetimes
from app.domain.tokens import hash_of_refresh_token
from app.domain.visit_ids import begun_at, text_of
from app.models.base import TenantRow
from app.models.sessions import HASH, AccessToken, RefreshToken, Session


class Visit(TenantRow, table=True):
    """An anonymous session whose first tokens have only been used to read.

    Whatever writes on its behalf turns it into a `Session` first, with the same id and the same tokens, and the visit
    goes. `id` is the session's, in its 16 bytes, and has the time of the start in it (`visit_ids`); when its tokens end
    is what the shop's lifetimes say. `token_hash` is that of the access token, from which that of the refresh token
    follows. There is no index but the key: a token has the id.
    """

    __tablename__ = "visit"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "id"), {"sqlite_with_rowid": False})

    id: bytes = Field(primary_key=True, sa_type=LargeBinary(16))
    client_id: str = Field(max_length=128)
    site: str | None = Field(default=None, max_length=64)
    token_hash: bytes = Field(sa_type=HASH)


def access_token_end(visit: Visit, lifetimes: Lifetimes) -> datetime:
    """Return when the visit's access token ends, which is never later than the visit."""
    seconds = min(lifetimes.anonymous_access_token_seconds, lifetimes.anonymous_refresh_token_seconds)
    return begun_at(visit.id) + timedelta(seconds=seconds)


def visit_end(visit: Visit, lifetimes: Lifetimes) -> datetime:
    """Return when the visit and its refresh token end."""
    return begun_at(visit.id) + timedelta(seconds=lifetimes.anonymous_refresh_token_seconds)


def session_of(visit: Visit, lifetimes: Lifetimes) -> Session:
    """Return the session that the visit is."""
    begun = begun_at(visit.id)
    return Session(
        tenant_id=visit.tenant_id,
        id=text_of(visit.id),
        kind=TokenKind.ANONYMOUS.value,
        client_id=visit.client_id,
        site=visit.site,
        created_at=begun,
        last_used_at=begun,
        expires_at=visit_end(visit, lifetimes),
    )


def tokens_of(visit: Visit, session: Session, lifetimes: Lifetimes) -> tuple[AccessToken, RefreshToken]:
    """Return the rows of the visit's tokens, as those of its session."""
    refresh_hash = hash_of_refresh_token(visit.token_hash)
    access = AccessToken(
        tenant_id=visit.tenant_id,
        token_hash=visit.token_hash,
        session_id=session.id,
        created_at=session.created_at,
        expires_at=access_token_end(visit, lifetimes),
        refresh_hash=refresh_hash,
    )
    refresh = RefreshToken(
        tenant_id=visit.tenant_id,
        token_hash=refresh_hash,
        session_id=session.id,
        family=session.family,
        created_at=session.created_at,
        expires_at=session.expires_at,
    )
    return access, refresh
