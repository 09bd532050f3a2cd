"""Mailed tokens that work once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum, unique

from sqlalchemy import Index, PrimaryKeyConstraint
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow
from app.models.sessions import HASH


@unique
class Purpose(StrEnum):
    """What a one-time token is good for, and nothing else."""

    CONFIRM_SIGNUP = "confirm_signup"


class OneTimeToken(TenantRow, table=True):
    """A one-time token, known by its hash only; bound to a customer, an address and a version of the credential."""

    __tablename__ = "one_time_token"
    __table_args__ = (
        PrimaryKeyConstraint("token_hash", "tenant_id"),
        Index("ix_one_time_token_customer", "tenant_id", "customer_id", "purpose"),
        Index("ix_one_time_token_expires", "expires_at"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=HASH)
    purpose: str = Field(max_length=32)
    customer_id: str = Field(max_length=ID_LENGTH)
    email: str = Field(max_length=254)
    credential_version: int
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    used_in_session: str | None = Field(default=None, max_length=ID_LENGTH)
    revoked_at: datetime | None = None
