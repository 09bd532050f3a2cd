"""The two kinds of faults that a database has: what passes by itself, and what an operator must put right."""

from __future__ import annotations

from app.domain.errors import BusyError, BusyOutcome, ConflictError

# Seconds after which a caller may try again.
RETRY_AFTER = 1


class UnusableDatabaseError(OSError):
    """A database that we cannot work with; its text goes on after "DATABASE_URL names a database that …"."""


class StandbyUrlError(ValueError):
    """Certificates of DATABASE_READ_URL that cannot be used; its text goes on after the name of the variable."""


def busy(message: str = "The database does not answer.", outcome: BusyOutcome = BusyOutcome.NOT_DONE) -> BusyError:
    """Return the error for callers, who may try again."""
    return BusyError(f"{message} Try again soon.", retry_after=RETRY_AFTER, outcome=outcome)


def conflict() -> ConflictError:
    """Return the error for a transaction that another one was in the way of."""
    return ConflictError("Others change the same at this moment. Try again soon.", retry_after=RETRY_AFTER)
