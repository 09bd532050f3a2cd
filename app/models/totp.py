"""TOTP secrets, and the recovery codes for who has lost the device with the secret."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow


class TotpSecret(TenantRow, table=True):
    """The secret that a customer's app makes its codes of (RFC 6238), confirmed by a code and sealed.

    `last_step` is the time step whose code was used last: no code of it, or of one before, is taken again. A removed
    one stays until nobody can take its removal back; of the others a customer has one.
    """

    __tablename__ = "totp_secret"
    __table_args__ = (
        Index(
            "uq_totp_secret_customer",
            "tenant_id",
            "customer_id",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index("ix_totp_secret_customer", "tenant_id", "customer_id"),
        Index("ix_totp_secret_removed", "removed_at"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    secret: str
    last_step: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime
    last_used_at: datetime | None = None
    removed_at: datetime | None = None


class RecoveryCode(TenantRow, table=True):
    """A code that stands for the TOTP once, hashed. `totp_id` is the secret that it was made with."""

    __tablename__ = "recovery_code"
    __table_args__ = (
        Index("ix_recovery_code_customer", "tenant_id", "customer_id"),
        Index("ix_recovery_code_totp", "tenant_id", "totp_id"),
        Index("ix_recovery_code_removed", "removed_at"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    totp_id: str = Field(max_length=ID_LENGTH)
    code_hash: str = Field(max_length=255)
    created_at: datetime
    used_at: datetime | None = None
    removed_at: datetime | None = None
