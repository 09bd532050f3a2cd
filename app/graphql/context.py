"""The context of one GraphQL operation: the caller, and the unit of work of the running field."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import strawberry
from graphql import GraphQLError
from strawberry.dataloader import DataLoader

from app.domain.errors import ConflictError
from app.domain.principal import Principal
from app.domain.refresh_cookies import RefreshCookie, require_page_of
from app.domain.requests import RequestFacts
from app.domain.tenants import Client
from app.domain.tools import Tools
from app.graphql.denials import record_denials
from app.graphql.idempotency import KeyedCall
from app.graphql.refresh_cookies import cookie_client, read_device_token
from app.models.groups import GroupOfMember
from app.services.caller import Caller
from app.services.callers.authentication import authenticate
from app.services.callers.refresh_cookies import authenticate_by_cookie
from app.services.idempotency import check_key
from app.services.repetition import pause_or_raise
from app.services.staff.groups import groups_of
from app.services.unit_of_work import UnitOfWork


@dataclass(slots=True)
class Context:
    """`uow` reads for queries; each root mutation field puts its own in its place.

    `user_error_codes` are those of the payloads so far, for the log and the metrics. `refresh_cookies` are what the
    browser is to keep or to forget. `keyed_call` is there for a call with an `Idempotency-Key`.
    """

    tools: Tools
    caller: Caller
    uow: UnitOfWork
    user_error_codes: list[str] = field(default_factory=list)
    refresh_cookies: list[RefreshCookie] = field(default_factory=list)
    keyed_call: KeyedCall | None = None
    _has_written: bool = False
    _past_tenants: frozenset[str] = frozenset()
    _groups: DataLoader[str, Sequence[GroupOfMember]] | None = None

    @property
    def principal(self) -> Principal | None:
        """The bearer of the token, or None."""
        return self.caller.principal

    @property
    def device_cookie(self) -> str | None:
        """The device token in the cookie of the token's client; None where the client keeps none there."""
        if self.principal is None:
            return None
        return read_device_token(self.tools, self.caller.facts.as_sent, self.principal.client_id)

    @property
    def tenant_ids(self) -> frozenset[str]:
        """The shops that the root fields so far were about; that of the token, even if it is no longer accepted."""
        tenant_id = self.uow.tenant.id if self.uow.has_tenant else self.caller.tenant_id
        return self._past_tenants | {tenant_id} if tenant_id is not None else self._past_tenants

    async def load_groups(self, customer_id: str) -> Sequence[GroupOfMember]:
        """Return a customer's groups; those of all customers in one list are read at once."""
        if self._groups is None:
            # Not cached, because the next mutation of the document may change them.
            self._groups = DataLoader(lambda ids: groups_of(self.uow, ids), cache=False)
        return await self._groups.load(customer_id)

    async def record_denials(self, errors: Sequence[GraphQLError]) -> None:
        """Have what the operation was refused written down in the audit."""
        await record_denials(self.uow, errors)

    def expect_repetition(self, fields: Collection[str], sent: str) -> None:
        """Prepare for a call that may be made again with its `Idempotency-Key`; without a good token that is nothing.

        `sent` is all that the answer depends on. Raises BAD_REQUEST for a bad key, or for more than one root field.
        """
        key = self.caller.facts.idempotency_key
        if key is None or self.caller.principal is None:
            return
        check_key(key, fields)
        self.keyed_call = KeyedCall(key, sent)

    async def settle(self, answer: str) -> None:
        """Commit what a call with an `Idempotency-Key` has done, together with its answer."""
        if self.keyed_call is not None:
            await self.keyed_call.settle(answer)

    async def abandon(self) -> None:
        """Give up what was not settled."""
        if self.keyed_call is not None and await self.keyed_call.abandon():
            self.refresh_cookies.clear()

    @property
    def may_have_written(self) -> bool:
        """Whether COMMIT was sent for any root mutation field so far: then nobody may say that nothing was done."""
        return self._has_written or self.uow.commit_was_sent

    async def begin_field(self) -> UnitOfWork:
        """Return the unit of work for the next root mutation field. The token is checked again."""
        if self.uow.is_spent:
            self._past_tenants = self.tenant_ids
            self._has_written = self.may_have_written
            self.caller = await authenticate(self.tools, self.caller.facts)
            self.uow = UnitOfWork(self.tools, self.caller)
        return self.uow

    async def begin_again(self, conflict: ConflictError, repeated: int) -> None:
        """Make the field ready to run again from its beginning, or raise the conflict where it may not."""
        ended = self.uow
        await pause_or_raise(self.tools, conflict, repeated, may_begin_again=ended.may_begin_again)
        await ended.forget()
        ended.counted.begin_again()
        await self.begin_field()
        self.uow.counted = ended.counted

    async def accept_cookie(self) -> None:
        """Take the caller from the cookie with the refresh token where no access token tells; a dead one is forgotten.

        Raises FORBIDDEN where the request does not come from a page of the client that it names.
        """
        client = self.cookie_client
        if self.principal is not None or client is None:
            return
        facts = self.caller.facts.as_sent
        require_page_of(client, facts)
        self.caller = await authenticate_by_cookie(self.tools, facts, client)
        counted = self.uow.counted
        self.uow = UnitOfWork(self.tools, self.caller)
        self.uow.counted = counted
        if self.principal is None:
            self.refresh_cookies.append(RefreshCookie(client))

    @property
    def cookie_client(self) -> Client | None:
        """The client that the request names, if its refresh tokens are in cookies."""
        return cookie_client(self.tools, self.caller.facts.as_sent.client_id)


Info = strawberry.Info[Context, None]


async def make_context(tools: Tools, facts: RequestFacts) -> Context:
    """Authenticate the request and return its context."""
    caller = await authenticate(tools, facts)
    return Context(tools, caller, UnitOfWork(tools, caller))
