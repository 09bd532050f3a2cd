"""The unit of work: one caller, one tenant, one time, and at most one transaction.

The transaction begins with the first statement that writes. Reads before it run alone, so that nothing is locked while
a password is hashed; reads after it see the transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Generic, Self, TypeVar

from app.domain.errors import AccessError, ConflictError, DomainError
from app.domain.foreign_hashes import JudgedHash
from app.domain.patches import Situation
from app.domain.ports import Comparison, Connection
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.domain.visitors import hear
from app.models.audit import AuditEvent
from app.models.visits import Visit
from app.models.webhook_endpoints import MAIL_SERVER
from app.repositories.addresses import AddressRepository
from app.repositories.agenda import AgendaQueue
from app.repositories.anonymizations import AnonymizationQueue, AnonymizationRepository
from app.repositories.audit import AuditRepository
from app.repositories.credentials import CredentialRepository, UnprovenQueue
from app.repositories.customer_search import CustomerSearch
from app.repositories.customer_word_search import CustomerWordSearch
from app.repositories.customers import CustomerRepository
from app.repositories.devices import DeviceRepository
from app.repositories.groups import GroupRepository
from app.repositories.idempotent_calls import IdempotentCallRepository
from app.repositories.integration_tokens import IntegrationTokenRepository, UsedAssertionRepository
from app.repositories.kept_pairs import KeptPairLookup, KeptPairRepository
from app.repositories.legal_entities import LegalEntityRepository
from app.repositories.one_time_tokens import OneTimeTokenLookup, OneTimeTokenRepository
from app.repositories.orders import OrderRepository
from app.repositories.outbox import OutboxQueue, OutboxRepository
from app.repositories.passkeys import PasskeyRepository
from app.repositories.password_hash_kinds import PasswordHashKindRepository
from app.repositories.past_rows import PastRows
from app.repositories.payment_instruments import PaymentInstrumentRepository
from app.repositories.pending_signups import PendingSignupRepository
from app.repositories.personal_data import PersonalDataRepository
from app.repositories.product_lists import ProductListRepository
from app.repositories.sessions import SessionRepository, TokenLookup
from app.repositories.sign_in_tickets import SignInTicketRepository
from app.repositories.social import (
    LinkTicketRepository,
    SocialAnswerRepository,
    SocialIdentityRepository,
    SocialStateLookup,
    SocialStateRepository,
)
from app.repositories.totp import RecoveryCodeRepository, TotpRepository
from app.repositories.unsearched import UnsearchedQueue
from app.repositories.visits import VisitQueue, VisitRepository
from app.repositories.ways_in import WaysInRepository
from app.repositories.webhook_endpoints import WebhookEndpointRepository
from app.services.caller import Caller
from app.services.counted_once import CountedOnce
from app.services.one_at_a_time import OneAtATime
from app.services.operation_lists import check_operation
from app.services.visit_connection import VisitConnection

Made = TypeVar("Made")


class _OfAll(Generic[Made]):
    """A repository of a unit of work that sees the rows of all tenants; it is made anew whenever it is asked for."""

    def __init__(self, make: Callable[[Connection], Made]) -> None:
        self._make = make

    def __get__(self, uow: UnitOfWork, owner: type[UnitOfWork]) -> Made:
        return self._make(uow._connection)  # noqa: SLF001 - a part of the unit of work


class _OfTenant(Generic[Made]):
    """A repository of a unit of work that sees the rows of its tenant; it is made anew whenever it is asked for."""

    def __init__(self, make: Callable[[Connection, str], Made]) -> None:
        self._make = make

    def __get__(self, uow: UnitOfWork, owner: type[UnitOfWork]) -> Made:
        return self._make(uow._connection, uow.tenant.id)  # noqa: SLF001 - as above


class UnitOfWork:
    """Returning commits, raising rolls back, except for errors that are `durable`.

    `commit_was_sent` says that COMMIT has left for the database, whatever came of it: from then on nobody may say that
    nothing was done. `about` is the customer whom it was about, as audit and events say.

    `may_begin_again` says that nothing but what is rolled back has come of it; `counted` is what its limits counted.

    Once the unit has ended (`is_spent`) it still reads the latest commit, for the selections of a mutation's payload.
    """

    token_lookup = _OfAll(TokenLookup)
    kept_pair_lookup = _OfAll(KeptPairLookup)
    one_time_token_lookup = _OfAll(OneTimeTokenLookup)
    social_state_lookup = _OfAll(SocialStateLookup)
    agenda = _OfAll(AgendaQueue)
    outbox_queue = _OfAll(OutboxQueue)
    anonymization_queue = _OfAll(AnonymizationQueue)
    unproven_queue = _OfAll(UnprovenQueue)
    unsearched_queue = _OfAll(UnsearchedQueue)
    past_rows = _OfAll(PastRows)
    visit_queue = _OfAll(VisitQueue)
    mail_server = _OfAll(lambda connection: WebhookEndpointRepository(connection, MAIL_SERVER[0]))
    customers = _OfTenant(CustomerRepository)
    customer_search = _OfTenant(CustomerSearch)
    customer_word_search = _OfTenant(CustomerWordSearch)
    groups = _OfTenant(GroupRepository)
    orders = _OfTenant(OrderRepository)
    credentials = _OfTenant(CredentialRepository)
    password_hash_kinds = _OfTenant(PasswordHashKindRepository)
    visits = _OfTenant(VisitRepository)
    sessions = _OfTenant(SessionRepository)
    kept_pairs = _OfTenant(KeptPairRepository)
    devices = _OfTenant(DeviceRepository)
    social_states = _OfTenant(SocialStateRepository)
    social_answers = _OfTenant(SocialAnswerRepository)
    social_identities = _OfTenant(SocialIdentityRepository)
    link_tickets = _OfTenant(LinkTicketRepository)
    sign_in_tickets = _OfTenant(SignInTicketRepository)
    passkeys = _OfTenant(PasskeyRepository)
    totp = _OfTenant(TotpRepository)
    recovery_codes = _OfTenant(RecoveryCodeRepository)
    ways_in = _OfTenant(WaysInRepository)
    one_time_tokens = _OfTenant(OneTimeTokenRepository)
    pending_signups = _OfTenant(PendingSignupRepository)
    addresses = _OfTenant(AddressRepository)
    legal_entities = _OfTenant(LegalEntityRepository)
    audit = _OfTenant(AuditRepository)
    integration_tokens = _OfTenant(IntegrationTokenRepository)
    idempotent_calls = _OfTenant(IdempotentCallRepository)
    used_assertions = _OfTenant(UsedAssertionRepository)
    payment_instruments = _OfTenant(PaymentInstrumentRepository)
    product_lists = _OfTenant(ProductListRepository)
    anonymizations = _OfTenant(AnonymizationRepository)
    personal_data = _OfTenant(PersonalDataRepository)
    webhook_endpoints = _OfTenant(WebhookEndpointRepository)
    outbox = _OfTenant(OutboxRepository)

    def __init__(self, tools: Tools, caller: Caller) -> None:
        self.tools = tools
        self.caller = caller
        self.now = tools.clock.now()
        self._connection: Connection = tools.database.connect()
        self._tenant: Tenant | None = None
        if caller.principal is not None:
            self.enter(tools.tenants.tenant(caller.principal.tenant_id))
        if caller.visit is not None:
            self.speak_for(caller.visit)
        self._at_end: list[AuditEvent] = []
        self._undo: list[Callable[[], Awaitable[None]]] = []
        self._comparison: Comparison | None = None
        self.is_spent = False
        self.commit_was_sent = False
        self.may_begin_again = True
        self.counted = CountedOnce()
        self._beside: UnitOfWork | None = None
        self.about: str | None = None
        self._is_held = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        is_kept = error is None or (isinstance(error, DomainError | AccessError) and error.durable)
        if self._is_held:
            if not is_kept:
                await self._connection.rollback()
            return
        try:
            if is_kept:
                await self._write_rest()
                await self._commit(has_effect=True)
                self._undo.clear()
            elif self._at_end and not isinstance(error, ConflictError):
                await self._connection.rollback()
                await self._write_rest()
                await self._connection.commit()
        finally:
            self.is_spent = True
            await self._connection.close()
            await self._undo_all()

    async def _commit(self, *, has_effect: bool) -> None:
        begun = self._connection.begun
        self.commit_was_sent = has_effect and begun
        try:
            await self._connection.commit()
        except ConflictError:
            # The database has answered, and has done nothing.
            self.commit_was_sent = False
            raise
        if begun and self._beside is not None:
            self._beside.may_begin_again = False

    def beside(self) -> UnitOfWork:
        """Return a unit of the same caller, whose commit stays whatever becomes of this one."""
        other = UnitOfWork(self.tools, self.caller)
        other._beside = self
        return other

    def reader(self) -> UnitOfWork:
        """Return a unit of the same caller and tenant for lists, searches and exports: a standby may answer them.

        It sees all that was committed before it reads, and nothing of a transaction that this one has open. Whatever
        decides something, or shows customers what they have just written, is read in the unit itself.
        """
        other = UnitOfWork(self.tools, self.caller)
        other._connection = self.tools.database.connect_to_read()
        other._tenant = self._tenant
        return other

    def hold(self) -> None:
        """Leave the transaction open where the unit would end, until `finish` or `abandon`."""
        self._is_held = True
        self._connection = OneAtATime(self._connection)

    async def finish(self, last: Callable[[], Awaitable[None]], *, has_effect: bool) -> None:
        """End a held unit: do the last writing, and commit it together with all that is left of what was written.

        `has_effect`: it is more than a note that nothing was done.
        """
        try:
            await self._write_rest()
            await last()
            await self._commit(has_effect=has_effect)
        finally:
            await self.abandon()

    async def abandon(self) -> None:
        """End a held unit, and roll back what was not committed."""
        self.is_spent = True
        await self._connection.close()

    async def _write_rest(self) -> None:
        for event in self._at_end:
            await self.audit.add(event)

    async def roll_back(self) -> None:
        """Roll back what was written so far; what is written after this begins a new transaction."""
        await self._connection.rollback()
        await self._undo_all()

    def on_rollback(self, undo: Callable[[], Awaitable[None]]) -> None:
        """Have something undone that no rollback reaches, such as a count, unless the unit commits."""
        self._undo.append(undo)

    async def _undo_all(self) -> None:
        undone, self._undo = self._undo, []
        for undo in undone:
            await undo()

    async def forget(self) -> None:
        """Roll back, and write nothing of it into the audit at the end either."""
        self._at_end.clear()
        await self.roll_back()

    def write_at_end(self, event: AuditEvent) -> None:
        """Write a line of the audit when the unit ends, even if all else is rolled back."""
        self._at_end.append(event)

    @property
    def has_tenant(self) -> bool:
        """Whether the caller or the input has named a tenant already."""
        return self._tenant is not None

    @property
    def tenant(self) -> Tenant:
        """The tenant whose data this unit sees."""
        if self._tenant is None:
            raise RuntimeError("This unit of work belongs to no tenant yet.")
        return self._tenant

    @property
    def situation(self) -> Situation:
        """What the rules of a patch may look at, where nobody's site or row matters."""
        return Situation(self.tenant, self.now.date())

    def tenants_of(self, token: str) -> Sequence[str]:
        """Return the ids of the tenants that a token may belong to, to be looked up there; none for any tenant."""
        return (self._tenant.id,) if self._tenant is not None else self.tools.tenants.hinted(token)

    def ignore_token(self) -> None:
        """Ignore the access token: the operation uses only its input."""
        if self.caller.visit is not None:
            self._connection = self.tools.database.connect()
        self.caller = Caller(self.caller.facts.as_sent)
        self._tenant = None

    def speak_for(self, visit: Visit) -> None:
        """Have the visit of the unit's tenant become a session with the first thing that is written, or not at all."""
        tenant = self.tenant

        async def become_session(connection: Connection) -> None:
            await VisitRepository(connection, tenant.id).become_session(visit, tenant)

        self._connection = VisitConnection(self._connection, become_session)

    def hear(self, client_id: str | None) -> None:
        """Let the visitor count for whom the request speaks as this client, or without one as it says that it is.

        Raises `HeaderRefused`, as `hear` does.
        """
        facts = self.caller.facts
        found = self.tools.tenants.find_client(client_id or facts.client_id or "")
        self.caller = replace(self.caller, facts=hear(found[1] if found else None, facts))

    def enter(self, tenant: Tenant) -> None:
        """Bind the unit to the tenant that the token, a client id or a mailed token named.

        Raises `AccessError` where the tenant does not allow the operation.
        """
        if self._tenant is not None and self._tenant.id != tenant.id:
            raise RuntimeError("A unit of work cannot change its tenant.")
        check_operation(tenant, self.caller)
        self._tenant = tenant

    async def verify_password(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password is right; it takes the same time if there is no hash."""
        self.hold_nothing()
        self._comparison = await self.tools.passwords.compare(encoded, password)
        return self._comparison.is_right

    async def level_refusal(self) -> None:
        """Wait before a refusal so that its time does not tell what kind of hash was verified, if there was any."""
        if self._comparison is None or self._connection.begun:
            return
        hook = self.tenant.password_hook
        elsewhere = self.tools.password_hooks.seconds(hook) if hook is not None else 0
        await self.tools.passwords.level(self._comparison, await self.password_hash_kinds.list(), elsewhere)

    async def hash_password(self, password: str) -> str:
        """Return the hash of a new password."""
        self.hold_nothing()
        return await self.tools.passwords.hash(password)

    async def adopt_hash(self, judged: JudgedHash) -> str:
        """Return what is stored of a hash that another system made."""
        self.hold_nothing()
        return await self.tools.passwords.adopt(judged)

    def hold_nothing(self) -> None:
        """Raise where a transaction is open: nothing that takes long may come now."""
        if self._connection.begun:
            raise RuntimeError("Hash passwords before the transaction begins, so that nobody waits for them.")
