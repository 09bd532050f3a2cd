"""The unit of work: one caller, one tenant, one moment, and at most one transaction.

It begins with the first statement that writes. Whatever is read before stands alone, so that nothing is locked while a
password is hashed; whatever is read after sees the transaction.
"""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import Self

from app.domain.errors import AccessError, DomainError
from app.domain.tenants import Tenant
from app.domain.tools import Tools
from app.models.audit import AuditEvent
from app.repositories.addresses import AddressRepository
from app.repositories.anonymizations import AnonymizationQueue, AnonymizationRepository
from app.repositories.audit import AuditRepository
from app.repositories.credentials import CredentialRepository
from app.repositories.customer_search import CustomerSearch
from app.repositories.customers import CustomerRepository
from app.repositories.groups import GroupRepository
from app.repositories.integration_tokens import IntegrationTokenRepository, UsedAssertionRepository
from app.repositories.legal_entities import LegalEntityRepository
from app.repositories.one_time_tokens import OneTimeTokenLookup, OneTimeTokenRepository
from app.repositories.orders import OrderRepository
from app.repositories.outbox import OutboxQueue, OutboxRepository
from app.repositories.past_rows import PastRows
from app.repositories.payment_instruments import PaymentInstrumentRepository
from app.repositories.personal_data import PersonalDataRepository
from app.repositories.product_lists import ProductListRepository
from app.repositories.sessions import SessionRepository, TokenLookup
from app.repositories.social import LinkTicketRepository, SocialIdentityRepository, SocialStateRepository
from app.repositories.webhook_endpoints import WebhookEndpointRepository
from app.services.caller import Caller
from app.services.operation_lists import check_operation


