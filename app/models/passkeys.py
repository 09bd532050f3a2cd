"""Passkeys: the public keys that customers sign in with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from app.domain.passkeys import CREDENTIAL_ID_LENGTH, PASSKEY_NAME_LENGTH
from app.models.base import ID_LENGTH, TenantRow, json_field


class Passkey(TenantRow, table=True):
    """One passkey of a customer (a credential record, WebAuthn Level 3 section 4).

    `is_synced` is the flag "backup eligible", which never changes: such a key is not bound to one device; `backed_up`
    is the flag "backup state" of the last use. A removed one stays until nobody can take its removal back.
    """

    __tablename__ = "passkey"
    __table_args__ = (
        UniqueConstraint("tenant_id", "credential_id", name="uq_passkey_credential"),
        Index("ix_passkey_customer", "tenant_id", "customer_id"),
        Index("ix_passkey_removed", "removed_at"),
    )

    id: str = Field(primary_key=True, max_length=ID_LENGTH)
    customer_id: str = Field(max_length=ID_LENGTH)
    credential_id: bytes = Field(sa_type=LargeBinary(CREDENTIAL_ID_LENGTH))
    public_key: bytes = Field(sa_type=LargeBinary)
    rp_id: str = Field(max_length=253)
    name: str = Field(max_length=PASSKEY_NAME_LENGTH)
    sign_count: int = Field(default=0, sa_type=BigInteger)
    is_synced: bool = False
    backed_up: bool = False
    transports: list[str] = json_field(list)
    aaguid: str | None = Field(default=None, max_length=ID_LENGTH)
    created_at: datetime
    last_used_at: datetime | None = None
    removed_at: datetime | None = None
