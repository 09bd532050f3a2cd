"""What was asked for and what was answered: each call of a run, with when it began and ended and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum, unique
from functools import cached_property
from math import inf
from pathlib import Path

import orjson


@unique
class Outcome(StrEnum):
    """What the client knows after a call."""

    OK = "ok"
    REFUSED = "refused"
    NOT_DONE = "not done"
    """SERVICE_BUSY that says so, or nobody listened."""
    UNKNOWN = "unknown"
    """SERVICE_BUSY that says so."""
    LOST = "lost"
    """No answer: cut off, given up, or the server is dead."""


UNCERTAIN = (Outcome.UNKNOWN, Outcome.LOST)


@dataclass(frozen=True, slots=True)
class View:
    """What a customer saw of the own account: the first name, address labels with what is default, names of lists."""

    first_name: str | None
    addresses: Sequence[tuple[str, bool]] = ()
    lists: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. Times are seconds of one clock.

    `label` names what the client wanted: repetitions have the same. `value` is what was to be written. `token` is the
    one that was presented, `ends` are the tokens that cannot be used any more once it has happened. `is_keyed`: it
    happens at most once, however often it is sent.
    """

    operation: str
    started: float
    ended: float
    outcome: Outcome = Outcome.OK
    code: str = ""
    account: str = ""
    process: int = 0
    label: str = ""
    value: str = ""
    token: str = ""
    ends: Sequence[str] = ()
    is_keyed: bool = False
    is_honest_busy: bool = True
    """Whether a SERVICE_BUSY said when to come again, and what has become of the call."""
    seen: View | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What a client wanted once, with all its tries."""

    calls: Sequence[Call]

    @property
    def first(self) -> Call:
        """The first try."""
        return self.calls[0]

    @property
    def is_acknowledged(self) -> bool:
        """Whether the client was told that it is done."""
        return any(call.outcome is Outcome.OK for call in self.calls)

    @property
    def doubtful(self) -> int:
        """How many tries may have happened without an answer."""
        return sum(call.outcome in UNCERTAIN for call in self.calls)

    @property
    def may_have_happened(self) -> bool:
        """Whether there is any try that was not refused."""
        return self.is_acknowledged or self.doubtful > 0

    @property
    def started(self) -> float:
        """When it can have happened at the earliest."""
        return min(call.started for call in self.calls)

    @property
    def done(self) -> float:
        """When it had happened for certain; never, if nobody was told."""
        return min((call.ended for call in self.calls if call.outcome is Outcome.OK), default=inf)

    @property
    def over(self) -> float:
        """When it cannot happen any more, not even late: a try without an answer may wait in a process that stands."""
        late = any(call.outcome in UNCERTAIN for call in self.calls)
        return inf if late and not self.first.is_keyed else self.done

    @property
    def most(self) -> int:
        """How often it can have happened."""
        acknowledged = sum(call.outcome is Outcome.OK for call in self.calls)
        return min(1, acknowledged + self.doubtful) if self.first.is_keyed else acknowledged + self.doubtful


@dataclass(frozen=True, slots=True)
class Fault:
    """What was done to the system; `process` is None if it met all. `recovered` is when everybody was ready again."""

    kind: str
    process: int | None
    started: float
    ended: float
    recovered: float = 0.0


@dataclass
class History:
    """All calls and faults of a run."""

    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    stalls: list[tuple[float, float]] = field(default_factory=list)
    """When those who ask did not get on themselves, because the machine had other things to do."""

    def seconds(self, started: float, ended: float) -> float:
        """Return how long something took, without the time in which nobody would have heard the answer."""
        lost = (min(ended, until) - max(started, since) for since, until in self.stalls)
        return ended - started - sum(each for each in lost if each > 0)

    def of(self, *operations: str) -> list[Call]:
        """Return the calls of these operations."""
        return [call for call in self.calls if call.operation in operations]

    @cached_property
    def acts(self) -> Mapping[str, Mapping[str, Sequence[Act]]]:
        """All acts by account and operation; read it when the run is over."""
        tries: dict[tuple[str, str, str], list[Call]] = defaultdict(list)
        for number, call in enumerate(self.calls):
            tries[call.account, call.operation, call.label or f"#{number}"].append(call)
        found: dict[str, dict[str, list[Act]]] = defaultdict(lambda: defaultdict(list))
        for (account, operation, _), calls in tries.items():
            found[account][operation].append(Act(calls))
        return found

    def acts_of(self, account: str, *operations: str) -> list[Act]:
        """Return what was wanted for one account."""
        return [act for operation in operations for act in self.acts.get(account, {}).get(operation, ())]

    @property
    def accounts(self) -> list[str]:
        """The accounts, by their e-mail addresses, in the order of their first call."""
        return list(dict.fromkeys(call.account for call in self.calls if call.account))

    def write(self, file: Path) -> None:
        """Keep it as JSON lines, to be looked at."""
        file.write_bytes(b"".join(_lines([*self.calls, *self.faults])))


def _lines(entries: Iterable[Call | Fault]) -> Iterable[bytes]:
    for entry in sorted(entries, key=lambda each: each.started):
        yield orjson.dumps(asdict(entry), option=orjson.OPT_APPEND_NEWLINE)
