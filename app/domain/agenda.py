"""What the worker has to do: which kinds of work are due, and when it is time to look again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique


@unique
class Work(StrEnum):
    """What waits to be done, beside the kinds of the outbox: what goes to endpoints, and anonymizations."""

    ENDPOINTS = "endpoints"
    ANONYMIZATIONS = "anonymizations"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Agenda:
    """The kinds of work that are due, those of the outbox as `OutboxKind`, and when it is time to look again."""

    due: frozenset[str]
    next_at: datetime | None
