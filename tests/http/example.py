"""A small gateway for the tests of the edge: the real endpoint and middleware around an example schema."""

from __future__ import annotations

import asyncio
import io
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from strawberry.scalars import JSON

from app.domain.errors import AccessCode, AccessError, forbidden
from app.domain.principal import Principal, TokenKind
from app.domain.refresh_cookies import RefreshCookie
from app.domain.requests import RequestFacts
from app.domain.web_origins import Origins, RegisteredOrigin
from app.graphql.documents import Documents
from app.graphql.limits import Limits
from app.http.client_address import ClientAddresses
from app.http.cors import Cors
from app.http.graphql import GraphQLEndpoint
from app.http.middleware import Edge
from app.http.request_log import RequestLog

PRINCIPAL = Principal(TokenKind.CUSTOMER, "demo", "demo-storefront", datetime(2030, 1, 1, tzinfo=UTC))


@dataclass
class ExampleContext:
    """What the resolvers of the example see, and what they did."""

    facts: RequestFacts
    journal: list[str]
    principal: Principal | None = PRINCIPAL
    user_error_codes: Sequence[str] = ()
    refresh_cookies: Sequence[RefreshCookie] = ()
    tenant_ids: frozenset[str] = frozenset({"demo"})
    may_have_written: bool = False

    def expect_repetition(self, fields: Collection[str], sent: str) -> None:
        """Do nothing: the example keeps no answer."""

    async def settle(self, answer: str) -> None:
        """Do nothing, as above."""

    async def abandon(self) -> None:
        """Do nothing, as above."""

    async def record_denials(self, errors: Sequence[GraphQLError]) -> None:
        """Do nothing: the example has no audit."""


@strawberry.enum
class Color(Enum):
    RED = "RED"
    GREEN = "GREEN"


@strawberry.input
class AddressInput:
    city: str
    country: str


@strawberry.input
class LoginInput:
    email: str
    password: str
    address: AddressInput | None = None
    nickname: strawberry.Maybe[str] = None


@strawberry.type
class Node:
    name: str = "node"

    @strawberry.field
    def child(self) -> Node:
        return Node()


@strawberry.type
class Query:
    @strawberry.field
    def node(self) -> Node:
        return Node()

    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def paint(self, color: Color) -> str:
        return color.value

    @strawberry.field
    def facts(self, info: strawberry.Info[ExampleContext]) -> list[str | None]:
        facts = info.context.facts
        return [facts.request_id, facts.ip, facts.user_agent, facts.token]

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("the password is hunter2")

    @strawberry.field
    def refused(self) -> str | None:
        raise forbidden("Not for you.")

    @strawberry.field
    def limited(self, seconds: int) -> str | None:
        raise AccessError(AccessCode.RATE_LIMITED, "Too many.", retry_after=seconds)

    @strawberry.field
    def unprintable(self) -> JSON:
        return JSON(1 << 80)

    @strawberry.field
    async def endless(self, info: strawberry.Info[ExampleContext]) -> str:
        return await _never(info.context.journal)


@strawberry.type
class Mutation:
    @strawberry.mutation
    def login(self, info: strawberry.Info[ExampleContext], input: LoginInput) -> str:
        info.context.journal.append("login")
        return input.email

    @strawberry.mutation
    def create_address(self, input: AddressInput) -> str:
        return input.city

    @strawberry.mutation
    async def endless_write(self, info: strawberry.Info[ExampleContext]) -> str:
        return await _never(info.context.journal)


async def _never(journal: list[str]) -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        journal.append("cancelled")
        raise
    return "never"


class FixedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2030, 1, 1, 12, 30, tzinfo=UTC)


@dataclass
class Gateway:
    """An example gateway: `build` returns the application, `journal` is what its resolvers did."""

    production: bool = False
    timeout_seconds: float = 10.0
    trusted_proxies: tuple[str, ...] = ()
    playground: bool = False
    journal: list[str] = field(default_factory=list)
    log: io.StringIO = field(default_factory=io.StringIO)
    context_error: Exception | None = None

    def build(self) -> Starlette:
        async def make_context(facts: RequestFacts) -> ExampleContext:
            if self.context_error is not None:
                raise self.context_error
            return ExampleContext(facts, self.journal)

        async def crash(_request: object) -> PlainTextResponse:
            raise RuntimeError("the token is secret")

        async def cached(_request: object) -> PlainTextResponse:
            return PlainTextResponse("", headers={"Cache-Control": "public, max-age=300"})

        endpoint = GraphQLEndpoint(
            Documents(
                strawberry.Schema(Query, Mutation),
                Limits(credential_fields=frozenset({"login"})),
                production=self.production,
            ),
            make_context,
            playground=PlainTextResponse("<html>", media_type="text/html") if self.playground else None,
            timeout_seconds=self.timeout_seconds,
        )
        ids = itertools.count(1)
        edge = Middleware(
            Edge,
            new_id=lambda: f"request-{next(ids)}",
            clock=FixedClock(),
            addresses=ClientAddresses(self.trusted_proxies),
            cors=Cors(lambda: Origins([RegisteredOrigin("https://shop.example", "demo")])),
            log=RequestLog(FixedClock(), self.log, production=True),
        )
        routes = [Route("/graphql", endpoint), Route("/crash", crash), Route("/cached", cached)]
        return Starlette(routes=routes, middleware=[edge])

    def client(self, *, peer: str = "203.0.113.9") -> TestClient:
        return TestClient(self.build(), raise_server_exceptions=False, client=(peer, 1))
