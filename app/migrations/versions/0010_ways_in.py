"""Ways in beyond the password: tickets, passkeys, TOTP with its recovery codes, and what a session was proved with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; the version before never looks at what is new."""
    _add_columns()
    _add_tickets()
    _add_passkeys()
    _add_totp()


def _add_columns() -> None:
    moment, name = sa.DateTime(timezone=True), sa.String(36)
    op.add_column(
        "customer", sa.Column("second_factor_required", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("credential", sa.Column("password_set_at", moment, nullable=True))
    op.add_column("credential", sa.Column("verified_phone", sa.String(32), nullable=True))
    op.add_column("credential", sa.Column("phone_verified_at", moment, nullable=True))
    op.create_index("uq_credential_phone", "credential", ["tenant_id", "verified_phone"], unique=True)
    op.add_column("session", sa.Column("passkey_id", name, nullable=True))
    op.add_column("session", sa.Column("factors", sa.String(200), nullable=True))
    op.add_column("device", sa.Column("trusted_until", moment, nullable=True))


def _add_tickets() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "sign_in_ticket",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("ticket_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("purpose", sa.String(24), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=True),
        sa.Column("credential_version", sa.Integer(), nullable=True),
        sa.Column("proved", sa.String(200), nullable=True),
        sa.Column("identity_id", sa.String(36), nullable=True),
        sa.Column("code_method", sa.String(16), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("code_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recipient", sa.String(), nullable=True),
        sa.Column("challenge", sa.LargeBinary(64), nullable=True),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("data", json, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("ticket_hash", "tenant_id"),
    )
    op.create_index("ix_sign_in_ticket_customer", "sign_in_ticket", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_sign_in_ticket_session", "sign_in_ticket", ["tenant_id", "session_id"], unique=False)
    op.create_index("ix_sign_in_ticket_expires", "sign_in_ticket", ["expires_at"], unique=False)


def _add_passkeys() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "passkey",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("rp_id", sa.String(253), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("is_synced", sa.Boolean(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("transports", json, nullable=False),
        sa.Column("aaguid", sa.String(36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "credential_id", name="uq_passkey_credential"),
    )
    op.create_index("ix_passkey_customer", "passkey", ["tenant_id", "customer_id"], unique=False)


def _add_totp() -> None:
    op.create_table(
        "totp_secret",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "uq_totp_secret_customer",
        "totp_secret",
        ["tenant_id", "customer_id"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index("ix_totp_secret_customer", "totp_secret", ["tenant_id", "customer_id"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("totp_id", sa.String(36), nullable=False),
        sa.Column("code_hash", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("ix_recovery_code_customer", "recovery_code", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_recovery_code_totp", "recovery_code", ["tenant_id", "totp_id"], unique=False)
