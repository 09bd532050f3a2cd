"""Pauses of webhooks that grow with failed probes, messages in the order of their age, and addresses that bounced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_WAITS_FOR_ENDPOINT = sa.text("endpoint IS NOT NULL AND delivered_at IS NULL AND dead_at IS NULL")


def upgrade() -> None:
    """Bring the database to this revision."""
    op.add_column("webhook_endpoint", sa.Column("failed_probes", sa.Integer(), server_default="0", nullable=False))
    op.add_column("webhook_endpoint", sa.Column("probed_id", sa.String(36), nullable=True))
    op.add_column("credential", sa.Column("email_bounced_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_outbox_endpoint_age",
        "outbox_message",
        ["tenant_id", "endpoint", "id"],
        sqlite_where=_WAITS_FOR_ENDPOINT,
        postgresql_where=_WAITS_FOR_ENDPOINT,
    )
