"""Sign-ups that wait for the proof of their address, each on its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, json_field, searched_text
from app.models.credentials import HASH_LENGTH


class PendingSignup(TenantRow, table=True):
    """What somebody signed up with, and in which session; `id` is the customer's, if one comes of it.

    `data` is the checked registration. As soon as it is settled whose the address is, `ended_at` is set, `customer_id`
    is whose it is, and password and data are gone; `confirmed_at` is set too where it was this sign-up that was
    confirmed. The row itself stays until `expires_at` (null: for ever), because the session must not learn more about
    an address that was taken than about a free one.
    """

    __tablename__ = "pending_signup"
    __table_args__ = (
        Index("ix_pending_signup_email", "tenant_id", "email_key", "id"),
        Index("ix_pending_signup_customer", "tenant_id", "customer_id"),
        Index("ix_pending_signup_session", "tenant_id", "session_id"),
        Index("ix_pending_signup_expires", "expires_at"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    session_id: str = Field(max_length=ID_LENGTH)
    customer_id: str | None = Field(default=None, max_length=ID_LENGTH)
    email: str = Field(max_length=254)
    email_key: str = Field(sa_type=searched_text(254), nullable=False)
    password_hash: str | None = Field(default=None, max_length=HASH_LENGTH)
    data: dict[str, Any] = json_field(dict)
    created_at: datetime
    expires_at: datetime | None = None
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
