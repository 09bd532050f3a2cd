"""Devices that an account knows, because its customer has logged in there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, PrimaryKeyConstraint
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow
from app.models.sessions import HASH


class Device(TenantRow, table=True):
    """A device that one account knows, by the hash of the token that it got at a login.

    The token opens nothing: it only spares a login the wait that others have caused by guessing. `last_used_at` is the
    login that `expires_at` counts from. Until `trusted_until`, where the customer wanted that, it stands for the second
    factor.
    """

    __tablename__ = "device"
    __table_args__ = (
        PrimaryKeyConstraint("token_hash", "tenant_id"),
        Index("ix_device_customer", "tenant_id", "customer_id"),
        Index("ix_device_expires", "expires_at"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=HASH)
    customer_id: str = Field(max_length=ID_LENGTH)
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    trusted_until: datetime | None = None
