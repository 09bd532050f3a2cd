"""Looks up hosts that other people have named, and allows connections only to public addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

from app.domain.web_addresses import is_loopback, is_public

# Returns the IP addresses of a host name or of an address in any spelling; raises `OSError` when there are none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class UnsafeHostError(OSError):
    """We may not call this host."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


async def safe_addresses(host: str, port: int, *, loopback: bool, resolve: Resolve = resolve) -> Sequence[str]:
    """Return the addresses of a host. Connect to one of these, because a second look-up may return others.

    `loopback` allows loopback addresses if the name of the host itself means this machine. Raises `UnsafeHostError` if
    any of the addresses is not public, and `OSError` if there are none.
    """
    addresses = await resolve(host, port)
    passes = is_loopback if loopback and is_loopback(host) else is_public
    if not addresses or not all(map(passes, addresses)):
        raise UnsafeHostError(f"'{host}' has an address that is not public.")
    return addresses
