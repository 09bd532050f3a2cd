"""The second yardstick: the same operations as the tutorials of the libraries teach them.

Strawberry's own ASGI view, a SQLModel `AsyncSession` for each request, two SELECTs from the token to the customer,
argon2 with the library's parameters on the default thread pool, a commit for each mutation. It reads and writes the
gateway's tables, and leaves out limits, audit, mail and events.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import strawberry
import uuid_utils
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from app.domain.principal import TokenKind
from app.domain.scopes import SESSION_SCOPES
from app.models import addresses as models
from app.models.credentials import Credential
from app.models.customers import Customer as CustomerRow
from app.models.sessions import AccessToken, RefreshToken, Session

TENANT = "bench"
hasher = PasswordHasher()
_SCOPES = {kind: sorted(scopes) for kind, scopes in SESSION_SCOPES.items()}


@strawberry.type
class Address:
    id: strawberry.ID
    contact_name: str
    street: str
    street_number: str | None
    zip_code: str | None
    city: str
    country: str
    tags: list[str]
    is_default: bool


@strawberry.type
class Customer:
    id: strawberry.ID
    email: str | None
    first_name: str | None
    last_name: str | None
    customer_number: str
    preferred_language: str | None
    email_verified: bool
    last_login_at: datetime | None

    @strawberry.field
    async def addresses(self, info: strawberry.Info) -> list[Address]:
        rows = await info.context["session"].exec(
            select(models.Address)
            .where(models.Address.customer_id == self.id)
            .order_by(col(models.Address.is_default).desc(), col(models.Address.id))
        )
        names = Address.__annotations__
        return [Address(**{name: getattr(row, name) for name in names}) for row in rows]


@strawberry.type
class TokenInfo:
    kind: str
    token_type: str
    expires_in: int
    scope: list[str]
    session_id: strawberry.ID
    tenant: str
    client_id: str
    customer_id: strawberry.ID | None
    email: str | None


@strawberry.type
class UserError:
    code: str


@strawberry.type
class Tokens:
    access_token: str
    refresh_token: str
    session_id: strawberry.ID


@strawberry.type
class TokenPayload:
    tokens: Tokens | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class LoginPayload(TokenPayload):
    customer: Customer | None = None


@strawberry.type
class SignupPayload:
    customer_id: strawberry.ID | None = None
    status: str | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class UpdateMePayload:
    customer: Customer | None = None
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.input
class AnonymousLoginInput:
    client_id: str


@strawberry.input
class RefreshInput:
    refresh_token: str


@strawberry.input
class LoginInput:
    email: str
    password: str


@strawberry.input
class SignupInput(LoginInput):
    pass


@strawberry.input
class UpdateMeInput:
    first_name: str | None = None


async def _authenticate(info: strawberry.Info) -> tuple[AccessToken, Session]:
    session: AsyncSession = info.context["session"]
    text = info.context["request"].headers.get("authorization", "").removeprefix("Bearer ")
    found = await session.exec(
        select(AccessToken, Session)
        .join(Session, col(Session.id) == col(AccessToken.session_id))
        .where(AccessToken.token_hash == _hash(text))
    )
    row = found.first()
    if row is None or row[0].expires_at <= datetime.now(UTC) or row[0].revoked_at or row[1].revoked_at:
        raise PermissionError("Not authenticated")
    return row[0], row[1]


async def _customer(info: strawberry.Info, customer_id: str | None) -> tuple[CustomerRow, Credential] | None:
    found = await info.context["session"].exec(
        select(CustomerRow, Credential)
        .join(Credential, col(Credential.customer_id) == col(CustomerRow.id))
        .where(CustomerRow.id == customer_id)
    )
    row: tuple[CustomerRow, Credential] | None = found.first()
    return row


def _present(customer: CustomerRow, credential: Credential) -> Customer:
    return Customer(
        id=strawberry.ID(customer.id),
        email=credential.email,
        first_name=customer.first_name,
        last_name=customer.last_name,
        customer_number=customer.customer_number,
        preferred_language=customer.preferred_language,
        email_verified=credential.email_verified_at is not None,
        last_login_at=customer.last_login_at,
    )


def _hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _new_id() -> str:
    return str(uuid_utils.uuid7())


def _issue(session: AsyncSession, row: Session) -> Tokens:
    now = datetime.now(UTC)
    access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    ends = now + timedelta(hours=1)
    owner: dict[str, Any] = {"tenant_id": TENANT, "session_id": row.id, "created_at": now, "expires_at": ends}
    session.add(AccessToken(token_hash=_hash(access), **owner))
    session.add(RefreshToken(token_hash=_hash(refresh), family=1, **owner))
    return Tokens(access_token=access, refresh_token=refresh, session_id=strawberry.ID(row.id))


@strawberry.type
class Query:
    @strawberry.field
    async def me(self, info: strawberry.Info) -> Customer | None:
        _, session = await _authenticate(info)
        found = await _customer(info, session.customer_id)
        return _present(*found) if found else None

    @strawberry.field
    async def token_info(self, info: strawberry.Info) -> TokenInfo:
        token, session = await _authenticate(info)
        found = await _customer(info, session.customer_id)
        return TokenInfo(
            kind=session.kind,
            token_type="Bearer",
            expires_in=int((token.expires_at - datetime.now(UTC)).total_seconds()),
            scope=[*_SCOPES[TokenKind(session.kind)], f"tenant={session.tenant_id}"],
            session_id=strawberry.ID(session.id),
            tenant=session.tenant_id,
            client_id=session.client_id,
            customer_id=strawberry.ID(session.customer_id) if session.customer_id else None,
            email=found[1].email if found else None,
        )


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def anonymous_login(self, info: strawberry.Info, input: AnonymousLoginInput) -> TokenPayload:
        session: AsyncSession = info.context["session"]
        now = datetime.now(UTC)
        row = Session(
            tenant_id=TENANT,
            id=_new_id(),
            kind="ANONYMOUS",
            client_id=input.client_id,
            created_at=now,
            last_used_at=now,
            expires_at=now + timedelta(days=1),
        )
        session.add(row)
        tokens = _issue(session, row)
        await session.commit()
        return TokenPayload(tokens=tokens)

    @strawberry.mutation
    async def refresh(self, info: strawberry.Info, input: RefreshInput) -> TokenPayload:
        session: AsyncSession = info.context["session"]
        found = await session.exec(
            select(RefreshToken, Session)
            .join(Session, col(Session.id) == col(RefreshToken.session_id))
            .where(RefreshToken.token_hash == _hash(input.refresh_token))
        )
        row = found.first()
        if row is None or row[0].used_at is not None or row[0].expires_at <= datetime.now(UTC):
            return TokenPayload(user_errors=[UserError(code="TOKEN_INVALID")])
        row[0].used_at = row[1].last_used_at = datetime.now(UTC)
        tokens = _issue(session, row[1])
        await session.commit()
        return TokenPayload(tokens=tokens)

    @strawberry.mutation
    async def login(self, info: strawberry.Info, input: LoginInput) -> LoginPayload:
        session: AsyncSession = info.context["session"]
        _, row = await _authenticate(info)
        found = (await session.exec(select(Credential).where(Credential.email_key == input.email.lower()))).first()
        if found is None or not await _verify(found.password_hash or "", input.password):
            return LoginPayload(user_errors=[UserError(code="INVALID_CREDENTIALS")])
        both = await _customer(info, found.customer_id)
        if both is None:
            return LoginPayload(user_errors=[UserError(code="INVALID_CREDENTIALS")])
        now = datetime.now(UTC)
        both[0].last_login_at = row.authenticated_at = now
        row.kind, row.customer_id = "CUSTOMER", found.customer_id
        customer = _present(*both)
        tokens = _issue(session, row)
        await session.commit()
        return LoginPayload(tokens=tokens, customer=customer)

    @strawberry.mutation
    async def signup(self, info: strawberry.Info, input: SignupInput) -> SignupPayload:
        session: AsyncSession = info.context["session"]
        await _authenticate(info)
        now = datetime.now(UTC)
        encoded = await asyncio.to_thread(hasher.hash, input.password)
        customer = CustomerRow(
            tenant_id=TENANT,
            id=_new_id(),
            customer_number=str(10_000_000 + secrets.randbelow(90_000_000)),
            shopper_reference=_new_id(),
            created_at=now,
            updated_at=now,
        )
        session.add(customer)
        session.add(
            Credential(
                tenant_id=TENANT,
                customer_id=customer.id,
                email=input.email,
                email_key=input.email.lower(),
                password_hash=encoded,
                changed_at=now,
            )
        )
        customer_id = customer.id
        await session.commit()
        return SignupPayload(customer_id=strawberry.ID(customer_id), status="ACTIVE")

    @strawberry.mutation
    async def update_me(self, info: strawberry.Info, input: UpdateMeInput) -> UpdateMePayload:
        session: AsyncSession = info.context["session"]
        _, row = await _authenticate(info)
        found = await _customer(info, row.customer_id)
        if found is None:
            return UpdateMePayload(user_errors=[UserError(code="NOT_FOUND")])
        found[0].first_name = input.first_name
        found[0].version += 1
        customer = _present(*found)
        await session.commit()
        return UpdateMePayload(customer=customer)


async def _verify(encoded: str, password: str) -> bool:
    try:
        return await asyncio.to_thread(hasher.verify, encoded, password)
    except VerifyMismatchError:
        return False


class View(GraphQL[dict[str, Any], None]):
    """The view of the tutorial; the database session is that of the request."""

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> dict[str, Any]:
        return {"request": request, "response": response, "session": request.state.session}


class SessionPerRequest:
    """Opens a database session for each request."""

    def __init__(self, app: ASGIApp, engine: AsyncEngine) -> None:
        self._app = app
        self._engine = engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            scope.setdefault("state", {})["session"] = session
            await self._app(scope, receive, send)


def create_app() -> Starlette:
    """Return the application on the database of DATABASE_URL."""
    scheme, _, rest = os.environ["DATABASE_URL"].partition(":")
    driver = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}[scheme]
    # The tutorials' 5 seconds of patience are not enough for 32 writers on SQLite: 'database is locked'.
    engine = create_async_engine(f"{driver}:{rest}", connect_args={"timeout": 60})
    view = View(strawberry.Schema(query=Query, mutation=Mutation))
    return Starlette(routes=[Route("/graphql", view)], middleware=[Middleware(SessionPerRequest, engine=engine)])
