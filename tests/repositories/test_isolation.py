"""Every method of every repository, found by itself, sees and changes the rows of its own tenant only.

Two tenants have the very same rows, ids and all. Whatever a repository of the one does must come out as if the other
were not there, and must leave that one's rows alone.
"""

from __future__ import annotations

import inspect
import pkgutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from importlib import import_module
from typing import Any, get_args, get_origin, get_type_hints

import asyncpg
import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

import app.repositories
from app.domain.anonymizations import AnonymizationStatus
from app.domain.audit import AuditAction
from app.domain.customer_filters import CustomerFilter
from app.domain.origins import Origin
from app.domain.ports import Connection, Database
from app.domain.principal import TokenKind
from app.domain.rows import Reading
from app.domain.search_words import FOLDING
from app.domain.searchable import Searchable, WordRow
from app.domain.tenants.rules import Lifetimes
from app.domain.visit_ids import visit_id_at
from app.models import TABLES
from app.models.addresses import Address, AddressPurpose
from app.models.anonymizations import Anonymization
from app.models.audit import AuditEvent
from app.models.base import TenantRow
from app.models.credentials import Credential
from app.models.customers import Customer, CustomerStatus
from app.models.devices import Device
from app.models.idempotent_calls import IdempotentCall
from app.models.legal_entities import LegalEntityAssignment
from app.models.one_time_tokens import OneTimeToken, Purpose
from app.models.outbox import Endpoint, OutboxKind, OutboxMessage
from app.models.passkeys import Passkey
from app.models.payment_instruments import PaymentInstrument
from app.models.personal_data import PERSONAL_TABLES, PersonalTable
from app.models.product_lists import ProductList, ProductListItem
from app.models.sessions import Session
from app.models.sign_in_tickets import SignInTicket
from app.models.totp import RecoveryCode, TotpSecret
from app.models.visits import Visit
from app.models.webhook_endpoints import WebhookEndpointState
from app.repositories.base import Repository
from app.repositories.outbox import OutboxQueue, OutboxRepository
from tests.harness.rows import LATER, NOW, models_by_reference, row_of
from tests.harness.transactions import conversation

pytestmark = pytest.mark.anyio

HERE, THERE = "here", "there"

Method = Callable[..., Awaitable[Any]]
Rows = dict[str, dict[str, list[Any]]]

EVERYTHING = {
    model.__table__.name: Reading(model, select(model.__table__).order_by(*model.__table__.primary_key))
    for model in TABLES
}

# Prepared statements meet the driver itself.
BROKEN_REFERENCE = (IntegrityError, sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)

for module in pkgutil.iter_modules(app.repositories.__path__):
    import_module(f"app.repositories.{module.name}")

VISIT_ID = visit_id_at(NOW, bytes(32))

