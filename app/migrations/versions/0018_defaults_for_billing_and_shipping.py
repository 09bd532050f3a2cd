"""An address may be the default for billing or for shipping, beside the one default."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; the version before writes addresses that are no such default."""
    for name in ("is_billing_default", "is_shipping_default"):
        op.add_column("address", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
        op.create_index(
            f"uq_address_{name.removeprefix('is_')}",
            "address",
            ["tenant_id", "customer_id"],
            unique=True,
            sqlite_where=sa.text(name),
            postgresql_where=sa.text(name),
        )
