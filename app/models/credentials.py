"""What a customer signs in with by password: the login address and the hash."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum, unique

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, searched_text

# Long enough for the encoded hashes of other systems too.
HASH_LENGTH = 255


@unique
class Maker(StrEnum):
    """By whom, or how, an account was made."""

    SIGNUP = "signup"
    SOCIAL = "social"
    STAFF = "staff"
    IMPORT = "import"


class Credential(TenantRow, table=True):
    """The login address and password of one customer.

    `email_key` is the address as it is compared, unique in the tenant: the database decides who signs up first.
    `password_hash` is null for who has no password. `version` counts the changes of address and password; a one-time
    token made before a change is worthless after it. `password_version` is the version that brought the password;
    version 1.0 of the gateway, which may still run beside this one, goes by it. `made_by` is null for accounts of
    that version. `password_set_at` is null for a password of before: then `changed_at` is the best guess.
    `verified_phone` is a number that the customer has proved to receive codes at; it signs in, so it is one account's.
    `email_bounced_at` is when a mail server last refused the address for good, and null again as soon as
    it takes a mail. `former_email_key` is the address of an account that was joined with another one: it is free, but
    whoever asks for the account there is told.
    """

    __tablename__ = "credential"
    __table_args__ = (
        UniqueConstraint("tenant_id", "email_key", name="uq_credential_email"),
        Index("uq_credential_phone", "tenant_id", "verified_phone", unique=True),
        Index(
            "ix_credential_unproven",
            "tenant_id",
            "changed_at",
            "customer_id",
            sqlite_where=text("email_verified_at IS NULL"),
            postgresql_where=text("email_verified_at IS NULL"),
        ),
        Index(
            "ix_credential_former_email",
            "tenant_id",
            "former_email_key",
            sqlite_where=text("former_email_key IS NOT NULL"),
            postgresql_where=text("former_email_key IS NOT NULL"),
        ),
    )

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
    made_by: str | None = Field(default=None, max_length=16)
    password_set_at: datetime | None = None
    verified_phone: str | None = Field(default=None, max_length=32)
    phone_verified_at: datetime | None = None
    email_bounced_at: datetime | None = None
    former_email_key: str | None = Field(default=None, sa_type=searched_text(254))


class UnprovenAccount:
    """An account whose address was never proved: since when, and what it was used for."""

    tenant_id: str
    customer_id: str
    changed_at: datetime
    last_login_at: datetime | None
    order_count: int
    anonymization_status: str | None
