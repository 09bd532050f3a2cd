"""Social login: open logins, the people whom providers know, and links that wait for a confirmation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, PrimaryKeyConstraint, Text, UniqueConstraint
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow
from app.models.sessions import HASH

PROVIDER_LENGTH = 64
ISSUER_LENGTH = 300
SUBJECT_LENGTH = 255
EMAIL_LENGTH = 254


class SocialState(TenantRow, table=True):
    """An open social login, stored with the hash of its `state`.

    One that an app begins for the sheet of its platform is answered by its `nonce`, and has neither redirect URI nor
    challenge: both are empty. It works once, in the session that began it. `customer_id` is the customer of that
    session at that time: a login that began in an anonymous session must not link an account. `max_age` is how many
    seconds ago, at that time, the person may have logged in at the provider.
    """

    __tablename__ = "social_state"
    __table_args__ = (
        PrimaryKeyConstraint("state_hash", "tenant_id"),
        Index("ix_social_state_session", "tenant_id", "session_id"),
        Index("ix_social_state_expires", "expires_at"),
    )

    state_hash: bytes = Field(primary_key=True, sa_type=HASH)
    session_id: str = Field(max_length=ID_LENGTH)
    customer_id: str | None = Field(default=None, max_length=ID_LENGTH)
    provider: str = Field(max_length=PROVIDER_LENGTH)
    issuer: str = Field(max_length=ISSUER_LENGTH)
    redirect_uri: str
    code_challenge: str = Field(max_length=43)
    nonce: str = Field(max_length=43)
    max_age: int | None = None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


class SocialAnswer(TenantRow, table=True):
    """What a provider has posted to us, until the session that began fetches it by the code that its app was handed.

    `code_hash` is of that code. `sealed` is the provider's own code and what came with it, encrypted; nobody gets it
    twice, for the row goes with its state's use.
    """

    __tablename__ = "social_answer"
    __table_args__ = (
        PrimaryKeyConstraint("state_hash", "tenant_id"),
        Index("ix_social_answer_session", "tenant_id", "session_id"),
        Index("ix_social_answer_customer", "tenant_id", "customer_id"),
        Index("ix_social_answer_expires", "expires_at"),
    )

    state_hash: bytes = Field(primary_key=True, sa_type=HASH)
    session_id: str = Field(max_length=ID_LENGTH)
    customer_id: str | None = Field(default=None, max_length=ID_LENGTH)
    code_hash: bytes = Field(sa_type=HASH)
    sealed: str = Field(sa_type=Text)
    created_at: datetime
    expires_at: datetime


class SocialIdentity(TenantRow, table=True):
    """A person as known to a provider, linked to one customer.

    `email` is what the provider has said; it is only shown. `sealed_refresh_token` is the provider's latest one,
    encrypted, kept for nothing but its revocation.
    """

    __tablename__ = "social_identity"
    __table_args__ = (
        UniqueConstraint("tenant_id", "provider", "issuer", "subject", name="uq_social_identity"),
        Index("ix_social_identity_customer", "tenant_id", "customer_id"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    provider: str = Field(max_length=PROVIDER_LENGTH)
    issuer: str = Field(max_length=ISSUER_LENGTH)
    subject: str = Field(max_length=SUBJECT_LENGTH)
    email: str | None = Field(default=None, max_length=EMAIL_LENGTH)
    email_verified: bool = False
    sealed_refresh_token: str | None = Field(default=None, sa_type=Text)
    created_at: datetime
    last_login_at: datetime | None = None


class LinkTicket(TenantRow, table=True):
    """A proven identity that waits to be linked to a customer, until the password or the mailed code comes.

    It is valid only in its session, and while the customer's credential is the same. `code_hash` includes the ticket,
    which is not stored, so that nobody can find the few digits from it.
    """

    __tablename__ = "link_ticket"
    __table_args__ = (
        PrimaryKeyConstraint("ticket_hash", "tenant_id"),
        Index("ix_link_ticket_customer", "tenant_id", "customer_id"),
        Index("ix_link_ticket_expires", "expires_at"),
    )

    ticket_hash: bytes = Field(primary_key=True, sa_type=HASH)
    session_id: str = Field(max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    credential_version: int
    provider: str = Field(max_length=PROVIDER_LENGTH)
    issuer: str = Field(max_length=ISSUER_LENGTH)
    subject: str = Field(max_length=SUBJECT_LENGTH)
    email: str = Field(max_length=EMAIL_LENGTH)
    code_hash: bytes = Field(sa_type=HASH)
    sealed_refresh_token: str | None = Field(default=None, sa_type=Text)
    tries: int = 0
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
