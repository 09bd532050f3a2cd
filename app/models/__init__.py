"""SQLModel tables and the rules of a single row."""

from __future__ import annotations

from sqlmodel import SQLModel

from app.models.addresses import Address
from app.models.base import TenantRow
from app.models.credentials import Credential
from app.models.customers import Customer
from app.models.legal_entities import LegalEntityAssignment
from app.models.one_time_tokens import OneTimeToken
from app.models.outbox import OutboxMessage
from app.models.sessions import AccessToken, RefreshToken, Session

METADATA = SQLModel.metadata
TABLES: tuple[type[TenantRow], ...] = (
    AccessToken,
    Address,
    Credential,
    Customer,
    LegalEntityAssignment,
    OneTimeToken,
    OutboxMessage,
    RefreshToken,
    Session,
)
