"""What a run of the benchmark says: a table to read, and a plot."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from html import escape
from statistics import median

GATEWAY, PLAIN, TUTORIAL = "gateway", "Starlette + the same SQL", "tutorial"
# A ratio of numbers that vary by more than this says nothing.
MOST_SPREAD = 0.25


@dataclass(frozen=True, slots=True)
class Round:
    """One workload of one server, once: answers per second, milliseconds, and how busy the client was (0 to 1).

    `processor_ms` is the time that all threads of the server had a processor for, of one answer.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    answers: int
    client_busy: float
    processor_ms: float = 0.0

    @classmethod
    def of(cls, seconds: list[float], duration: float, busy: float) -> Round:
        """Return the round of these answers."""
        ordered = sorted(seconds)
        return cls(
            per_second=len(ordered) / duration,
            p50_ms=ordered[len(ordered) // 2] * 1000,
            p99_ms=ordered[int(len(ordered) * 0.99)] * 1000,
            answers=len(ordered),
            client_busy=busy,
        )


def _rounds() -> dict[str, dict[str, dict[str, list[Round]]]]:
    return {name: defaultdict(lambda: defaultdict(list)) for name in ("SQLite", "PostgreSQL")}


@dataclass(frozen=True, slots=True)
class Visits:
    """The bytes of one anonymous visit with its indexes, at once and a day later; and sessions purged a second."""

    bytes_at_once: float
    bytes_after_a_day: float
    purged_per_second: float


@dataclass
class Results:
    """All that one run measured: `rounds` by database, workload and server."""

    machine: str
    rounds: dict[str, dict[str, dict[str, list[Round]]]] = field(default_factory=_rounds)
    statements: dict[str, dict[str, int]] = field(default_factory=dict)
    hashes_per_second: list[float] = field(default_factory=list)
    memory_mib: dict[str, dict[str, float]] = field(default_factory=lambda: {"SQLite": {}, "PostgreSQL": {}})
    memory_at_start_mib: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    seconds_to_first_answer: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    kept: dict[str, list[float]] = field(default_factory=dict)
    mails_per_second: dict[str, list[float]] = field(default_factory=dict)
    growth: dict[str, dict[str, float]] = field(default_factory=dict)
    visits: dict[str, Visits] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Ratio:
    """A median of ratios, round by round; `spread` is how far the rounds lie apart, as a part of the median."""

    median: float
    spread: float

    def __str__(self) -> str:
        text = f"{self.median:.2f}" if self.median < 10 else f"{self.median:.0f}"
        return f"({text} ±{self.spread:.0%})" if self.spread > MOST_SPREAD else text


def ratio(ours: list[Round], theirs: list[Round]) -> Ratio | None:
    """Return how many times as fast ours is."""
    pairs = [mine.per_second / other.per_second for mine, other in zip(ours, theirs, strict=False)]
    if not pairs:
        return None
    middle = median(pairs)
    return Ratio(middle, (max(pairs) - min(pairs)) / 2 / middle)


def table(results: Results) -> str:
    """Return the table as Markdown."""
    columns = (
        "database workload answers/s p50_ms p99_ms processor_ms spread statements of_Starlette_+_SQL times_the_tutorial"
    )
    lines = [
        f"{results.machine}; {results.seconds:.0f} s. A ratio in brackets varied by more than 25 %: do not quote it.",
        "",
        f"| {' | '.join(columns.split()).replace('_', ' ')} |",
        "|---" * len(columns.split()) + "|",
    ]
    for database, workloads in results.rounds.items():
        lines += [_row(results, database, workload, servers) for workload, servers in workloads.items()]
    return "\n".join([*lines, "", *_facts(results), ""])


def _row(results: Results, database: str, workload: str, servers: dict[str, list[Round]]) -> str:
    ours = servers[GATEWAY]
    rates = [each.per_second for each in ours]
    cells = (
        database,
        workload,
        f"{median(rates):.0f}",
        f"{median(each.p50_ms for each in ours):.1f}",
        f"{median(each.p99_ms for each in ours):.1f}",
        f"{median(each.processor_ms for each in ours):.2f}",
        f"±{(max(rates) - min(rates)) / 2 / median(rates):.0%}",
        results.statements.get(database, {}).get(workload, "") or "",
        ratio(ours, servers.get(PLAIN, [])) or "",
        ratio(ours, servers.get(TUTORIAL, [])) or "",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _facts(results: Results) -> list[str]:
    hashes = median(results.hashes_per_second)
    facts = [f"argon2 alone: {hashes:.0f} hashes/s."]
    for database, workloads in results.rounds.items():
        logins = median(each.per_second for each in workloads["login"][GATEWAY])
        memory = ", ".join(f"{name} {mib:.0f}" for name, mib in results.memory_mib[database].items())
        kept, mails = median(results.kept[database]), median(results.mails_per_second[database])
        facts.append(
            f"{database}: login at {logins / hashes:.2f} of the argon2 limit; beside 64 logins {kept:.0%} of `me` "
            f"kept; {mails:.0f} mails/s left; memory in MiB: {memory}."
        )
        if database in results.growth:
            grown = ", ".join(f"{name} {times:.2f}" for name, times in results.growth[database].items())
            facts.append(f"{database}: from 10,000 to 1,000,000 customers, times as long: {grown}.")
    starts = ", ".join(f"{name} {median(each):.2f}" for name, each in results.seconds_to_first_answer.items())
    every = [each for by in results.rounds.values() for s in by.values() for rounds in s.values() for each in rounds]
    busiest = max(each.client_busy for each in every)
    memory = ", ".join(f"{name} {median(each):.0f}" for name, each in results.memory_at_start_mib.items())
    facts.append(f"Seconds from the start to the first answer: {starts}; memory then in MiB: {memory}.")
    facts.append(f"The client was busy for {busiest:.0%} of its time at most.")
    facts += [f"Error: {line}" for line in results.errors]
    return facts


_WIDTH, _BAR, _LABELS = 900, 14, 260
_COLOURS = {GATEWAY: "#2563eb", PLAIN: "#9ca3af", TUTORIAL: "#f59e0b"}


def plot(results: Results) -> str:
    """Return bars of the answers per second of each server as SVG, each workload on a scale of its own."""
    y, parts = 40, []
    for database, workloads in results.rounds.items():
        for workload, servers in workloads.items():
            parts.append(f'<text x="8" y="{y + 11}">{escape(f"{database}: {workload}")}</text>')
            most = max(median(each.per_second for each in rounds) for rounds in servers.values())
            for name, rounds in servers.items():
                rate = median(each.per_second for each in rounds)
                width = (_WIDTH - _LABELS - 80) * rate / most
                parts.append(
                    f'<rect x="{_LABELS}" y="{y}" width="{width:.0f}" height="{_BAR - 2}" fill="{_COLOURS[name]}"/>'
                    f'<text x="{_LABELS + width + 6:.0f}" y="{y + 11}">{rate:.0f}/s</text>'
                )
                y += _BAR
            y += 8
    legend = "".join(
        f'<rect x="{_LABELS + 200 * n}" y="10" width="12" height="12" fill="{colour}"/>'
        f'<text x="{_LABELS + 200 * n + 18}" y="20">{escape(name)}</text>'
        for n, (name, colour) in enumerate(_COLOURS.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" '
        'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
        f"{legend}{''.join(parts)}</svg>\n"
    )
