"""Opens connections to PostgreSQL: all of them are made here, of what DATABASE_URL says."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from app.adapters.database.faults import UnusableDatabaseError
from app.adapters.database.tls import tls_dsn, tls_of
from app.domain.database_limits import DatabaseLimits, Pooler
from app.domain.database_url import Host, ServerUrl

# Statements that a connection keeps prepared.
_KEPT_STATEMENTS = 256
# Seconds of silence after which the kernel asks whether the other side is still there, and between its questions.
_KEEPALIVE_IDLE, _KEEPALIVE_INTERVAL, _KEEPALIVE_COUNT = 10, 5, 3
# Seconds after which the server gives up a transaction whose owner says nothing: it is gone, without a word.
_ABANDONED_SECONDS = 60
# What guarded updates and row locks count on, whatever a database or a role has been given as its own.
_ISOLATION = "default_transaction_isolation"
_WHO = "SELECT pg_backend_pid(), pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'"


@dataclass(frozen=True, slots=True)
class _Server:
    """What a server says of itself. `pid` is the number of the process that really answers."""

    pid: int
    is_standby: bool
    is_read_only: bool

    def fits(self, target: str) -> bool:
        """Tell whether it is what `target_session_attrs` wants."""
        match target:
            case "read-write":
                return not self.is_read_only
            case "read-only":
                return self.is_read_only
            case "primary":
                return not self.is_standby
            case "standby":
                return self.is_standby
            case _:
                return True


class _WrongServerError(OSError):
    """A server that answers, and is not the one that `target_session_attrs` wants."""


class Connector:
    """Opens connections to the first host of the URL that answers and fits, beginning with the one that did last."""

    def __init__(self, url: ServerUrl, limits: DatabaseLimits) -> None:
        tls_of(url)  # so that bad certificates are found at the start
        self._url = url
        self._limits = limits
        self._first = 0
        self._finding = asyncio.Lock()
        # Whether connections change their server after each transaction; None until it is found out.
        self.is_pooled = None if limits.pooler is None else limits.pooler is Pooler.TRANSACTION

    @property
    def begin(self) -> str:
        """The statement that begins a transaction, on whatever server it will run."""
        if self.is_pooled:
            level = "" if self._is_given(_ISOLATION) else " ISOLATION LEVEL READ COMMITTED"
            return f"BEGIN{level}; SET LOCAL statement_timeout = {self._statement_timeout}"
        return "BEGIN"

    def _is_given(self, setting: str) -> bool:
        """Tell whether the URL's own `options` say it; what they say stays."""
        return setting in (self._url.options or "")

    @property
    def _statement_timeout(self) -> int:
        return round(self._limits.seconds * 1000)

    async def connect(self) -> asyncpg.Connection:
        """Return a connection that is ready for statements.

        Raises what asyncpg raises, `OSError` or `TimeoutError`. Each host has `connect_timeout` to answer, or its share
        of our own limit.
        """
        if self.is_pooled is None:
            await self._find_pooler()
        connection = await self._connect_to_any()
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def connect_for_migration(self, *_: object, **__: object) -> asyncpg.Connection:
        """Return a connection in a transaction that may take as long as it needs."""
        connection = await self._connect_to_any()
        try:
            await connection.execute("BEGIN; SET LOCAL statement_timeout = 0")
            await check_encoding(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def forget_server(self) -> None:
        """Begin with the first host again: the last one is no primary any more."""
        self._first = 0

    async def _find_pooler(self) -> None:
        """Compare the process that the connection was made to with the one that answers on it."""
        async with self._finding:
            if self.is_pooled is not None:
                return
            connection = await self._connect_to_any()
            try:
                async with asyncio.timeout(self._limits.seconds):
                    server = await _ask(connection)
                    self.is_pooled = server.pid != connection.get_server_pid()
                    await connection.close()
            finally:
                connection.terminate()

    async def _connect_to_any(self) -> asyncpg.Connection:
        first_refusal: asyncpg.PostgresError | None = None
        error: Exception | None = None
        for target in ("standby", "any") if self._url.target == "prefer-standby" else (self._url.target,):
            for at in self._order():
                try:
                    connection = await self._connect_to(self._url.hosts[at], target)
                except asyncpg.PostgresError as refusal:
                    error = first_refusal = first_refusal or refusal
                except (OSError, ValueError, asyncpg.InterfaceError) as failure:
                    error = failure
                else:
                    self._first = at
                    return connection
        raise first_refusal or error or OSError("no host")

    def _order(self) -> Iterator[int]:
        hosts = range(len(self._url.hosts))
        return iter([*hosts[self._first :], *hosts[: self._first]])

    async def _connect_to(self, host: Host, target: str) -> asyncpg.Connection:
        seconds = self._url.connect_seconds or max(1.0, self._limits.seconds / len(self._url.hosts))
        async with asyncio.timeout(seconds):
            connection: asyncpg.Connection = await asyncpg.connect(**self._arguments(host))
            try:
                _keep_alive(connection, self._limits.seconds)
                if target != "any" and not (await _ask(connection)).fits(target):
                    raise _WrongServerError(f"no host is {target} (target_session_attrs)")
            except BaseException:
                connection.terminate()
                raise
        return connection

    def _arguments(self, host: Host) -> dict[str, Any]:
        url = self._url
        settings = {"application_name": url.application_name}
        if url.options is not None:
            settings["options"] = url.options
        return {
            "dsn": tls_dsn(url),
            "host": host.name,
            "port": host.port,
            "user": url.user,
            "password": url.password,
            "database": url.database,
            "ssl": tls_of(url),
            "direct_tls": url.tls_at_once,
            "server_settings": settings,
            "target_session_attrs": "any",
            "timeout": None,
            # A pooler's servers are shared: what one client prepares by name, another finds there.
            "statement_cache_size": _KEPT_STATEMENTS if self.is_pooled is False else 0,
        }

    async def _prepare(self, connection: asyncpg.Connection) -> None:
        if self.is_pooled:
            await connection.execute("BEGIN")
            await _read_json(connection)
            await connection.execute("COMMIT")
            return
        settings = {
            "statement_timeout": self._statement_timeout,
            "idle_in_transaction_session_timeout": _ABANDONED_SECONDS * 1000,
            _ISOLATION: "'read committed'",
        }
        ours = (f"SET {name} = {value}" for name, value in settings.items() if not self._is_given(name))
        await connection.execute("; ".join(ours))
        await _read_json(connection)


async def check_encoding(connection: asyncpg.Connection) -> None:
    """Raise unless the database is in UTF-8, which every name of a person can be written in."""
    encoding = await connection.fetchval("SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise UnusableDatabaseError(f"is in {encoding}: make it with ENCODING 'UTF8'")


async def _ask(connection: asyncpg.Connection) -> _Server:
    # In a transaction, because a pooler may hand each round trip outside of one to another server.
    await connection.execute("BEGIN")
    (row,) = await connection.fetch(_WHO)
    server = _Server(*row)
    await connection.execute("COMMIT")
    return server


async def _read_json(connection: asyncpg.Connection) -> None:
    """Decode JSONB columns; asyncpg alone returns them as text."""
    await connection.set_type_codec("jsonb", encoder=str, decoder=orjson.loads, schema="pg_catalog")


def _keep_alive(connection: asyncpg.Connection, seconds: float) -> None:
    """Let the kernel find out that the other side is gone, with or without data on its way."""
    # asyncpg has no public way to the socket.
    found: socket.socket = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001
    if found.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", _KEEPALIVE_IDLE),
        ("TCP_KEEPINTVL", _KEEPALIVE_INTERVAL),
        ("TCP_KEEPCNT", _KEEPALIVE_COUNT),
        ("TCP_USER_TIMEOUT", round(seconds * 1000)),
    ):
        if hasattr(socket, option):  # not every system has each of them
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
