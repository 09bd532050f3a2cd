"""Accounts that were joined with another one: which one, and the address that they had."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision; the version before takes a joined account for an inactive one."""
    op.add_column("customer", sa.Column("merged_into", sa.String(36), nullable=True))
    op.create_index(
        "ix_customer_merged_into",
        "customer",
        ["tenant_id", "merged_into"],
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    text = sa.String(254).with_variant(sa.String(254, collation="C"), "postgresql")
    op.add_column("credential", sa.Column("former_email_key", text, nullable=True))
    op.create_index(
        "ix_credential_former_email",
        "credential",
        ["tenant_id", "former_email_key"],
        sqlite_where=sa.text("former_email_key IS NOT NULL"),
        postgresql_where=sa.text("former_email_key IS NOT NULL"),
    )
