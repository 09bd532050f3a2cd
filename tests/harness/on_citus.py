"""Which tests run on a cluster with Citus besides; all could (tests/README.md)."""

from __future__ import annotations

ON_CITUS = frozenset(
    {
        "tests/services/worker/test_purge.py::TestPurgeExpired::test_never_removes_what_waits_in_the_outbox",
    }
)


def is_on_citus(test: str) -> bool:
    """Tell whether a test, by its pytest id without parameters, is one of them."""
    return test in ON_CITUS
