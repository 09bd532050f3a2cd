"""Finds out where a request comes from, believing only the proxies that are ours.

Not by uvicorn's ProxyHeadersMiddleware: it takes a hop that is no address for the client, so that whoever writes the
header has as many addresses, and as many limits, as they like; and it knows no header but `X-Forwarded-For`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

UNKNOWN = "unknown"

# RFC 7239 section 6; IPv6 without brackets has no port.
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<v4>[0-9.]+))(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?", re.ASCII)

Network = IPv4Network | IPv6Network


class ClientAddresses:
    """Reads client addresses behind proxies in these networks (CIDR); raises `ValueError` for a wrong network."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._trusted = tuple(ip_network(network.strip()) for network in trusted_proxies)

    def find(self, peer: str | None, forwarded_for: Iterable[bytes]) -> str:
        """Return the canonical address of the client: the rightmost hop that is not one of our proxies.

        `forwarded_for` has the values of the `X-Forwarded-For` headers in their order. The search ends at a hop that is
        not an address, because everything to its left may be forged.
        """
        if peer is None:
            return UNKNOWN
        if not self._trusted or not self._is_trusted(peer):
            return canonical_address(peer)
        client = peer
        hops = b",".join(forwarded_for).decode("latin-1").split(",")
        for hop in map(str.strip, reversed(hops)):
            if _read(hop) is None:
                break
            client = hop
            if not self._is_trusted(hop):
                break
        return canonical_address(client)

    def _is_trusted(self, text: str) -> bool:
        address = _read(text)
        return address is not None and any(
            address in network for network in self._trusted if network.version == address.version
        )


@lru_cache(maxsize=4096)
def canonical_address(text: str) -> str:
    """Return an IPv4 address as it is, an IPv6 one as its /64 (what one household gets), anything else as unknown."""
    address = _read(text)
    if address is None:
        return UNKNOWN
    if isinstance(address, IPv4Address):
        return str(address)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


def read_hop(text: str) -> str | None:
    """Return the address of a hop as proxies write it: `ip`, `ip:port`, `[v6]`, `[v6]:port`; None for what is none.

    It is canonical, as `canonical_address` returns it, and without the port.
    """
    match = _WITH_PORT.fullmatch(text)
    address = canonical_address(match["v6"] or match["v4"]) if match else canonical_address(text)
    return None if address == UNKNOWN else address


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
