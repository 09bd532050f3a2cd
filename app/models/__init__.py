"""SQLModel tables and the rules of a single row."""

from __future__ import annotations

from sqlmodel import SQLModel

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
from app.models.outbox import OutboxMessage
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

METADATA = SQLModel.metadata
TABLES: tuple[type[TenantRow], ...] = (
    AccessToken,
    Address,
    Anonymization,
    AuditEvent,
    Credential,
    Customer,
    CustomerGroup,
    CustomerWord,
    Device,
    GroupMembership,
    IdempotentCall,
    IntegrationToken,
    KeptPair,
    LegalEntityAssignment,
    LinkTicket,
    OneTimeToken,
    OutboxMessage,
    Passkey,
    PasswordHashKind,
    PaymentInstrument,
    PendingSignup,
    ProductList,
    ProductListItem,
    RecordedOrder,
    RecoveryCode,
    RefreshToken,
    Session,
    SignInTicket,
    SocialAnswer,
    SocialIdentity,
    SocialState,
    TotpSecret,
    UsedAssertion,
    Visit,
    WebhookEndpointState,
)
