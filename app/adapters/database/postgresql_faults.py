"""Which errors of PostgreSQL pass by themselves (SERVICE_BUSY), and what its faults are called at the start."""

from __future__ import annotations

import asyncpg

from app.adapters.database.faults import UnusableDatabaseError

# What a connection raises when it is gone: closed by the server, by the network, or by us when its time was up.
LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError, asyncpg.InternalClientError)

# Classes and single codes of PostgreSQL's errors (its documentation, appendix A) that are no fault of the statement:
# connections (08), resources such as a full disk (53), an operator or a fail-over (57), the system (58), a password
# that was just changed (28), a database that is just restored (3D000), a standby (25006), time limits, deadlocks, and
# statements that a pooler has forgotten.
_PASSING_CLASSES = frozenset({"08", "28", "53", "57", "58"})
_PASSING = frozenset({"3D000", "25006", "25P03", "25P04", "40001", "40P01", "55P03", "26000", "42P05"})
# A serialization failure and a deadlock: the transaction can succeed when it is run again.
_CONFLICTS = frozenset({"40001", "40P01"})
# After these the server has closed the connection, or will not do what we need on it.
_FATAL_CLASSES = frozenset({"08", "28", "57"})
_FATAL = frozenset({"25006", "25P03", "25P04", "26000", "42P05"})


def passes(error: BaseException) -> bool:
    """Tell whether the error is one of the surroundings, which ends without us."""
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, asyncpg.PostgresConnectionError):
        code = error.sqlstate or ""
        return code[:2] in _PASSING_CLASSES or code in _PASSING
    return isinstance(error, (*LOST, OSError, TimeoutError))


def is_conflict(error: BaseException) -> bool:
    """Tell whether the server has ended the transaction because of another one."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _CONFLICTS


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection went away, so that nobody knows what became of the statement."""
    code = getattr(error, "sqlstate", None) or ""
    return isinstance(error, (*LOST, OSError)) or (code.startswith("57P") and code != "57P04")


def is_fatal(error: asyncpg.PostgresError) -> bool:
    """Tell whether the connection is of no use after an answer of the server. A single cancelled statement is not."""
    code = error.sqlstate or ""
    return code != "57014" and (code[:2] in _FATAL_CLASSES or code in _FATAL)


def describe(error: BaseException) -> str:
    """Return in a few words what is wrong, for an operator: no value, no password."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = " ".join(str(error).split())
    return text or type(error).__name__


def is_refusal(error: UnusableDatabaseError) -> bool:
    """Tell whether a server has answered, and will not do: that does not pass by itself."""
    cause = error.__cause__
    return cause is None or (
        isinstance(cause, asyncpg.PostgresError)
        and not isinstance(cause, asyncpg.PostgresConnectionError | asyncpg.OperatorInterventionError)
    )


def unusable(error: BaseException) -> UnusableDatabaseError:
    """Return the error that tells an operator what is wrong at the start."""
    if isinstance(error, UnusableDatabaseError):
        return error
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return UnusableDatabaseError(f"does not let its user create tables: {describe(error)}")
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, asyncpg.PostgresConnectionError):
        return UnusableDatabaseError(f"refuses us: {describe(error)}")
    return UnusableDatabaseError(f"does not answer: {describe(error)}")
