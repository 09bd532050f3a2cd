"""What providers of social login post to us, until the app fetches it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; the version before never looks at the table."""
    op.create_table(
        "social_answer",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", "tenant_id"),
    )
    op.create_index("ix_social_answer_session", "social_answer", ["tenant_id", "session_id"], unique=False)
    op.create_index("ix_social_answer_customer", "social_answer", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_social_answer_expires", "social_answer", ["expires_at"], unique=False)
