"""Opens Redis as REDIS_URL says: a pool for a server, a socket or Sentinels, or the client of a cluster."""

from __future__ import annotations

from typing import Any

from redis.asyncio import (
    BlockingConnectionPool,
    ConnectionPool,
    Redis,
    RedisCluster,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from app.domain.redis_url import RedisKind, RedisUrl

_CONNECTIONS = 32
# Where callers cannot wait for one: as many as there will ever be calls at once.
_MANY_CONNECTIONS = 1_000


def open_redis(url: RedisUrl, seconds: float) -> Redis | RedisCluster:
    """Return a client that connects when it is first used; `seconds` is what each step may take.

    With TLS it trusts the authorities of the system, or those of the file that SSL_CERT_FILE names.
    """
    limits: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds}
    ours: dict[str, Any] = {"username": url.username, "password": url.password}
    if url.kind is RedisKind.CLUSTER:
        nodes = [ClusterNode(host, port) for host, port in url.hosts]
        return RedisCluster(
            startup_nodes=nodes, ssl=url.tls, max_connections=_MANY_CONNECTIONS, retry=_once_more(), **limits, **ours
        )
    return Redis.from_pool(_pool(url, seconds, {**limits, **ours, "db": url.database}))


async def close_redis(client: Redis | RedisCluster) -> None:
    """Close the connections, those to Sentinels too."""
    await client.aclose()
    pool = None if isinstance(client, RedisCluster) else client.connection_pool
    if isinstance(pool, SentinelConnectionPool):
        for sentinel in pool.sentinel_manager.sentinels:
            await sentinel.aclose()


def _pool(url: RedisUrl, seconds: float, options: dict[str, Any]) -> ConnectionPool:
    if url.kind is RedisKind.SENTINEL:
        # One that is away is not asked again, as the library does for seconds: there are others.
        named = {
            **{name: options[name] for name in ("socket_timeout", "socket_connect_timeout")},
            "retry": Retry(NoBackoff(), 0),
        }
        sentinel = Sentinel(  # type: ignore[no-untyped-call]  # of the library
            list(url.hosts), sentinel_kwargs={**named, "ssl": url.tls}, ssl=url.tls, **options
        )
        master: Redis = sentinel.master_for(url.service, max_connections=_MANY_CONNECTIONS, retry=_once_more())
        return master.connection_pool
    if url.kind is RedisKind.SOCKET:
        where: dict[str, Any] = {"connection_class": UnixDomainSocketConnection, "path": url.path}
    else:
        ((host, port),) = url.hosts
        where = {"host": host, "port": port, **({"connection_class": SSLConnection} if url.tls else {})}
    return BlockingConnectionPool(max_connections=_CONNECTIONS, timeout=seconds, retry=_once_more(), **where, **options)


def _once_more() -> Retry:
    """Return the rule for one more try, for a connection that the server closed while it was idle."""
    return Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
