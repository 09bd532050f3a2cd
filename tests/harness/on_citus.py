"""Which tests run on a cluster with Citus besides; all could (tests/README.md)."""

from __future__ import annotations

ON_CITUS = frozenset(
    {
        "tests/services/worker/test_purge.py::TestPurgeExpired::test_never_removes_what_waits_in_the_outbox",
    }
)

# What a cluster cannot show, by the beginning of its id, and why.
NOT_ON_CITUS = {
    "tests/repositories/test_customer_search.py::TestPage::test_reads_": "EXPLAIN shows the plan of another server.",
}


def why_not_on_citus(test: str) -> str | None:
    """Return why a test cannot run with `--database citus`, or None."""
    return next((reason for prefix, reason in NOT_ON_CITUS.items() if test.startswith(prefix)), None)


def is_on_citus(test: str) -> bool:
    """Tell whether a test, by its pytest id without parameters, is one of them."""
    return test in ON_CITUS
