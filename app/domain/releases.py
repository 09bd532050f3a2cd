"""Which release of the gateway this is, and which one it may serve beside while hosts are upgraded one by one."""

from __future__ import annotations

RELEASE = "1.1"
RELEASE_BEFORE = "1.0"
# From this one on, an anonymous session may be a visit (`app.models.visits`), of which those before know nothing.
KNOWS_VISITS = "1.1"


def is_served_by(lowest: str | None) -> bool:
    """Tell whether this release may serve on tables that want at least that one; None: any."""
    return lowest is None or order_of(lowest) <= order_of(RELEASE)


def is_at_least(lowest: str | None, release: str) -> bool:
    """Tell whether tables with this mark are served by that release and later ones alone."""
    return lowest is not None and order_of(lowest) >= order_of(release)


def order_of(release: str) -> tuple[int, ...]:
    """Return what puts releases in their order: `1.10` comes after `1.9`."""
    return tuple(int(part) for part in release.split("."))
