"""A visit is one small row, until something is written on its behalf."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; no visit is written while the version before may serve."""
    op.create_table(
        "visit",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("client_id", sa.String(128), nullable=False),
        sa.Column("site", sa.String(64), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sqlite_with_rowid=False,
    )