# What the rows must be like to be met by most statements.
ROWS: Mapping[type[TenantRow], Mapping[str, Any]] = {
    Address: {"is_default": True, "origin": None},
    AuditEvent: {"action": AuditAction.CUSTOMER_CREATED.value},
    Customer: {
        "anonymization_status": None,
        "merged_into": None,
        "search_key": "a",
        "search_text": " a\n a\n a",
        "search_folding": FOLDING,
        "search_of": 1,
        "version": 1,
    },
    LegalEntityAssignment: {"confirmed": True},
    PaymentInstrument: {"is_default": True, "origin": None},
    ProductList: {"is_public": True, "origin": None},
    ProductListItem: {"origin": None},
    Session: {"kind": TokenKind.CUSTOMER.value},
    OneTimeToken: {"purpose": Purpose.RESET_PASSWORD.value},
    OutboxMessage: {"kind": OutboxKind.EVENT.value},
    Anonymization: {"status": AnonymizationStatus.REQUESTED.value},
    Visit: {"id": VISIT_ID},
}
# What they must be like to be met by one method, where that differs.
ROWS_FOR: Mapping[str, tuple[type[TenantRow], Mapping[str, Any]]] = {
    "AddressRepository.clear_default_for": (Address, {"is_billing_default": True}),
    "CredentialRepository.take_over_password": (Credential, {"password_hash": None}),
    "AddressRepository.delete_unproven": (Address, {"origin": Origin.UNPROVEN.value}),
    "LegalEntityRepository.delete_unproven": (
        LegalEntityAssignment,
        {"confirmed": False, "origin": Origin.UNPROVEN.value},
    ),
    "LegalEntityRepository.mark_unproven": (LegalEntityAssignment, {"confirmed": False, "origin": None}),
    "OutboxRepository.list_mails": (OutboxMessage, {"kind": OutboxKind.MAIL.value}),
    "PaymentInstrumentRepository.delete_unproven": (PaymentInstrument, {"origin": Origin.UNPROVEN.value}),
    "ProductListRepository.delete_unproven_items": (ProductListItem, {"origin": Origin.UNPROVEN.value}),
    "ProductListRepository.list_unproven": (ProductList, {"origin": Origin.UNPROVEN.value}),
    "SessionRepository.forget_devices": (Session, {"revoked_at": NOW}),
    "AnonymizationRepository.add_unless_open": (Anonymization, {"status": AnonymizationStatus.CANCELED.value}),
    "AnonymizationRepository.settle": (Anonymization, {"status": AnonymizationStatus.IN_PROGRESS.value}),
    "CredentialRepository.find_by_former_email": (Credential, {"former_email_key": "a"}),
    "CustomerRepository.list_merged_into": (Customer, {"merged_into": "a"}),
    "CredentialRepository.find_way_back": (OneTimeToken, {"purpose": Purpose.REVERT_EMAIL_CHANGE.value}),
    "CredentialRepository.find_idle": (Credential, {"must_confirm": True}),
    "CredentialRepository.forget_bounce": (Credential, {"email_bounced_at": NOW}),
    "CredentialRepository.list_unproven": (Credential, {"must_confirm": True}),
    "CredentialRepository.is_email_taken": (OneTimeToken, {"purpose": Purpose.REVERT_EMAIL_CHANGE.value}),
    "OneTimeTokenRepository.was_used": (OneTimeToken, {"used_at": LATER, "used_in_session": "a"}),
    "PersonalDataRepository.list_nobodys_tasks": (
        OutboxMessage,
        {"kind": OutboxKind.TASK.value, "customer_id": None},
    ),
    "SessionRepository.raise_to_customer": (Session, {"customer_id": None}),
    "CredentialRepository.find_by_phone": (Credential, {"verified_phone": "a"}),
    "CredentialRepository.release_phone": (Credential, {"verified_phone": "a"}),
    "DeviceRepository.trust_none": (Device, {"trusted_until": NOW}),
    "PasskeyRepository.bring_back": (Passkey, {"removed_at": NOW}),
    "RecoveryCodeRepository.bring_back_of": (RecoveryCode, {"removed_at": NOW}),
    "SignInTicketRepository.end_codes": (SignInTicket, {"code_hash": b"a", "proved": None}),
    "SignInTicketRepository.note_sent": (SignInTicket, {"code_hash": b"a"}),
    "RecoveryCodeRepository.has_removed": (RecoveryCode, {"removed_at": NOW}),
    "TotpRepository.bring_back": (TotpSecret, {"removed_at": NOW}),
    "IdempotentCallRepository.take_over": (IdempotentCall, {"sealed_answer": None, "busy_until": NOW}),
    "IdempotentCallRepository.finish": (IdempotentCall, {"sealed_answer": None}),
    "IdempotentCallRepository.release": (IdempotentCall, {"sealed_answer": None}),
    "IdempotentCallRepository.delete_expired": (IdempotentCall, {"expires_at": NOW}),
    "WebhookEndpointRepository.claim_probe": (WebhookEndpointState, {"paused_until": NOW}),
}
# A customer whom other rows refer to, and a member of a group already: both stay as they are.
IDLE = ["CustomerRepository.delete_unused", "GroupRepository.add_member"]
# Arguments by their name, else by their type.
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "AddressRepository.clear_default_for": {"purpose": AddressPurpose.BILLING},
    "CredentialRepository.find_way_back": {"customer_id": "b"},
    "CredentialRepository.give_up_unproven_email": {"customer_id": "b"},
    "CredentialRepository.is_email_taken": {"customer_id": "b"},
    "CredentialRepository.list_unproven": {"before": LATER, "after": (NOW - timedelta(days=1), "")},
    "CredentialRepository.rehash": {"new_hash": "b"},
    "CredentialRepository.take_over_password": {"password_hash": "b"},
    "CredentialRepository.release_phone": {"customer_id": "b"},
    "CredentialRepository.note_phone": {"phone": "b"},
    "CredentialRepository.set_password": {"values": {"must_confirm": True}},
    "CustomerRepository.list_open": {"after": ""},
    "CustomerRepository.change": {"values": {"first_name": "b"}},
    "CustomerRepository.change_locked": {"values": {"first_name": "b"}},
    "CustomerWordRepository.replace": {"before": [WordRow(0, "a", "a")], "after": [WordRow(0, "b", "a")]},
    "CustomerWordSearch.page": {"wanted": CustomerFilter(search=("a",)), "after": None},
    "OneTimeTokenRepository.forget_others": {"email_key": "b", "now": LATER},
    "DeviceRepository.delete_all_but_latest": {"kept": 0},
    "IdempotentCallRepository.claim": {"call": row_of(IdempotentCall, HERE, "b")},
    "OutboxRepository.give_up_old": {"before": LATER},
    "OutboxRepository.find_to_probe": {"after": None, "only_tried": False},
    "PasswordHashKindRepository.add_unless_known": {"kind": "b"},
    "SessionRepository.is_new_device": {"user_agent": "b"},
    "SessionRepository.revoke_all": {"keep": None},
    "VisitRepository.become_session": {"visit": row_of(Visit, HERE, id=VISIT_ID, token_hash=b"b")},
    "VisitRepository.find": {"visit_id": VISIT_ID},
}
VALUES: Mapping[str, Mapping[str, Any]] = {
    "AddressRepository": {"city": "b"},
    "AnonymizationRepository": {"status": AnonymizationStatus.DONE.value},
    "CredentialRepository": {"initial_password": True},
    "GroupRepository": {"name": "b"},
    "LegalEntityRepository": {"name": "b"},
    "PaymentInstrumentRepository": {"brand": "b"},
    "ProductListRepository": {"is_public": False},
    "PasskeyRepository": {"name": "b"},
    "SessionRepository": {"site": "b"},
    "SignInTicketRepository": {"secret": "b"},
    "SocialIdentityRepository": {"email": "b"},
    "TotpRepository": {"secret": "b"},
}
BY_TYPE: Mapping[Any, Any] = {
    AuditAction: AuditAction.CUSTOMER_CREATED,
    str: "a",
    bytes: b"a",
    int: 1,
    bool: False,
    datetime: NOW,
    CustomerFilter: CustomerFilter(),
    CustomerStatus: CustomerStatus.ACQUIRED,
    AnonymizationStatus: AnonymizationStatus.DONE,
    Purpose: Purpose.RESET_PASSWORD,
    Lifetimes: Lifetimes(),
    PersonalTable: PERSONAL_TABLES[0],
    Searchable: Searchable(key="a", profile=" a b", login=" a"),
}


