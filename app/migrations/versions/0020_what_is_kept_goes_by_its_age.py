"""What is kept goes by its age: old lines of the audit, dead messages and canceled requests, each found by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_REFUSAL = "audit_event only grows"
_DAYS = 27
_TRIGGER = "CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event FOR EACH ROW"


def upgrade() -> None:
    """Bring the database to this revision; the version before deletes no line of the audit, old or not."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_event_no_delete")
        op.execute(
            f"{_TRIGGER} WHEN (OLD.occurred_at >= datetime('now', '-{_DAYS} days'))"
            f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
    else:
        op.execute("DROP TRIGGER audit_event_no_delete ON audit_event")
        op.execute(
            f"{_TRIGGER} WHEN (OLD.occurred_at >= now() - interval '{_DAYS} days')"
            " EXECUTE FUNCTION refuse_audit_change()"
        )
    for name, table, columns, moment in (
        ("ix_outbox_dead", "outbox_message", ["tenant_id", "dead_at"], "dead_at"),
        ("ix_anonymization_canceled", "anonymization", ["canceled_at"], "canceled_at"),
    ):
        only = sa.text(f"{moment} IS NOT NULL")
        op.create_index(name, table, columns, unique=False, sqlite_where=only, postgresql_where=only)
