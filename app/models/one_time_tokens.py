"""Mailed tokens that work once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import Index, PrimaryKeyConstraint
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, json_field
from app.models.sessions import HASH


@unique
class Purpose(StrEnum):
    """What a one-time token may be used for; it may be used for nothing else."""

    CONFIRM_SIGNUP = "confirm_signup"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password
    CONFIRM_EMAIL_CHANGE = "confirm_email_change"
    REVERT_EMAIL_CHANGE = "revert_email_change"
    CANCEL_ANONYMIZATION = "cancel_anonymization"
    REVERT_SIGN_IN_METHOD = "revert_sign_in_method"


# The ways back: an intruder who sets a password must not be able to prevent them.
REVERTS = (Purpose.REVERT_EMAIL_CHANGE, Purpose.REVERT_SIGN_IN_METHOD)
ENDED_BY_NEW_CREDENTIALS = tuple(purpose for purpose in Purpose if purpose not in REVERTS)

# What `data` of the token that reverts a change says about the address that it was mailed to.
WAS_PROVEN = "was_proven"


class OneTimeToken(TenantRow, table=True):
    """A one-time token, stored as its hash only, for one customer, one address and one version of the credential.

    `data` is what else is needed when it is used; like the address, it may be personal.
    """

    __tablename__ = "one_time_token"
    __table_args__ = (
        PrimaryKeyConstraint("token_hash", "tenant_id"),
        Index("ix_one_time_token_customer", "tenant_id", "customer_id", "purpose"),
        Index("ix_one_time_token_email", "tenant_id", "email_key"),
        Index("ix_one_time_token_expires", "expires_at"),
    )

    token_hash: bytes = Field(primary_key=True, sa_type=HASH)
    purpose: str = Field(max_length=32)
    customer_id: str = Field(max_length=ID_LENGTH)
    email: str = Field(max_length=254)
    email_key: str = Field(max_length=254)
    credential_version: int
    data: dict[str, Any] = json_field(dict)
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    used_in_session: str | None = Field(default=None, max_length=ID_LENGTH)
    revoked_at: datetime | None = None
