"""The tokens of integrations, and the assertions that they have used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, PrimaryKeyConstraint
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow
from app.models.sessions import HASH


class IntegrationToken(TenantRow, table=True):
    """An access token of an integration.

    The token itself is a JWT; here is only its `jti`. `credential_fingerprint` is the fingerprint of the secret or key
    with which the client authenticated.
    """

    __tablename__ = "integration_token"
    __table_args__ = (PrimaryKeyConstraint("jti", "tenant_id"), Index("ix_integration_token_expires", "expires_at"))

    jti: str = Field(primary_key=True, max_length=ID_LENGTH)
    client_id: str = Field(max_length=128)
    credential_fingerprint: bytes = Field(sa_type=HASH)
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


class UsedAssertion(TenantRow, table=True):
    """An assertion that a client has used, with the hash of its `jti`. It is kept until it would have expired."""

    __tablename__ = "used_assertion"
    __table_args__ = (
        PrimaryKeyConstraint("client_id", "jti_hash", "tenant_id"),
        Index("ix_used_assertion_expires", "expires_at"),
    )

    client_id: str = Field(primary_key=True, max_length=128)
    jti_hash: bytes = Field(primary_key=True, sa_type=HASH)
    expires_at: datetime
