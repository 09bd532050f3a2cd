"""How long the waits grow for whoever goes on failing, and which network an address is counted with."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Network, ip_network

_SHORTEST_SECONDS = 60
_SITE_PREFIX = 48


def growing_delays(longest: int) -> tuple[int, ...]:
    """Return waiting times in seconds that start at a minute and double up to the longest one."""
    delays: list[int] = []
    delay = _SHORTEST_SECONDS
    while delay < longest:
        delays.append(delay)
        delay *= 2
    return (*delays, longest)


@lru_cache(maxsize=4096)
def wider_network(ip: str) -> str | None:
    """Return the /48 that an IPv6 /64 is in: what one subscriber may have; None for an IPv4 address, which is one."""
    try:
        network = ip_network(ip, strict=False)
    except ValueError:
        return None
    return str(network.supernet(new_prefix=_SITE_PREFIX)) if isinstance(network, IPv6Network) else None
