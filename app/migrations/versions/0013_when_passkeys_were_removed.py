"""Removed passkeys are found by when they were removed, to be purged."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; the version before never looks for it."""
    op.create_index("ix_passkey_removed", "passkey", ["removed_at"], unique=False)
