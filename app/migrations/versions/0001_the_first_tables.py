"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

JSON = sa.JSON().with_variant(JSONB(), "postgresql")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_table(
        "access_token",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", "tenant_id"),
    )
    op.create_index("ix_access_token_expires", "access_token", ["expires_at"], unique=False)
    op.create_index("ix_access_token_session", "access_token", ["tenant_id", "session_id"], unique=False)
    op.create_table(
        "audit_event",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("actor_kind", sa.String(16), nullable=True),
        sa.Column("actor_id", sa.String(128), nullable=True),
        sa.Column("customer_id", sa.String(36), nullable=True),
        sa.Column("session_id", sa.String(36), nullable=True),
        sa.Column("ip", sa.String(64), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("ix_audit_event_customer", "audit_event", ["tenant_id", "customer_id", "occurred_at"], unique=False)
    op.create_index("ix_audit_event_occurred", "audit_event", ["tenant_id", "occurred_at"], unique=False)
    op.create_index("ix_audit_event_session", "audit_event", ["tenant_id", "session_id"], unique=False)
    op.create_table(
        "credential",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column(
            "email_key",
            sa.String(length=254).with_variant(sa.String(length=254, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("must_confirm", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=True),
        sa.Column("initial_password", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("password_version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id"),
        sa.UniqueConstraint("tenant_id", "email_key", name="uq_credential_email"),
    )
    op.create_table(
        "customer",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("customer_number", sa.String(32), nullable=False),
        sa.Column("shopper_reference", sa.String(128), nullable=False),
        sa.Column("title", sa.String(50), nullable=True),
        sa.Column("first_name", sa.String(100), nullable=True),
        sa.Column("middle_name", sa.String(100), nullable=True),
        sa.Column("last_name", sa.String(100), nullable=True),
        sa.Column("contact_email", sa.String(254), nullable=True),
        sa.Column("contact_phone", sa.String(32), nullable=True),
        sa.Column("company", sa.String(200), nullable=True),
        sa.Column("preferred_language", sa.String(35), nullable=True),
        sa.Column("preferred_currency", sa.String(3), nullable=True),
        sa.Column("preferred_site", sa.String(64), nullable=True),
        sa.Column("business_model", sa.String(3), nullable=False),
        sa.Column("company_registration_id", sa.String(100), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("order_count", sa.Integer(), nullable=False),
        sa.Column("mixins", JSON, nullable=False),
        sa.Column("anonymization_status", sa.String(16), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "search_name",
            sa.String(length=320).with_variant(sa.String(length=320, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "customer_number", name="uq_customer_number"),
        sa.UniqueConstraint("tenant_id", "shopper_reference", name="uq_customer_shopper_reference"),
    )
    op.create_index(
        "ix_customer_inactive",
        "customer",
        ["tenant_id", "id"],
        unique=False,
        sqlite_where=sa.text("active = 0"),
        postgresql_where=sa.text("NOT active"),
    )
    op.create_index(
        "ix_customer_on_hold",
        "customer",
        ["tenant_id", "id"],
        unique=False,
        sqlite_where=sa.text("on_hold = 1"),
        postgresql_where=sa.text("on_hold"),
    )
    op.create_index("ix_customer_search_name", "customer", ["tenant_id", "search_name", "id"], unique=False)
    op.create_index("ix_customer_status", "customer", ["tenant_id", "status", "id"], unique=False)
    op.create_table(
        "customer_group",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("private_markets", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "code", name="uq_customer_group_code"),
    )
    op.create_table(
        "integration_token",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("jti", sa.String(36), nullable=False),
        sa.Column("client_id", sa.String(128), nullable=False),
        sa.Column("credential_fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("jti", "tenant_id"),
    )
    op.create_index("ix_integration_token_expires", "integration_token", ["expires_at"], unique=False)
    op.create_table(
        "link_ticket",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("ticket_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("credential_version", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("ticket_hash", "tenant_id"),
    )
    op.create_index("ix_link_ticket_customer", "link_ticket", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_link_ticket_expires", "link_ticket", ["expires_at"], unique=False)
    op.create_table(
        "one_time_token",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(254), nullable=False),
        sa.Column("credential_version", sa.Integer(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_in_session", sa.String(36), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", "tenant_id"),
    )
    op.create_index(
        "ix_one_time_token_customer", "one_time_token", ["tenant_id", "customer_id", "purpose"], unique=False
    )
    op.create_index("ix_one_time_token_email", "one_time_token", ["tenant_id", "email_key"], unique=False)
    op.create_index("ix_one_time_token_expires", "one_time_token", ["expires_at"], unique=False)
    op.create_table(
        "outbox_message",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=True),
        sa.Column("endpoint", sa.String(2000), nullable=True),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(500), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("ix_outbox_customer", "outbox_message", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_outbox_delivered", "outbox_message", ["delivered_at"], unique=False)
    op.create_index(
        "ix_outbox_due",
        "outbox_message",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("delivered_at IS NULL AND dead_at IS NULL"),
        postgresql_where=sa.text("delivered_at IS NULL AND dead_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_endpoint",
        "outbox_message",
        ["tenant_id", "endpoint", "due_at"],
        unique=False,
        sqlite_where=sa.text("endpoint IS NOT NULL AND delivered_at IS NULL AND dead_at IS NULL"),
        postgresql_where=sa.text("endpoint IS NOT NULL AND delivered_at IS NULL AND dead_at IS NULL"),
    )
    op.create_table(
        "refresh_token",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("family", sa.Integer(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("token_hash", "tenant_id"),
    )
    op.create_index("ix_refresh_token_expires", "refresh_token", ["expires_at"], unique=False)
    op.create_index("ix_refresh_token_parent", "refresh_token", ["tenant_id", "parent_hash"], unique=False)
    op.create_index("ix_refresh_token_session", "refresh_token", ["tenant_id", "session_id"], unique=False)
    op.create_table(
        "session",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("client_id", sa.String(128), nullable=False),
        sa.Column("site", sa.String(64), nullable=True),
        sa.Column("customer_id", sa.String(36), nullable=True),
        sa.Column("legal_entity_id", sa.String(100), nullable=True),
        sa.Column("user_agent", sa.String(255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("family", sa.Integer(), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("identity_id", sa.String(36), nullable=True),
        sa.Column("actor_id", sa.String(128), nullable=True),
        sa.Column("actor_type", sa.String(16), nullable=True),
        sa.Column("actor_reason", sa.String(200), nullable=True),
        sa.Column("credential_fingerprint", sa.LargeBinary(32), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("ix_session_customer", "session", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_session_expires", "session", ["expires_at"], unique=False)
    op.create_table(
        "social_identity",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "provider", "issuer", "subject", name="uq_social_identity"),
    )
    op.create_index("ix_social_identity_customer", "social_identity", ["tenant_id", "customer_id"], unique=False)
    op.create_table(
        "social_state",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("session_id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=True),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("redirect_uri", sa.String(), nullable=False),
        sa.Column("code_challenge", sa.String(43), nullable=False),
        sa.Column("nonce", sa.String(43), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("state_hash", "tenant_id"),
    )
    op.create_index("ix_social_state_expires", "social_state", ["expires_at"], unique=False)
    op.create_index("ix_social_state_session", "social_state", ["tenant_id", "session_id"], unique=False)
    op.create_table(
        "used_assertion",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(128), nullable=False),
        sa.Column("jti_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "jti_hash", "tenant_id"),
    )
    op.create_index("ix_used_assertion_expires", "used_assertion", ["expires_at"], unique=False)
    op.create_table(
        "webhook_endpoint",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "url"),
    )
    op.create_table(
        "address",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("contact_name", sa.String(200), nullable=False),
        sa.Column("company_name", sa.String(200), nullable=True),
        sa.Column("street", sa.String(200), nullable=False),
        sa.Column("street_number", sa.String(50), nullable=True),
        sa.Column("street_appendix", sa.String(100), nullable=True),
        sa.Column("extra_line1", sa.String(200), nullable=True),
        sa.Column("extra_line2", sa.String(200), nullable=True),
        sa.Column("extra_line3", sa.String(200), nullable=True),
        sa.Column("extra_line4", sa.String(200), nullable=True),
        sa.Column("zip_code", sa.String(20), nullable=True),
        sa.Column("city", sa.String(100), nullable=False),
        sa.Column("state", sa.String(100), nullable=True),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("contact_phone", sa.String(32), nullable=True),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customer.tenant_id", "customer.id"],
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("ix_address_customer", "address", ["tenant_id", "customer_id"], unique=False)
    op.create_index(
        "uq_address_default",
        "address",
        ["tenant_id", "customer_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "anonymization",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("requester_type", sa.String(16), nullable=False),
        sa.Column("requester_id", sa.String(128), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("canceled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(100), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customer.tenant_id", "customer.id"],
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("ix_anonymization_customer", "anonymization", ["tenant_id", "customer_id", "id"], unique=False)
    op.create_index("ix_anonymization_due", "anonymization", ["status", "next_attempt_at"], unique=False)
    op.create_index(
        "uq_anonymization_customer",
        "anonymization",
        ["tenant_id", "customer_id"],
        unique=True,
        sqlite_where=sa.text("status <> 'CANCELED'"),
        postgresql_where=sa.text("status <> 'CANCELED'"),
    )
    op.create_table(
        "customer_group_membership",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("group_id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customer.tenant_id", "customer.id"],
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["customer_group.tenant_id", "customer_group.id"],
        ),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "customer_id"),
    )
    op.create_index(
        "ix_customer_group_membership_customer", "customer_group_membership", ["tenant_id", "customer_id"], unique=False
    )
    op.create_table(
        "legal_entity_assignment",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("legal_entity_id", sa.String(100), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customer.tenant_id", "customer.id"],
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
        sa.UniqueConstraint("tenant_id", "customer_id", "legal_entity_id", name="uq_legal_entity_assignment"),
    )
    op.create_table(
        "payment_instrument",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("token", sa.String(255), nullable=False),
        sa.Column("brand", sa.String(50), nullable=False),
        sa.Column("last4", sa.String(4), nullable=True),
        sa.Column("expiry_month", sa.Integer(), nullable=True),
        sa.Column("expiry_year", sa.Integer(), nullable=True),
        sa.Column("holder_name", sa.String(200), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customer.tenant_id", "customer.id"],
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("ix_payment_instrument_customer", "payment_instrument", ["tenant_id", "customer_id"], unique=False)
    op.create_index(
        "uq_payment_instrument_default",
        "payment_instrument",
        ["tenant_id", "customer_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "product_list",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("description", sa.String(1000), nullable=True),
        sa.Column("event_date", sa.Date(), nullable=True),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customer.tenant_id", "customer.id"],
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("ix_product_list_customer", "product_list", ["tenant_id", "customer_id"], unique=False)
    op.create_table(
        "recorded_order",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(128), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customer.tenant_id", "customer.id"],
        ),
        sa.PrimaryKeyConstraint("tenant_id", "reference"),
    )
    op.create_index("ix_recorded_order_customer", "recorded_order", ["tenant_id", "customer_id"], unique=False)
    op.create_table(
        "product_list_item",
        sa.Column("tenant_id", sa.String(64), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("list_id", sa.String(36), nullable=False),
        sa.Column("customer_id", sa.String(36), nullable=False),
        sa.Column("product_id", sa.String(100), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(500), nullable=True),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "list_id"],
            ["product_list.tenant_id", "product_list.id"],
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("ix_product_list_item_customer", "product_list_item", ["tenant_id", "customer_id"], unique=False)
    op.create_index("ix_product_list_item_list", "product_list_item", ["tenant_id", "list_id"], unique=False)
