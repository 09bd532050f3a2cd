"""The customer's place in a legal entity keeps the number that another system knows it by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; rows of before, and those that the version before writes, have none."""
    op.add_column("legal_entity_assignment", sa.Column("contact_assignment_id", sa.String(100), nullable=True))