class UnitOfWork:
    """Returning commits, raising rolls back, but for errors that say `durable`.

    Once that has happened (`is_spent`) it still reads the latest commit, for the selections of a mutation's payload.
    """

    def __init__(self, tools: Tools, caller: Caller) -> None:
        self.tools = tools
        self.caller = caller
        self.now = tools.clock.now()
        self._connection = tools.database.connect()
        self._tenant: Tenant | None = None
        if caller.principal is not None:
            self.enter(tools.tenants.tenant(caller.principal.tenant_id))
        self._at_end: list[AuditEvent] = []
        self.is_spent = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None or (isinstance(error, DomainError | AccessError) and error.durable):
                await self._write_rest()
            elif self._at_end:
                await self._connection.rollback()
                await self._write_rest()
        finally:
            self.is_spent = True
            await self._connection.close()

    async def _write_rest(self) -> None:
        for event in self._at_end:
            await self.audit.add(event)
        await self._connection.commit()

    async def roll_back(self) -> None:
        """Roll back what was written so far; what is written after this begins a new transaction."""
        await self._connection.rollback()

    def write_at_end(self, event: AuditEvent) -> None:
        """Write a line of the audit when the unit ends, even if all else is rolled back."""
        self._at_end.append(event)

    @property
    def has_tenant(self) -> bool:
        """Whether the caller, or what it sent, has named a tenant by now."""
        return self._tenant is not None

    @property
    def tenant(self) -> Tenant:
        """The tenant whose data this unit sees."""
        if self._tenant is None:
            raise RuntimeError("This unit of work belongs to no tenant yet.")
        return self._tenant

    def ignore_token(self) -> None:
        """Let the presented token count for nothing, whosever it is: the operation goes by what is in its input."""
        self.caller = Caller(self.caller.facts)
        self._tenant = None

    def enter(self, tenant: Tenant) -> None:
        """Bind the unit to the tenant that the token, a client id or a mailed token named.

        Raises `AccessError` where the tenant does not allow the operation.
        """
        if self._tenant is not None and self._tenant.id != tenant.id:
            raise RuntimeError("A unit of work cannot change its tenant.")
        check_operation(tenant, self.caller)
        self._tenant = tenant

    async def verify_password(self, encoded: str | None, password: str) -> bool:
        """Tell whether the password is right; takes as long where there is no hash."""
        self._hold_nothing()
        return await self.tools.passwords.verify(encoded, password)

    async def hash_password(self, password: str) -> str:
        """Return the hash of a new password."""
        self._hold_nothing()
        return await self.tools.passwords.hash(password)

    def _hold_nothing(self) -> None:
        if self._connection.begun:
            raise RuntimeError("Passwords are hashed before the transaction begins: nobody shall wait for them.")

    @cached_property
    def token_lookup(self) -> TokenLookup:
        """The access and refresh tokens of all tenants, by their hash."""
        return TokenLookup(self._connection)

    @cached_property
    def one_time_token_lookup(self) -> OneTimeTokenLookup:
        """The one-time tokens of all tenants, by their hash."""
        return OneTimeTokenLookup(self._connection)

    @cached_property
    def outbox_queue(self) -> OutboxQueue:
        """The outbox of all tenants."""
        return OutboxQueue(self._connection)

    @cached_property
    def anonymization_queue(self) -> AnonymizationQueue:
        """The requests to anonymize customers, of all tenants."""
        return AnonymizationQueue(self._connection)

    @cached_property
    def past_rows(self) -> PastRows:
        """The rows of all tenants whose time is over."""
        return PastRows(self._connection)

    @cached_property
    def customers(self) -> CustomerRepository:
        """The tenant's customers."""
        return CustomerRepository(self._connection, self.tenant.id)

    @cached_property
    def customer_search(self) -> CustomerSearch:
        """The tenant's customers, searched."""
        return CustomerSearch(self._connection, self.tenant.id)

    @cached_property
    def groups(self) -> GroupRepository:
        """The tenant's customer groups."""
        return GroupRepository(self._connection, self.tenant.id)

    @cached_property
    def orders(self) -> OrderRepository:
        """The tenant's recorded orders."""
        return OrderRepository(self._connection, self.tenant.id)

    @cached_property
    def credentials(self) -> CredentialRepository:
        """The tenant's credentials."""
        return CredentialRepository(self._connection, self.tenant.id)

    @cached_property
    def sessions(self) -> SessionRepository:
        """The tenant's sessions and tokens."""
        return SessionRepository(self._connection, self.tenant.id)

    @cached_property
    def social_states(self) -> SocialStateRepository:
        """The tenant's social logins under way."""
        return SocialStateRepository(self._connection, self.tenant.id)

    @cached_property
    def social_identities(self) -> SocialIdentityRepository:
        """The tenant's social identities."""
        return SocialIdentityRepository(self._connection, self.tenant.id)

    @cached_property
    def link_tickets(self) -> LinkTicketRepository:
        """The tenant's links that wait for a confirmation."""
        return LinkTicketRepository(self._connection, self.tenant.id)

    @cached_property
    def one_time_tokens(self) -> OneTimeTokenRepository:
        """The tenant's one-time tokens."""
        return OneTimeTokenRepository(self._connection, self.tenant.id)

    @cached_property
    def addresses(self) -> AddressRepository:
        """The tenant's addresses."""
        return AddressRepository(self._connection, self.tenant.id)

    @cached_property
    def legal_entities(self) -> LegalEntityRepository:
        """The tenant's legal entities."""
        return LegalEntityRepository(self._connection, self.tenant.id)

    @cached_property
    def audit(self) -> AuditRepository:
        """The tenant's audit."""
        return AuditRepository(self._connection, self.tenant.id)

    @cached_property
    def integration_tokens(self) -> IntegrationTokenRepository:
        """The tenant's integration tokens."""
        return IntegrationTokenRepository(self._connection, self.tenant.id)

    @cached_property
    def used_assertions(self) -> UsedAssertionRepository:
        """The assertions that the tenant's clients have presented."""
        return UsedAssertionRepository(self._connection, self.tenant.id)

    @cached_property
    def payment_instruments(self) -> PaymentInstrumentRepository:
        """The tenant's payment instruments."""
        return PaymentInstrumentRepository(self._connection, self.tenant.id)

    @cached_property
    def product_lists(self) -> ProductListRepository:
        """The tenant's product lists."""
        return ProductListRepository(self._connection, self.tenant.id)

    @cached_property
    def anonymizations(self) -> AnonymizationRepository:
        """The tenant's requests to anonymize customers."""
        return AnonymizationRepository(self._connection, self.tenant.id)

    @cached_property
    def personal_data(self) -> PersonalDataRepository:
        """Everything about one of the tenant's customers."""
        return PersonalDataRepository(self._connection, self.tenant.id)

    @cached_property
    def webhook_endpoints(self) -> WebhookEndpointRepository:
        """How the tenant's webhook endpoints have been doing."""
        return WebhookEndpointRepository(self._connection, self.tenant.id)

    @cached_property
    def outbox(self) -> OutboxRepository:
        """The tenant's outbox."""
        return OutboxRepository(self._connection, self.tenant.id)


def open_token_lookup(tools: Tools) -> TokenLookup:
    """Return the look-up of access tokens outside any unit of work, for the first statement of every request."""
    return TokenLookup(tools.database.connect())


def open_integration_tokens(tools: Tools, tenant: Tenant) -> IntegrationTokenRepository:
    """Return a tenant's integration tokens outside any unit of work, for the first statement of their requests."""
    return IntegrationTokenRepository(tools.database.connect(), tenant.id)
