"""Refresh tokens of social providers, kept sealed to be revoked, and how old a login there may be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; the version before never looks at what is new."""
    op.add_column("social_state", sa.Column("max_age", sa.Integer(), nullable=True))
    op.add_column("social_identity", sa.Column("sealed_refresh_token", sa.Text(), nullable=True))
    op.add_column("link_ticket", sa.Column("sealed_refresh_token", sa.Text(), nullable=True))
