"""What a customer signs in with by password: the login address and the hash."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, searched_text

# Long enough for the encoded hashes of other systems too.
HASH_LENGTH = 255


class Credential(TenantRow, table=True):
    """The login address and password of one customer.

    `email_key` is the address in the form to compare. It is unique in the tenant, so the database decides who signs up
    first. `password_hash` is null if there is no password. `version` counts the changes of address and password; a
    one-time token from before a change no longer works after it. `password_version` is the version in which the
    password was set; version 1.0 of the gateway, which may still run beside this one, reads it.
    """

    __tablename__ = "credential"
    __table_args__ = (UniqueConstraint("tenant_id", "email_key", name="uq_credential_email"),)

    customer_id: str = Field(primary_key=True, max_length=ID_LENGTH)
    email: str | None = Field(default=None, max_length=254)
    email_key: str | None = Field(default=None, sa_type=searched_text(254))
    email_verified_at: datetime | None = None
    must_confirm: bool = False
    password_hash: str | None = Field(default=None, max_length=HASH_LENGTH)
    initial_password: bool = False
    version: int = 1
    password_version: int = 1
    changed_at: datetime
