"""Who wrote what an account holds, so that the proven owner of its address may discard what somebody else has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WRITTEN_BY_SEVERAL = ("address", "legal_entity_assignment", "payment_instrument", "product_list", "product_list_item")


def upgrade() -> None:
    """Bring the database to this revision; of rows of before, and of the version before, nothing is known."""
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    for table in _WRITTEN_BY_SEVERAL:
        op.add_column(table, sa.Column("origin", sa.String(16), nullable=True))
    op.add_column("customer", sa.Column("shop_fields", json, nullable=True))
    op.add_column("customer", sa.Column("unproven_fields", json, nullable=True))
    op.add_column("customer", sa.Column("unproven_until", sa.DateTime(timezone=True), nullable=True))
