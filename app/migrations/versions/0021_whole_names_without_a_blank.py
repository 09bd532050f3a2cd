"""Chinese, Japanese and Korean names are found as one word too; the worker folds all customers once more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_UNSEARCHED = sa.text(
    "search_folding <> 2 OR search_of <> version OR (anonymization_status = 'DONE' AND search_text <> '')"
)


def upgrade() -> None:
    """Bring the database to this revision; the version before reads the customers' words and not this index."""
    op.drop_index("ix_customer_unsearched", "customer")
    op.create_index(
        "ix_customer_unsearched",
        "customer",
        ["tenant_id", "id"],
        unique=False,
        sqlite_where=_UNSEARCHED,
        postgresql_where=_UNSEARCHED,
    )
