"""The first yardstick: the same statements and the same answers, decoded, by Starlette and the bare driver.

No GraphQL, no limits, no log, one route per question: what is left when everything but the work is taken away.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast

import asyncpg
import orjson
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgresql_dialect
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.principal import TokenKind
from app.domain.rows import Reading
from app.domain.scopes import SESSION_SCOPES
from app.repositories import addresses, sessions
from tests.bench.workloads import DOCUMENTS

Row = Mapping[str, Any]
Fetch = Callable[[Reading[Any], Mapping[str, Any]], Awaitable[Sequence[Row]]]
_TENANT = "bench"
_SCOPE = sorted(SESSION_SCOPES[TokenKind.CUSTOMER])


class Sqlite:
    """The standard library's driver, and each column as the type that it stands for."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._ready: dict[Reading[Any], tuple[str, list[str], list[tuple[str, Any]]]] = {}

    async def fetch(self, reading: Reading[Any], parameters: Mapping[str, Any]) -> Sequence[Row]:
        """Return the decoded rows."""
        if reading not in self._ready:
            compiled = reading.statement.compile(dialect=sqlite_dialect())
            columns = reading.statement.exported_columns
            decoders = [(str(column.key), _DECODERS.get(_type_name(column))) for column in columns]
            self._ready[reading] = (str(compiled), list(compiled.positiontup or ()), decoders)
        sql, names, decoders = self._ready[reading]
        rows = self._connection.execute(sql, [parameters[name] for name in names]).fetchall()
        return [
            {name: decode(row[name]) if decode and row[name] is not None else row[name] for name, decode in decoders}
            for row in rows
        ]


class Postgresql:
    """asyncpg with a pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._ready: dict[Reading[Any], tuple[str, list[str]]] = {}

    async def fetch(self, reading: Reading[Any], parameters: Mapping[str, Any]) -> Sequence[Row]:
        """Return the rows, which the driver decodes."""
        if reading not in self._ready:
            compiled = reading.statement.compile(dialect=postgresql_dialect())  # type: ignore[no-untyped-call]
            self._ready[reading] = (str(compiled), list(compiled.positiontup or ()))
        sql, names = self._ready[reading]
        return cast("Sequence[Row]", await self._pool.fetch(sql, *[parameters[name] for name in names]))


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _list(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value


_DECODERS: dict[str, Callable[[Any], Any]] = {"UTCDateTime": _utc, "JSON": _list, "Boolean": bool}


def _type_name(column: Any) -> str:
    return type(column.type).__name__


async def _answer(fetch: Fetch, document: str, token: str) -> dict[str, Any]:
    (row,) = await fetch(
        sessions._BY_ACCESS_TOKEN.in_tenant, {"tenant_id": _TENANT, "token_hash": sha256(token.encode()).digest()}
    )
    now = datetime.now(UTC)
    if row["token_expires_at"] <= now or row["session_expires_at"] <= now or row["token_revoked_at"] is not None:
        raise PermissionError
    if document == DOCUMENTS["tokenInfo"]:
        return {"tokenInfo": _token_info(row, now)}
    me = _me(row)
    if document == DOCUMENTS["me with 10 addresses"]:
        found = await fetch(addresses._OF_CUSTOMER, {"tenant_id": _TENANT, "customer_id": row["id"]})
        me["addresses"] = [_address(each) for each in found]
    return {"me": me}


def _me(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "email": row["email"],
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "customerNumber": row["customer_number"],
        "preferredLanguage": row["preferred_language"],
        "emailVerified": row["email_verified_at"] is not None,
        "lastLoginAt": row["last_login_at"],
    }


def _address(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "contactName": row["contact_name"],
        "street": row["street"],
        "streetNumber": row["street_number"],
        "zipCode": row["zip_code"],
        "city": row["city"],
        "country": row["country"],
        "tags": _list(row["tags"]),
        "isDefault": row["is_default"],
    }


def _token_info(row: Row, now: datetime) -> dict[str, Any]:
    return {
        "kind": row["session_kind"],
        "tokenType": "Bearer",
        "expiresIn": int((row["token_expires_at"] - now).total_seconds()),
        "scope": [*_SCOPE, f"tenant={row['session_tenant_id']}"],
        "sessionId": row["session_id"],
        "tenant": row["session_tenant_id"],
        "clientId": row["session_client_id"],
        "customerId": row["id"],
        "email": row["email"],
    }


async def _endpoint(request: Request) -> Response:
    asked = orjson.loads(await request.body())
    token = request.headers["authorization"].removeprefix("Bearer ")
    data = await _answer(request.app.state.fetch, asked["query"], token)
    return Response(orjson.dumps({"data": data}), media_type="application/json")


def create_app() -> Starlette:
    """Return the application on the database of DATABASE_URL."""
    url = os.environ["DATABASE_URL"]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if url.startswith("sqlite:///"):
            app.state.fetch = Sqlite(url.removeprefix("sqlite:///")).fetch
            yield
            return
        async with asyncpg.create_pool(url, min_size=10, max_size=10) as pool:
            app.state.fetch = Postgresql(pool).fetch
            yield

    return Starlette(routes=[Route("/graphql", _endpoint, methods=["POST"])], lifespan=lifespan)
