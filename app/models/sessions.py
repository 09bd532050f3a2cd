"""Sessions and their tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, PrimaryKeyConstraint, Text
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow
from app.models.customers import CustomerProfile

HASH = LargeBinary(32)


class Session(TenantRow, table=True):
    """One session, from the anonymous start to the logout.

    Storefronts bind the basket to its id, which is never a credential.

    `expires_at` is the absolute end, which no refresh changes. `authenticated_at` is when the customer last proved who
    they are. `family` is the number of the current family of refresh tokens: a login or a new password begins the next
    one; `reused_at` is when one of its tokens was seen to have two holders, which ended the session. Nothing about the
    person is stored while the session is anonymous. `actor_…` says who acts on the customer's
    behalf, and `credential_fingerprint` which credential of the client it began with. `identity_id` is the social
    identity, and `passkey_id` the passkey, with which the customer logged in. `factors` is all that the customer has
    proved who they are with in it (`Factors.text`).
    """

    __tablename__ = "session"
    __table_args__ = (
        Index("ix_session_customer", "tenant_id", "customer_id"),
        Index("ix_session_expires", "expires_at"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    kind: str = Field(max_length=16)
    client_id: str = Field(max_length=128)
    site: str | None = Field(default=None, max_length=64)
    customer_id: str | None = Field(default=None, max_length=ID_LENGTH)
    legal_entity_id: str | None = Field(default=None, max_length=100)
    user_agent: str | None = Field(default=None, max_length=255)
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    family: int = 1
    authenticated_at: datetime | None = None
    revoked_at: datetime | None = None
    reused_at: datetime | None = None
    identity_id: str | None = Field(default=None, max_length=ID_LENGTH)
    passkey_id: str | None = Field(default=None, max_length=ID_LENGTH)
    factors: str | None = Field(default=None, max_length=200)
    actor_id: str | None = Field(default=None, max_length=128)
    actor_type: str | None = Field(default=None, max_length=16)
    actor_reason: str | None = Field(default=None, max_length=200)
    credential_fingerprint: bytes | None = Field(default=None, sa_type=HASH)


class AccessToken(TenantRow, table=True):
    """An opaque access token, stored as its hash only; `refresh_hash` is the refresh token of the same pair."""

    __tablename__ = "access_token"
    __table_args__ = (
        PrimaryKeyConstraint("token_hash", "tenant_id"),
        Index("ix_access_token_session", "tenant_id", "session_id"),
        Index("ix_access_token_expires", "expires_at"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=HASH)
    session_id: str = Field(max_length=ID_LENGTH)
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    refresh_hash: bytes | None = Field(default=None, sa_type=HASH)


class RefreshToken(TenantRow, table=True):
    """A refresh token, stored as its hash only, and its place in its family.

    `expires_at` is the end if it is not used; `parent_hash` is the token that was traded for this one; `used_at` is
    when this one was traded, and `lost_at` when it was last traded anew because nothing of the answer was ever used.
    """

    __tablename__ = "refresh_token"
    __table_args__ = (
        PrimaryKeyConstraint("token_hash", "tenant_id"),
        Index("ix_refresh_token_session", "tenant_id", "session_id"),
        Index("ix_refresh_token_parent", "tenant_id", "parent_hash"),
        Index("ix_refresh_token_expires", "expires_at"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=HASH)
    session_id: str = Field(max_length=ID_LENGTH)
    family: int
    parent_hash: bytes | None = Field(default=None, sa_type=HASH)
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    lost_at: datetime | None = None
    revoked_at: datetime | None = None


class KeptPair(TenantRow, table=True):
    """A pair of tokens that may be answered once more for some seconds, because the first answer may be lost.

    `refresh_hash` is its refresh token, and `presented_hash` the token that it was given for. `input_hash` is an HMAC
    of what was sent together with that, and null where it does not matter. `sealed` are the tokens, encrypted.
    """

    __tablename__ = "kept_pair"
    __table_args__ = (
        PrimaryKeyConstraint("refresh_hash", "tenant_id"),
        Index("ix_kept_pair_presented", "presented_hash"),
        Index("ix_kept_pair_expires", "expires_at"),
    )

    refresh_hash: bytes = Field(primary_key=True, sa_type=HASH)
    presented_hash: bytes = Field(sa_type=HASH)
    input_hash: bytes | None = Field(default=None, sa_type=HASH)
    sealed: str = Field(sa_type=Text)
    created_at: datetime
    expires_at: datetime


class PresentedToken(CustomerProfile):
    """An access token as read from the database, with its session and its customer.

    If `session_customer_id` is null, all fields of the customer are null, whatever their types say.
    """

    token_expires_at: datetime
    token_revoked_at: datetime | None
    session_id: str
    session_tenant_id: str
    session_kind: str
    session_client_id: str
    session_site: str | None
    session_customer_id: str | None
    session_legal_entity_id: str | None
    session_expires_at: datetime
    session_revoked_at: datetime | None
    session_authenticated_at: datetime | None
    session_factors: str | None
    session_actor_id: str | None
    session_actor_type: str | None
    session_actor_reason: str | None
    session_credential_fingerprint: bytes | None
