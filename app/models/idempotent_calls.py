"""Calls with an `Idempotency-Key`, and what they have answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, PrimaryKeyConstraint, Text
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow
from app.models.sessions import HASH


class IdempotentCall(TenantRow, table=True):
    """A call that must have its effect once, by the hash of its key and of who uses that.

    Until it is over, `attempt` is the request that runs it, and nobody else may before `busy_until`. `sealed_input` is
    the hash of what was sent, and `sealed_answer` what was answered, both encrypted. The answer is written in the
    transaction that has the effect. `session_id` is null for an integration, and `customer_id` is whom it was about.
    """

    __tablename__ = "idempotent_call"
    __table_args__ = (
        PrimaryKeyConstraint("key_hash", "tenant_id"),
        Index("ix_idempotent_call_session", "tenant_id", "session_id"),
        Index("ix_idempotent_call_customer", "tenant_id", "customer_id"),
        Index("ix_idempotent_call_expires", "expires_at"),
    )

    key_hash: bytes = Field(primary_key=True, sa_type=HASH)
    session_id: str | None = Field(default=None, max_length=ID_LENGTH)
    customer_id: str | None = Field(default=None, max_length=ID_LENGTH)
    attempt: str = Field(max_length=ID_LENGTH)
    busy_until: datetime
    sealed_input: str = Field(sa_type=Text)
    sealed_answer: str | None = Field(default=None, sa_type=Text)
    created_at: datetime
    expires_at: datetime