def methods() -> Iterator[tuple[str, type[Repository], str]]:
    """Yield each public method of each repository: `AddressRepository.find`, the class, and the method's own name."""
    for repository in sorted(Repository.__subclasses__(), key=lambda each: each.__name__):
        for name, member in vars(repository).items():
            if inspect.iscoroutinefunction(member) and not name.startswith("_"):
                yield f"{repository.__name__}.{name}", repository, name


def arguments_of(label: str, method: Method) -> tuple[list[Any], dict[str, Any]]:
    """Return arguments by which the method means the rows that both tenants have."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    hints = get_type_hints(method)
    for parameter in list(inspect.signature(method).parameters.values()):
        known = ARGUMENTS.get(label, {})
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            named |= known.get(parameter.name, VALUES.get(label.partition(".")[0], {}))
            continue
        value = known[parameter.name] if parameter.name in known else _argument(label, hints[parameter.name])
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        else:
            positional.append(value)
    return positional, named


def _argument(label: str, type_: Any) -> Any:
    options = get_args(type_)
    if get_origin(type_) in (Sequence, Collection):
        return [_argument(label, options[0])]
    for option in options or (type_,):
        if option in BY_TYPE:
            return BY_TYPE[option]
        if inspect.isclass(option) and issubclass(option, TenantRow):
            is_new = label.partition(".")[2].startswith("add")
            return _new_row(option) if is_new else row_of(option, HERE, **ROWS.get(option, {}))
    return None


def _new_row(model: type[TenantRow]) -> TenantRow:
    """Return a row that is not there yet, and refers to rows that are."""
    constraints = model.__table__.foreign_key_constraints
    foreign = {name: "a" for constraint in constraints for name in constraint.column_keys if name != "tenant_id"}
    return row_of(model, HERE, "b", **foreign)


@dataclass(frozen=True)
class Outcome:
    """What a method answered, and the rows of both tenants before and after it."""

    answer: Any
    before: Rows
    after: Rows

    @property
    def did_something(self) -> bool:
        """Whether the method met the rows at all: else nothing is shown by it."""
        return bool(self.answer) or self.after[HERE] != self.before[HERE]

    def is_as(self, alone: Outcome) -> bool:
        """Tell whether it came out as it does where there is no other tenant, whose rows are as they were."""
        came_out = (self.answer, self.after[HERE]) == (alone.answer, alone.after[HERE])
        return came_out and self.after[THERE] == self.before[THERE]


async def seed(connection: Connection, tenant_id: str) -> None:
    """Write one row of each table."""
    for model in models_by_reference():
        row = row_of(model, tenant_id, **ROWS.get(model, {}))
        await connection.write_anew(insert(model.__table__).values(**row.model_dump()))


async def read_rows(connection: Connection) -> Rows:
    """Return all rows of all tables: by tenant, then by table."""
    found: Rows = {HERE: {}, THERE: {}}
    for table, reading in EVERYTHING.items():
        for row in await connection.read(reading, {}):
            found[row.tenant_id].setdefault(table, []).append(tuple(row))
    return found


def plain(answer: Any) -> Any:
    """Return an answer as something that can be compared; rows have attributes and nothing else."""
    if answer is None or isinstance(answer, str | int | bytes | set | Enum):
        return answer
    if isinstance(answer, Mapping):
        return {key: plain(value) for key, value in answer.items()}
    if hasattr(answer, "tenant_id"):
        return (answer.tenant_id, getattr(answer, "id", None))
    return [plain(each) for each in answer]


async def run(database: Database, *seeded: str) -> dict[str, Outcome]:
    """Call every method for the tenant here where these tenants have rows, and forget each time what it did."""
    outcomes = {}
    async with conversation(database) as connection:
        for tenant_id in seeded:
            await seed(connection, tenant_id)
        for label, repository, name in methods():
            await connection.write_anew(text("SAVEPOINT untouched"))
            outcomes[label] = await call(connection, label, getattr(repository(connection, HERE), name))
            await connection.write_anew(text("ROLLBACK TO SAVEPOINT untouched"))
    return outcomes


async def call(connection: Connection, label: str, method: Method) -> Outcome:
    if label in ROWS_FOR:
        model, values = ROWS_FOR[label]
        await connection.write_anew(update(model.__table__).values(**values))
    positional, named = arguments_of(label, method)
    before = await read_rows(connection)
    try:
        answer = plain(await method(*positional, **named))
        # What nobody waits for is written with the next statement at the latest.
        after = await read_rows(connection)
    except BROKEN_REFERENCE:
        # It refers to what is not there, and nothing can be read any more.
        return Outcome(None, before, before)
    return Outcome(answer, before, after)


class TestRepositories:
    async def test_meet_their_own_rows_as_if_there_were_no_others(self, database: Database) -> None:
        alone, beside = await run(database, HERE), await run(database, HERE, THERE)
        idle = [label for label, outcome in alone.items() if not outcome.did_something]
        assert idle == IDLE
        assert [label for label, outcome in beside.items() if not outcome.is_as(alone[label])] == []

    async def test_find_nothing_where_only_others_have_rows(self, database: Database) -> None:
        nowhere, elsewhere = await run(database), await run(database, THERE)
        assert [label for label, outcome in elsewhere.items() if not outcome.is_as(nowhere[label])] == []


@pytest.fixture
async def both(database: Database) -> AsyncIterator[Connection]:
    """Give a transaction in which both tenants have the very same rows."""
    async with conversation(database) as connection:
        await seed(connection, HERE)
        await seed(connection, THERE)
        yield connection


class TestOutboxQueue:
    async def test_claims_for_one_tenants_endpoint_only(self, both: Connection) -> None:
        before = await read_rows(both)
        claimed = await OutboxQueue(both).claim(NOW, LATER, 10, endpoint=Endpoint(HERE, "a"))
        assert [message.tenant_id for message in claimed] == [HERE]
        assert (await read_rows(both))[THERE] == before[THERE]

    async def test_settles_one_tenants_message_only(self, both: Connection) -> None:
        before = await read_rows(both)
        (message,) = await OutboxRepository(both, HERE).list_events(10, only_failed=False)
        assert await OutboxQueue(both).settle(message, delivered_at=NOW)
        assert (await read_rows(both))[THERE] == before[THERE]
