"""The one registry of personal data: where they are, what the export shows, and what the erasure does.

Both the erasure and the export read it. Every table with data about customers is here with all its columns; a table or
a column that is missing here fails the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.models.addresses import Address
from app.models.anonymizations import Anonymization
from app.models.audit import AuditEvent
from app.models.base import TenantRow
from app.models.credentials import Credential
from app.models.customer_words import CustomerWord
from app.models.customers import Customer
from app.models.devices import Device
from app.models.groups import CustomerGroup, GroupMembership
from app.models.idempotent_calls import IdempotentCall
from app.models.integration_tokens import IntegrationToken, UsedAssertion
from app.models.legal_entities import LegalEntityAssignment
from app.models.one_time_tokens import OneTimeToken
from app.models.orders import RecordedOrder
from app.models.outbox import OutboxKind, OutboxMessage
from app.models.passkeys import Passkey
from app.models.password_hash_kinds import PasswordHashKind
from app.models.payment_instruments import PaymentInstrument
from app.models.pending_signups import PendingSignup
from app.models.product_lists import ProductList, ProductListItem
from app.models.sessions import AccessToken, KeptPair, RefreshToken, Session
from app.models.sign_in_tickets import SignInTicket
from app.models.social import LinkTicket, SocialAnswer, SocialIdentity, SocialState
from app.models.totp import RecoveryCode, TotpSecret
from app.models.visits import Visit
from app.models.webhook_endpoints import WebhookEndpointState


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """A table with rows about customers, found by the column `key`.

    Each column is either `shown` in the export or `withheld` from it. In the export the rows are under `noun` (one
    object with `is_single`); a function in `shown_as` converts the value of a column. The erasure deletes the rows; or,
    if some columns are `kept`, it sets the others to the values in `cleared`. With `only`, all this is for the rows
    with one of these values. With `by_session`, the erasure also covers rows from one of the customer's sessions, even
    from before the login.
    """

    model: type[TenantRow]
    noun: str
    shown: tuple[str, ...]
    withheld: tuple[str, ...] = ()
    cleared: Mapping[str, Any] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    key: str = "customer_id"
    is_single: bool = False
    by_session: bool = False
    only: Mapping[str, Collection[str]] = field(default_factory=dict)
    shown_as: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    @property
    def rows_stay(self) -> bool:
        """Whether the rows stay after the erasure, without personal data."""
        return bool(self.kept)


_SECRETS_OF_TASKS = frozenset({"ticket", "code", "code_hash"})


def _without_sealed(payload: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in payload.items() if name not in {"token", "code", "address"}}
    if isinstance(shown.get("values"), dict):
        # What a task is told beside the address.
        shown["values"] = {name: value for name, value in shown["values"].items() if name not in _SECRETS_OF_TASKS}
    return shown


_NOBODY: Mapping[str, Any] = dict.fromkeys(
    (
        "title",
        "first_name",
        "middle_name",
        "last_name",
        "contact_email",
        "contact_phone",
        "company",
        "preferred_language",
        "preferred_currency",
        "preferred_site",
        "company_registration_id",
        "last_login_at",
    )
)

# In the order of the erasure: rows that refer to another row are before it.
PERSONAL_TABLES: tuple[PersonalTable, ...] = (
    PersonalTable(
        Customer,
        "customer",
        shown=(
            "id",
            "customer_number",
            "shopper_reference",
            *_NOBODY,
            "business_model",
            "active",
            "on_hold",
            "status",
            "order_count",
            "mixins",
            "anonymization_status",
            "second_factor_required",
            "merged_into",
            "version",
            "created_at",
            "updated_at",
        ),
        # Nothing but the names and words once more, and whose each field is.
        withheld=(
            "search_name",
            "search_key",
            "search_text",
            "search_folding",
            "search_of",
            "shop_fields",
            "unproven_fields",
            "unproven_until",
        ),
        cleared={
            **_NOBODY,
            "mixins": {},
            "search_name": "",
            "search_key": "",
            "search_text": "",
            "shop_fields": None,
            "unproven_fields": None,
            "unproven_until": None,
        },
        kept=(
            "id",
            "customer_number",
            "shopper_reference",
            "business_model",
            "active",
            "on_hold",
            "status",
            "order_count",
            "anonymization_status",
            "second_factor_required",
            "search_folding",
            "search_of",
            "merged_into",
            "version",
            "created_at",
            "updated_at",
        ),
        key="id",
        is_single=True,
    ),
    # By what staff find the customer.
    PersonalTable(CustomerWord, "searchWords", shown=("customer_id", "word"), withheld=("shared", "search_key")),
    PersonalTable(
        Credential,
        "credential",
        shown=(
            "customer_id",
            "email",
            "email_verified_at",
            "must_confirm",
            "initial_password",
            "version",
            "password_version",
            "changed_at",
            "made_by",
            "password_set_at",
            "verified_phone",
            "phone_verified_at",
            "email_bounced_at",
        ),
        withheld=("email_key", "password_hash", "former_email_key"),
        is_single=True,
    ),
    PersonalTable(
        Address,
        "addresses",
        shown=(
            "id",
            "customer_id",
            "contact_name",
            "company_name",
            "street",
            "street_number",
            "street_appendix",
            "extra_line1",
            "extra_line2",
            "extra_line3",
            "extra_line4",
            "zip_code",
            "city",
            "state",
            "country",
            "contact_phone",
            "tags",
            "is_default",
            "is_billing_default",
            "is_shipping_default",
            "created_at",
            "updated_at",
        ),
        withheld=("origin",),
    ),
    PersonalTable(
        LegalEntityAssignment,
        "legalEntities",
        shown=("id", "customer_id", "legal_entity_id", "name", "contact_assignment_id", "confirmed"),
        withheld=("origin",),
    ),
    PersonalTable(GroupMembership, "groups", shown=("group_id", "customer_id")),
    PersonalTable(
        SocialIdentity,
        "socialIdentities",
        shown=(
            "id",
            "customer_id",
            "provider",
            "issuer",
            "subject",
            "email",
            "email_verified",
            "created_at",
            "last_login_at",
        ),
        withheld=("sealed_refresh_token",),
    ),
    PersonalTable(
        SocialState,
        "socialLogins",
        shown=(
            "session_id",
            "customer_id",
            "provider",
            "issuer",
            "redirect_uri",
            "max_age",
            "created_at",
            "expires_at",
            "used_at",
        ),
        withheld=("state_hash", "code_challenge", "nonce"),
        by_session=True,
    ),
    PersonalTable(
        SocialAnswer,
        "socialAnswers",
        shown=("session_id", "customer_id", "created_at", "expires_at"),
        withheld=("state_hash", "code_hash", "sealed"),
        by_session=True,
    ),
    PersonalTable(
        LinkTicket,
        "socialLinks",
        shown=(
            "session_id",
            "customer_id",
            "credential_version",
            "provider",
            "issuer",
            "subject",
            "email",
            "tries",
            "created_at",
            "expires_at",
            "used_at",
        ),
        withheld=("ticket_hash", "code_hash", "sealed_refresh_token"),
    ),
    PersonalTable(
        SignInTicket,
        "signIns",
        shown=("purpose", "session_id", "customer_id", "proved", "tries", "created_at", "expires_at", "used_at"),
        withheld=(
            "ticket_hash",
            "credential_version",
            "identity_id",
            "code_method",
            "code_hash",
            "code_sent_at",
            "code_expires_at",
            "recipient",
            "challenge",
            "secret",
            "data",
        ),
        by_session=True,
    ),
    PersonalTable(
        Passkey,
        "passkeys",
        shown=(
            "id",
            "customer_id",
            "rp_id",
            "name",
            "is_synced",
            "backed_up",
            "transports",
            "aaguid",
            "created_at",
            "last_used_at",
            "removed_at",
        ),
        withheld=("credential_id", "public_key", "sign_count"),
    ),
    PersonalTable(
        RecoveryCode,
        "recoveryCodes",
        shown=("id", "customer_id", "totp_id", "created_at", "used_at", "removed_at"),
        withheld=("code_hash",),
    ),
    PersonalTable(
        TotpSecret,
        "totp",
        shown=("id", "customer_id", "created_at", "last_used_at", "removed_at"),
        withheld=("secret", "last_step"),
    ),
    PersonalTable(
        OneTimeToken,
        "mailedLinks",
        shown=(
            "purpose",
            "customer_id",
            "email",
            "credential_version",
            "data",
            "created_at",
            "expires_at",
            "used_at",
            "used_in_session",
            "revoked_at",
        ),
        withheld=("token_hash", "email_key"),
    ),
    # Of those that others made for the customer's address, too: what the registration said is gone by then.
    PersonalTable(
        PendingSignup,
        "signups",
        shown=("id", "customer_id", "email", "created_at", "expires_at", "confirmed_at", "ended_at"),
        withheld=("session_id", "email_key", "password_hash", "data"),
        by_session=True,
    ),
    PersonalTable(
        PaymentInstrument,
        "paymentInstruments",
        shown=(
            "id",
            "customer_id",
            "token",
            "brand",
            "last4",
            "expiry_month",
            "expiry_year",
            "holder_name",
            "is_default",
            "created_at",
            "updated_at",
        ),
        withheld=("origin",),
    ),
    PersonalTable(
        ProductListItem,
        "productListItems",
        shown=(
            "id",
            "list_id",
            "customer_id",
            "product_id",
            "quantity",
            "priority",
            "note",
            "is_public",
            "created_at",
            "updated_at",
        ),
        withheld=("origin",),
    ),
    PersonalTable(
        ProductList,
        "productLists",
        shown=(
            "id",
            "customer_id",
            "type",
            "name",
            "description",
            "event_date",
            "is_public",
            "created_at",
            "updated_at",
        ),
        withheld=("origin",),
    ),
    # The reference is a number of the order system. Without it, an order that is recorded again would count twice.
    PersonalTable(
        RecordedOrder,
        "orders",
        shown=("reference", "customer_id", "placed_at", "recorded_at"),
        kept=("reference", "customer_id", "placed_at", "recorded_at"),
    ),
    # Events have no personal field, and the events about the erasure must still arrive.
    PersonalTable(
        OutboxMessage,
        "mails",
        shown=("id", "kind", "topic", "customer_id", "payload", "created_at", "delivered_at", "dead_at"),
        withheld=("endpoint", "due_at", "attempts", "last_error"),
        only={"kind": (OutboxKind.MAIL.value, OutboxKind.TASK.value, OutboxKind.PHONE_CODE.value)},
        shown_as={"payload": _without_sealed},
    ),
    # The audit before the sessions, because both lead from the customer to other rows of a session.
    PersonalTable(
        AuditEvent,
        "auditEvents",
        shown=(
            "id",
            "occurred_at",
            "action",
            "outcome",
            "actor_kind",
            "customer_id",
            "session_id",
            "ip",
            "request_id",
            "detail",
        ),
        # Only the shop may say who at the shop it was; the kind says whether it was the customer.
        withheld=("actor_id",),
        cleared={"ip": None},
        kept=(
            "id",
            "occurred_at",
            "action",
            "outcome",
            "actor_kind",
            "actor_id",
            "customer_id",
            "session_id",
            "request_id",
            "detail",
        ),
        by_session=True,
    ),
    PersonalTable(
        Device,
        "devices",
        shown=("customer_id", "created_at", "last_used_at", "expires_at", "trusted_until"),
        withheld=("token_hash",),
    ),
    # Answers that are kept for a day show what the tables above show.
    PersonalTable(
        IdempotentCall,
        "repeatableCalls",
        shown=("session_id", "customer_id", "created_at", "expires_at"),
        withheld=("key_hash", "attempt", "busy_until", "sealed_input", "sealed_answer"),
        by_session=True,
    ),
    # The rows stay until their time is over, so that an old token is still answered as revoked.
    PersonalTable(
        Session,
        "sessions",
        shown=(
            "id",
            "kind",
            "client_id",
            "site",
            "customer_id",
            "legal_entity_id",
            "user_agent",
            "created_at",
            "last_used_at",
            "expires_at",
            "authenticated_at",
            "revoked_at",
            "identity_id",
            "passkey_id",
            "factors",
            "actor_id",
            "actor_type",
            "actor_reason",
        ),
        withheld=("family", "credential_fingerprint", "reused_at"),
        cleared={
            "site": None,
            "legal_entity_id": None,
            "user_agent": None,
            "identity_id": None,
            "passkey_id": None,
            "factors": None,
            "actor_reason": None,
        },
        kept=(
            "id",
            "kind",
            "client_id",
            "customer_id",
            "created_at",
            "last_used_at",
            "expires_at",
            "family",
            "authenticated_at",
            "revoked_at",
            "reused_at",
            "actor_id",
            "actor_type",
            "credential_fingerprint",
        ),
    ),
    PersonalTable(
        Anonymization,
        "anonymizations",
        shown=(
            "id",
            "customer_id",
            "status",
            "requester_type",
            "requested_at",
            "due_at",
            "started_at",
            "completed_at",
            "canceled_at",
            "failed_at",
        ),
        withheld=("requester_id", "next_attempt_at", "attempts", "last_error"),
        kept=(
            "id",
            "customer_id",
            "status",
            "requester_type",
            "requester_id",
            "requested_at",
            "due_at",
            "next_attempt_at",
            "attempts",
            "started_at",
            "completed_at",
            "canceled_at",
            "failed_at",
            "last_error",
        ),
    ),
)

# Tables without data about a single customer, with their columns: hashes of tokens, and data of the shop.
IMPERSONAL_TABLES: Mapping[type[TenantRow], frozenset[str]] = {
    AccessToken: frozenset({"token_hash", "session_id", "created_at", "expires_at", "revoked_at", "refresh_hash"}),
    # What is sealed in it nobody reads after half a minute, and soon after that it is gone.
    KeptPair: frozenset({"refresh_hash", "presented_hash", "input_hash", "sealed", "created_at", "expires_at"}),
    RefreshToken: frozenset(
        {
            "token_hash",
            "session_id",
            "family",
            "parent_hash",
            "created_at",
            "expires_at",
            "used_at",
            "lost_at",
            "revoked_at",
        }
    ),
    CustomerGroup: frozenset({"id", "name", "code", "private_markets", "created_at", "updated_at"}),
    IntegrationToken: frozenset(
        {"jti", "client_id", "credential_fingerprint", "created_at", "expires_at", "revoked_at"}
    ),
    PasswordHashKind: frozenset({"kind"}),
    UsedAssertion: frozenset({"client_id", "jti_hash", "expires_at"}),
    Visit: frozenset({"id", "client_id", "site", "token_hash"}),
    WebhookEndpointState: frozenset({"url", "failures", "failed_probes", "probed_id", "paused_until", "gone_at"}),
}
