"""Calls with an `Idempotency-Key`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; the version before never looks at the table."""
    op.create_table(
        "idempotent_call",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=True),
        sa.Column("customer_id", sa.String(36), nullable=True),
        sa.Column("attempt", sa.String(36), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_input", sa.Text(), nullable=False),
        sa.Column("sealed_answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", "tenant_id"),
    )
    op.create_index("ix_idempotent_call_session", "idempotent_call", ["tenant_id", "session_id"], unique=False)
    op.create_index("ix_idempotent_call_customer", "idempotent_call", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_idempotent_call_expires", "idempotent_call", ["expires_at"], unique=False)
