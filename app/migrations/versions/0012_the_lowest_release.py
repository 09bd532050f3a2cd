"""The database says from which release of the gateway on it may be served."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; Alembic and the version before look at the other column only."""
    op.add_column("alembic_version", sa.Column("lowest_version", sa.String(16), nullable=True))
