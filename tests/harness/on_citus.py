"""Which tests run on a cluster with Citus besides; all could (tests/README.md)."""

from __future__ import annotations

ON_CITUS = frozenset(
    {
        "tests/services/worker/test_erasure.py::TestErasure::test_leaves_everybody_else_alone",
        "tests/services/worker/test_erasure.py::TestErasure::test_is_preceded_by_an_export_of_all_of_it",
        "tests/services/worker/test_erasure.py::TestErasure::test_frees_address_and_social_account",
        "tests/services/worker/test_erasure.py::TestAnonymizeDue::test_does_it_once",
        "tests/services/worker/test_purge.py::TestPurgeExpired::test_removes_everything_in_the_end",
        "tests/services/worker/test_purge.py::TestPurgeExpired::test_never_removes_what_waits_in_the_outbox",
        "tests/services/staff/test_imports.py::TestImportFile::test_keeps_everything_that_a_line_tells",
        "tests/services/staff/test_imports.py::TestImportFile::test_lets_staff_find_the_customer_at_once",
        "tests/repositories/test_audit.py::TestAuditEvent::test_cannot_be_deleted",
        "tests/repositories/test_isolation.py::TestOutboxQueue::test_claims_for_one_tenants_endpoint_only",
        "tests/repositories/test_outbox.py::TestClaim::test_gives_each_message_to_one_of_sixteen_at_once",
        "tests/repositories/test_customer_word_search.py::TestFill::test_gives_words_to_whom_the_last_release_wrote",
        "tests/test_races.py::TestRefresh::test_ends_the_session_once_when_sixteen_have_an_old_token",
        "tests/test_races.py::TestConfirmSignup::test_finishes_the_sign_up_once_of_sixteen_sessions",
        "tests/test_races.py::TestConfirmSignup::test_of_two_sign_ups_for_one_address_one_wins",
    }
)

# What a cluster cannot show, by the beginning of its id, and why.
NOT_ON_CITUS = {
    "tests/repositories/test_customer_search.py::TestPage::test_reads_": "EXPLAIN shows the plan of another server.",
    "tests/repositories/test_named_tenants.py::TestWatching::": "It plants statements that a cluster refuses.",
}


def why_not_on_citus(test: str) -> str | None:
    """Return why a test cannot run with `--database citus`, or None."""
    return next((reason for prefix, reason in NOT_ON_CITUS.items() if test.startswith(prefix)), None)


def is_on_citus(test: str) -> bool:
    """Tell whether a test, by its pytest id without parameters, is one of them."""
    return test in ON_CITUS
