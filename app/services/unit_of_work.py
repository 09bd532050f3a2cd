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
from app.repositories.addresses import AddressRepository
from app.repositories.credentials import CredentialRepository
from app.repositories.customers import CustomerRepository
from app.repositories.legal_entities import LegalEntityRepository
from app.repositories.one_time_tokens import OneTimeTokenLookup, OneTimeTokenRepository
from app.repositories.outbox import OutboxQueue, OutboxRepository
from app.repositories.sessions import SessionRepository, TokenLookup
from app.services.caller import Caller


class UnitOfWork:
    """Returning commits, raising rolls back, but for errors that say `durable`.

    Once that has happened (`is_spent`) it still reads the latest commit, for the selections of a mutation's payload.
    """

    def __init__(self, tools: Tools, caller: Caller) -> None:
        self.tools = tools
        self.caller = caller
        self.now = tools.clock.now()
        self._connection = tools.database.connect()
        self._tenant = tools.tenants.tenant(caller.principal.tenant_id) if caller.principal else None
        self.is_spent = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None or (isinstance(error, DomainError | AccessError) and error.durable):
                await self._connection.commit()
        finally:
            self.is_spent = True
            await self._connection.close()

    @property
    def tenant(self) -> Tenant:
        """The tenant whose data this unit sees."""
        if self._tenant is None:
            raise RuntimeError("This unit of work belongs to no tenant yet.")
        return self._tenant

    def enter(self, tenant: Tenant) -> None:
        """Bind the unit to the tenant that a client id or a mailed token named."""
        if self._tenant is not None and self._tenant.id != tenant.id:
            raise RuntimeError("A unit of work cannot change its tenant.")
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
    def customers(self) -> CustomerRepository:
        """The tenant's customers."""
        return CustomerRepository(self._connection, self.tenant.id)

    @cached_property
    def credentials(self) -> CredentialRepository:
        """The tenant's credentials."""
        return CredentialRepository(self._connection, self.tenant.id)

    @cached_property
    def sessions(self) -> SessionRepository:
        """The tenant's sessions and tokens."""
        return SessionRepository(self._connection, self.tenant.id)

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
    def outbox(self) -> OutboxRepository:
        """The tenant's outbox."""
        return OutboxRepository(self._connection, self.tenant.id)


def open_token_lookup(tools: Tools) -> TokenLookup:
    """Return the look-up of access tokens outside any unit of work, for the first statement of every request."""
    return TokenLookup(tools.database.connect())
