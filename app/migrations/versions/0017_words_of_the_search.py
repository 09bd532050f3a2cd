"""The words by which staff find customers; the worker writes those of the customers that are there already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UNSEARCHED = sa.text(
    "search_folding <> 1 OR search_of <> version OR (anonymization_status = 'DONE' AND search_text <> '')"
)


def _text(length: int | None) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Bring the database to this revision; the version before leaves the new columns as their defaults say."""
    op.add_column("customer", sa.Column("search_key", _text(241), server_default="", nullable=False))
    op.add_column("customer", sa.Column("search_text", _text(None), server_default="", nullable=False))
    op.add_column("customer", sa.Column("search_folding", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("customer", sa.Column("search_of", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_customer_search_key", "customer", ["tenant_id", "search_key", "id"], unique=False)
    op.create_index(
        "ix_customer_unsearched",
        "customer",
        ["tenant_id", "id"],
        unique=False,
        sqlite_where=_UNSEARCHED,
        postgresql_where=_UNSEARCHED,
    )
    op.create_table(
        "customer_word",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("shared", sa.SmallInteger(), nullable=False),
        sa.Column("word", _text(64), nullable=False),
        sa.Column("search_key", _text(241), nullable=False),
        sa.Column("customer_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"], ["customer.tenant_id", "customer.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "shared", "word", "search_key", "customer_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_customer_word_customer", "customer_word", ["tenant_id", "customer_id"], unique=False)
