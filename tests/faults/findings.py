"""What the system holds when a run is over: rows, deliveries, logs, and a copy of everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the outbox."""

    id: str
    kind: str
    topic: str
    account: str
    fields: str = ""
    delivered: bool = True
    dead: bool = False


@dataclass(frozen=True)
class Findings:
    """What was found. `audit` counts the lines of each account by action, those that are successes."""

    outbox: Sequence[Message] = ()
    audit: Mapping[str, Counter[str]] = field(default_factory=dict)
    customers: Mapping[str, int] = field(default_factory=dict)
    """How many customers each address has."""
    received: frozenset[str] = frozenset()
    """The ids of the events that came to the receiver with a right signature."""
    forged: int = 0
    """Deliveries without one."""
    mailed: Mapping[str, str] = field(default_factory=dict)
    """The recipients of the mails that came to the mail server, by the ids of the mails."""
    erased: Mapping[str, str] = field(default_factory=dict)
    """Of each account whose erasure was asked for: the status of it."""
    dump: str = ""
    log_errors: Sequence[str] = ()
    seconds_until_served: float = 0.0
    seconds_until_delivered: float = 0.0

    def events(self, account: str) -> Counter[str]:
        """Return how many events of each topic an account has; `customer.updated` with what was changed."""
        return Counter(
            f"{each.topic} {each.fields}".strip()
            for each in self.outbox
            if each.kind == "event" and each.account == account
        )
