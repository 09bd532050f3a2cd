"""Looks up the hosts that others have named, and lets us connect to public addresses only."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

from app.domain.web_addresses import is_loopback, is_public

# Returns the IP addresses of a host name or of an address in any spelling; raises `OSError` when there are none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class UnsafeHostError(OSError):
    """The host is none that we may call on somebody's word."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


async def safe_addresses(host: str, port: int, *, loopback: bool, resolve: Resolve = resolve) -> Sequence[str]:
    """Return the addresses of a host; the caller connects to one of these, for a second look-up may say another thing.

    `loopback` lets loopback addresses pass for a host that says itself that it is this machine. Raises
    `UnsafeHostError` when a single one of the addresses is not public, and `OSError` when there are none.
    """
    addresses = await resolve(host, port)
    passes = is_loopback if loopback and is_loopback(host) else is_public
    if not addresses or not all(map(passes, addresses)):
        raise UnsafeHostError(f"'{host}' has an address that is not public.")
    return addresses
