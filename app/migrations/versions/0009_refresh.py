"""Refresh tokens that may be traded again: whose pair an access token is, what was lost, what was seen to be copied."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; the version before never looks at what is new."""
    op.add_column("session", sa.Column("reused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("access_token", sa.Column("refresh_hash", sa.LargeBinary(32), nullable=True))
    op.add_column("refresh_token", sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "kept_pair",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("presented_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("input_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("refresh_hash", "tenant_id"),
    )
    op.create_index("ix_kept_pair_presented", "kept_pair", ["presented_hash"], unique=False)
    op.create_index("ix_kept_pair_expires", "kept_pair", ["expires_at"], unique=False)
