"""Which kinds of password hashes of other systems a tenant's customers have, or had."""

from __future__ import annotations

from sqlmodel import Field

from app.models.base import TenantRow
from app.models.credentials import HASH_LENGTH


class PasswordHashKind(TenantRow, table=True):
    """A kind with its cost, written as a hash of that kind which is nobody's."""

    __tablename__ = "password_hash_kind"

    kind: str = Field(primary_key=True, max_length=HASH_LENGTH)
