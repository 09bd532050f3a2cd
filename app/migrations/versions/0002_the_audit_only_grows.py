"""The audit only grows: no line is changed or deleted, but that its address may be forgotten."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_REFUSAL = "audit_event only grows"
_FIXED = (
    "tenant_id, id, occurred_at, action, outcome, actor_kind, actor_id, customer_id, session_id, request_id, detail"
)
_EVENTS = {
    "audit_event_no_delete": "BEFORE DELETE ON audit_event FOR EACH ROW",
    "audit_event_no_update": f"BEFORE UPDATE OF {_FIXED} ON audit_event FOR EACH ROW",
    "audit_event_ip_to_null": "BEFORE UPDATE OF ip ON audit_event FOR EACH ROW WHEN (NEW.ip IS NOT NULL)",
}


def upgrade() -> None:
    """Bring the database to this revision."""
    if op.get_bind().dialect.name == "sqlite":
        for name, event in _EVENTS.items():
            op.execute(f"CREATE TRIGGER {name} {event} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END")
        return
    op.execute(
        "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    for name, event in _EVENTS.items():
        op.execute(f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION refuse_audit_change()")
