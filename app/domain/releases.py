"""Which release of the gateway this is, and which one it may serve beside while hosts are upgraded one by one."""

from __future__ import annotations

RELEASE = "1.1"
RELEASE_BEFORE = "1.0"


def is_served_by(lowest: str | None) -> bool:
    """Tell whether this release may serve on tables that want at least that one; None: any."""
    return lowest is None or order_of(lowest) <= order_of(RELEASE)


def order_of(release: str) -> tuple[int, ...]:
    """Return what puts releases in their order: `1.10` comes after `1.9`."""
    return tuple(int(part) for part in release.split("."))
