"""Reads REDIS_URL: a server, one on a socket, the one that Sentinels name, or a cluster; with TLS or a user."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum, unique
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_PORT = 6379
_SENTINEL_PORT = 26379
_SERVERS = ("redis", "valkey")
_EXAMPLE = "redis://host:6379/0, or rediss:// with TLS"


@unique
class RedisKind(StrEnum):
    """How the server is found."""

    SERVER = "server"
    SOCKET = "unix"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """Where Redis is: `hosts` are servers, Sentinels or nodes, and `service` is what Sentinels call it."""

    kind: RedisKind
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    service: str = ""
    database: int = 0
    tls: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


def read_redis_url(text: str) -> RedisUrl:
    """Return what the URL says; raises `ValueError` with what to write instead, and without a part of the URL."""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise ValueError(f"is not a URL: write {_EXAMPLE}") from error
    if parts.scheme == "unix":
        return _read_socket(parts)
    server, _, kind = parts.scheme.partition("+")
    tls = server.endswith("s") and server[:-1] in _SERVERS
    if (server[:-1] if tls else server) not in _SERVERS or kind not in {"", "sentinel", "cluster"}:
        raise ValueError(f"must be {_EXAMPLE}; unix://, …+sentinel:// and …+cluster:// are known too")
    if parts.fragment:
        raise ValueError("must have nothing after '#'")
    way = RedisKind(kind or "server")
    hosts = _read_hosts(parts, _SENTINEL_PORT if way is RedisKind.SENTINEL else _PORT)
    if way is RedisKind.SERVER and len(hosts) > 1:
        raise ValueError("must name one host; more are for +sentinel and +cluster")
    service, database = _read_path(parts, way)
    username, password = _read_user(parts)
    return RedisUrl(way, hosts, "", service, database, tls, username, password)


def _read_socket(parts: SplitResult) -> RedisUrl:
    if parts.hostname or not parts.path.strip("/") or parts.fragment:
        raise ValueError("must be unix://user:password@/path/to/redis.sock?db=0 for a socket")
    username, password = _read_user(parts)
    database = _read_database(_read_options(parts))
    return RedisUrl(RedisKind.SOCKET, (), unquote(parts.path), "", database, False, username, password)


def _read_hosts(parts: SplitResult, usual_port: int) -> tuple[tuple[str, int], ...]:
    hosts = []
    for each in parts.netloc.rpartition("@")[2].split(","):
        try:
            one = urlsplit(f"//{each}")
            host, port = one.hostname, one.port
        except ValueError as error:
            raise ValueError(
                f"has a bad port or host: write {_EXAMPLE}; a password writes / ? # as %2F %3F %23"
            ) from error
        if not host or port == 0:
            raise ValueError(f"must name a host: write {_EXAMPLE}")
        hosts.append((host, port or usual_port))
    return tuple(hosts)


def _read_path(parts: SplitResult, kind: RedisKind) -> tuple[str, int]:
    """Return the name of the service, and the number of the database."""
    path, option = unquote(parts.path).strip("/"), _read_options(parts)
    if option and kind is not RedisKind.SERVER:
        raise ValueError("has the option 'db', and none is known here")
    if kind is RedisKind.CLUSTER:
        if path:
            raise ValueError("must have no path: a cluster has one database only")
        return "", 0
    if kind is not RedisKind.SENTINEL:
        return "", _read_database(path or option)
    service, _, database = path.partition("/")
    if not service:
        raise ValueError("must name the service of the Sentinels: redis+sentinel://host:26379/mymaster/0")
    return service, _read_database(database)


def _read_options(parts: SplitResult) -> str:
    """Return the number of the database, if it stands there."""
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name != "db" or not value.isdecimal():
            raise ValueError(f"has the option '{name}', and none is known but db, the number of the database")
    return dict(parse_qsl(parts.query)).get("db", "")


def _read_database(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must have the number of the database after the host, such as redis://host:6379/0")
    return int(text)


def _read_user(parts: SplitResult) -> tuple[str | None, str | None]:
    user, at, _ = parts.netloc.rpartition("@")
    if not at:
        return None, None
    name, _, password = user.partition(":")
    return unquote(name) or None, unquote(password) or None
