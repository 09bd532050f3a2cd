"""Ways in that were taken away are found by when that was, for the purge."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; the version before notices nothing."""
    op.create_index("ix_passkey_removed", "passkey", ["removed_at"], unique=False)
    op.create_index("ix_totp_secret_removed", "totp_secret", ["removed_at"], unique=False)
    op.create_index("ix_recovery_code_removed", "recovery_code", ["removed_at"], unique=False)
