"""An account knows the devices that its customer has logged in on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; the version before never looks at the table."""
    op.create_table(
        "device",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", "tenant_id"),
    )
    op.create_index("ix_device_customer", "device", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_device_expires", "device", ["expires_at"], unique=False)
