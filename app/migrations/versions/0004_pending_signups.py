"""Sign-ups wait for the proof of their address in a table of their own, and a credential knows who made it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

JSON = sa.JSON().with_variant(JSONB(), "postgresql")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision.

    Accounts of before that wait for their confirmation stay accounts. Nobody knows any more who made the others, nor
    does the version before write it down.
    """
    op.create_table(
        "pending_signup",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column(
            "email_key",
            sa.String(length=254).with_variant(sa.String(length=254, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("password_hash", sa.String(255), nullable=True),
        sa.Column("data", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("ix_pending_signup_customer", "pending_signup", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_pending_signup_email", "pending_signup", ["tenant_id", "email_key", "id"], unique=False)
    op.create_index("ix_pending_signup_expires", "pending_signup", ["expires_at"], unique=False)
    op.create_index("ix_pending_signup_session", "pending_signup", ["tenant_id", "session_id"], unique=False)
    op.add_column("credential", sa.Column("made_by", sa.String(16), nullable=True))
    op.create_index(
        "ix_credential_unproven",
        "credential",
        ["tenant_id", "changed_at", "customer_id"],
        unique=False,
        sqlite_where=sa.text("email_verified_at IS NULL"),
        postgresql_where=sa.text("email_verified_at IS NULL"),
    )
