"""Finds out where a request comes from, believing only the proxies that are ours.

Not by uvicorn's ProxyHeadersMiddleware: it takes a hop that is no address for the client, so that whoever writes the
header has as many addresses, and as many limits, as they like; and it knows no header but `X-Forwarded-For`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from app.http.forwarded import forwarded_hops

UNKNOWN = "unknown"

_log = logging.getLogger(__name__)

# RFC 7239 section 6.
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<v4>[0-9.]+))(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?", re.ASCII)
# How CloudFront-Viewer-Address writes IPv6. A port of at most four digits can be a part of the address as well, which
# changes nothing of the /64.
_WITH_PORT_AND_NO_BRACKETS = re.compile(r"(?P<v6>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*):[0-9]{1,5}", re.ASCII)

FORWARDED_FOR = b"x-forwarded-for"
FORWARDED = b"forwarded"


class ClientAddresses:
    """Reads client addresses behind proxies in these networks (CIDR); raises `ValueError` for a wrong network.

    `header` is the one that our proxies write, if it is neither `X-Forwarded-For` nor `Forwarded`.
    """

    def __init__(self, trusted_proxies: Iterable[str], header: str | None = None) -> None:
        self._trusted = tuple(ip_network(network.strip()) for network in trusted_proxies)
        self._names = (header.lower().encode(),) if header is not None else (FORWARDED_FOR, FORWARDED)
        self._has_complained = False

    def find(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Return the canonical address of the client: the rightmost hop that is not one of our proxies.

        `headers` are those of the request in their order. The search ends at a hop that is not an address, because
        everything to its left may be forged; then the proxy counts that has sent it.
        """
        if peer is None:
            return UNKNOWN
        if not self._trusted or not self.is_ours(peer):
            return canonical_address(peer)
        return canonical_address(self._last_not_ours(peer, list(headers)))

    def is_ours(self, text: str) -> bool:
        """Whether an address is one of our proxies."""
        address = _read(text)
        return address is not None and any(
            address in network for network in self._trusted if network.version == address.version
        )

    def _last_not_ours(self, peer: str, headers: Sequence[tuple[bytes, bytes]]) -> str:
        client = peer
        name, hops = self._hops(headers)
        for hop in hops:
            address = without_port(hop)
            if address is None:
                self._complain(name)
                break
            client = address
            if not self.is_ours(address):
                break
        return client

    def _hops(self, headers: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, list[str]]:
        """Return the hops of the first of our headers that has any, the last proxy's first."""
        for name in self._names:
            values = [value.decode("latin-1") for key, value in headers if key == name]
            hops = list(forwarded_hops(values) if name == FORWARDED else _listed_hops(values))
            if hops:
                return name, hops
        return b"", []

    def _complain(self, name: bytes) -> None:
        """Write one line for a process, without the value, which is somebody's or a stranger's."""
        if not self._has_complained:
            self._has_complained = True
            _log.warning(
                "%s has a hop that is no IP address, so the proxy before it counts as the client", _shown(name)
            )


def _shown(name: bytes) -> str:
    return name.decode("latin-1").title()


def _listed_hops(values: Sequence[str]) -> Iterator[str]:
    """Yield the hops of a header with commas from the right, without the empty ones (RFC 9110 section 5.6.1)."""
    for value in reversed(values):
        yield from (hop for hop in map(str.strip, reversed(value.split(","))) if hop)


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
    """Return the address of a hop as proxies write it: `ip`, `ip:port`, `[v6]`, `[v6]:port`, `v6:port`.

    None for what is none. It is canonical, as `canonical_address` returns it, and without the port.
    """
    address = without_port(text)
    return canonical_address(address) if address is not None else None


def without_port(text: str) -> str | None:
    """Return the address of a hop as it is written, without the port; None for what is none."""
    match = _WITH_PORT.fullmatch(text)
    address: str = (match["v6"] or match["v4"]) if match else text
    if _read(address) is None and (bare := _WITH_PORT_AND_NO_BRACKETS.fullmatch(text)) is not None:
        address = bare["v6"]
    return address if _read(address) is not None else None


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
