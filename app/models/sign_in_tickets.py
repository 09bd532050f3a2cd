"""Tickets: sign-ins, and enrolments of a way in, that have begun and are not done."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import Index, LargeBinary, PrimaryKeyConstraint
from sqlmodel import Field

from app.models.base import ID_LENGTH, TenantRow, json_field
from app.models.sessions import HASH


@unique
class TicketPurpose(StrEnum):
    """What a ticket may be used for; it may be used for nothing else."""

    LOGIN = "login"
    REAUTHENTICATION = "reauthentication"
    PASSKEY_REGISTRATION = "passkey_registration"
    TOTP_ENROLMENT = "totp_enrolment"


class SignInTicket(TenantRow, table=True):
    """A sign-in that waits for a proof, in the one session that it is good in.

    `customer_id` is null while nobody knows whose sign-in it is: of a passkey that says so itself, and of a mailed code
    until it was sent. `credential_version` is that of the customer's credential when the ticket was made: a ticket from
    before a change of address or password is worthless. `proved` is what was proved already (`Factors.text`), and
    `identity_id` the social identity among it. `code_hash` includes the ticket, which is not stored, so that nobody
    can find the few digits from it; a code counts only once it was sent (`code_sent_at`), by `code_method`, to the
    sealed `recipient`. `challenge` is that of a passkey ceremony (WebAuthn Level 3 section 13.4.3), `secret` the sealed
    secret of a TOTP that waits for its confirmation, and `data` what else the method needs, nothing personal.
    """

    __tablename__ = "sign_in_ticket"
    __table_args__ = (
        PrimaryKeyConstraint("ticket_hash", "tenant_id"),
        Index("ix_sign_in_ticket_customer", "tenant_id", "customer_id"),
        Index("ix_sign_in_ticket_session", "tenant_id", "session_id"),
        Index("ix_sign_in_ticket_expires", "expires_at"),
    )

    ticket_hash: bytes = Field(primary_key=True, sa_type=HASH)
    purpose: str = Field(max_length=24)
    session_id: str = Field(max_length=ID_LENGTH)
    customer_id: str | None = Field(default=None, max_length=ID_LENGTH)
    credential_version: int | None = None
    proved: str | None = Field(default=None, max_length=200)
    identity_id: str | None = Field(default=None, max_length=ID_LENGTH)
    code_method: str | None = Field(default=None, max_length=16)
    code_hash: bytes | None = Field(default=None, sa_type=HASH)
    code_sent_at: datetime | None = None
    code_expires_at: datetime | None = None
    recipient: str | None = None
    challenge: bytes | None = Field(default=None, sa_type=LargeBinary(64))
    secret: str | None = None
    data: dict[str, Any] = json_field(dict)
    tries: int = 0
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
