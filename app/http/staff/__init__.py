"""The staff page `/dev/staff`: a shop's customers, outbox, webhooks and audit at a glance. Not in production."""
