"""Looks at each distinct statement of a process once, when it is sent, and keeps those that name no tenant.

Only the repositories' statements count; a test may ask for what it likes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import app.repositories
from app.adapters.database.postgresql import PostgresqlConnection
from app.adapters.database.sqlite import SqliteConnection
from app.domain.rows import Reading
from tests.harness.named_tenants import faults_of

# What reads the rows of all tenants, and locks none: whatever is found is then locked, changed and deleted tenant by
# tenant, with the tenant named.
READ_ALL_TENANTS = {
    "Lookup._list_in_all": "a token from before tokens had hints, until it expires",
    "AgendaQueue.look": "due work: which kinds are due, and when the next will be",
    "OutboxQueue.endpoints_due": "due work: which endpoints want a lane",
    "OutboxQueue.endpoints_to_probe": "due work: which failing endpoints may be tried",
    "OutboxQueue.has_due": "due work: whether there is any",
    "OutboxQueue._list_due": "due work: whose messages are next",
    "OutboxQueue._list_tenants_to_revive": "an operator's command about all that failed",
    "OutboxQueue.count": "an operator's command: how much waits",
    "OutboxQueue.list_dead": "an operator's command: what was given up",
    "OutboxQueue.list_waiting": "an operator's command: what waits",
    "OutboxQueue.backlog": "a metric: since when the oldest message waits",
    "AnonymizationQueue.list_tenants_due": "due work: which tenants have requests",
    "AnonymizationQueue.list_due": "due work: the requests of these tenants",
    "UnprovenQueue.list_tenants": "due work: which tenants have accounts that were never proved",
    "PastRows.list": "due work: which rows are past their time",
    "PastRows.next_tenant": "due work: whose turn it is",
    "VisitQueue.find_oldest_after": "due work: which tenant is next to have visits, and since when",
    "UnsearchedQueue._list_keys": "due work: who has no words for the search yet",
}

_REPOSITORIES = str(Path(app.repositories.__file__).parent)
_SENDERS = ("read", "read_anew", "write", "write_soon", "write_anew")

# Of each distinct statement what is wrong with it, so that each is looked at once.
_known: dict[Any, list[str]] = {}
_unnamed: list[str] = []


@contextmanager
def watching() -> Iterator[None]:
    """Look at every statement that this process sends meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in (SqliteConnection, PostgresqlConnection):
            for sender in _SENDERS:
                patch.setattr(kind, sender, _watched(getattr(kind, sender)))
        yield


def take_unnamed() -> list[str]:
    """Return the statements since the last call that name no tenant and may not do without, each with what is wrong."""
    taken = _unnamed[:]
    _unnamed.clear()
    return taken


def _watched(send: Callable[..., Any]) -> Callable[..., Any]:
    is_new = send.__name__.endswith("_anew")

    def watched(connection: Any, asked: Any, *parameters: Any) -> Any:
        # A constant that names its tenant, as nearly all do, costs no more than this.
        statement = asked.statement if isinstance(asked, Reading) else asked
        if is_new or _known.get(statement) != []:
            _look(statement, is_new=is_new)
        return send(connection, asked, *parameters)

    return watched


def _look(statement: Any, *, is_new: bool) -> None:
    key = statement
    if is_new:
        # None where it cannot be kept, as a list of rows.
        form = statement._generate_cache_key()
        key = form.key if form is not None else None
    faults = _known.get(key) if key is not None else None
    if faults is None:
        faults = faults_of(statement)
        if key is not None:
            _known[key] = faults
    if faults:
        senders = _senders(sys._getframe(2))
        if senders and not _may(statement, senders):
            told = f"{senders[-1]}: {', '.join(faults)}\n{statement}"
            # One verb may send by another.
            _unnamed.extend([told] if told not in _unnamed else [])


def _senders(frame: FrameType | None) -> list[str]:
    """Return the functions of the repositories that wait for the statement, the innermost first."""
    names: list[str] = []
    while frame is not None:
        if frame.f_code.co_filename.startswith(_REPOSITORIES):
            names.append(frame.f_code.co_qualname)
        elif names:
            break
        frame = frame.f_back
    return names


def _may(statement: Any, senders: list[str]) -> bool:
    locks = getattr(statement, "_for_update_arg", None) is not None
    return not statement.is_dml and not locks and not READ_ALL_TENANTS.keys().isdisjoint(senders)
