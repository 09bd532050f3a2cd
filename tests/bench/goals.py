"""The goals of the gateway's speed and growth beside what one run has measured: the table of the performance page."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from tests.bench.report import GATEWAY, PLAIN, TUTORIAL, Results, Round, ratio

MUTATIONS = ("anonymousLogin", "refresh", "updateMe")
_MILLION = 1_000_000
_GIGABYTE = 1e9
Measure = Callable[[Results, str], str]


def goals(results: Results) -> str:
    """Return the table as Markdown; what was not measured is a dash."""
    lines = ["| | SQLite | PostgreSQL | goal |", "|---|---|---|---|"]
    for name, measure, goal in _LINES:
        measured = (measure(results, database) or "-" for database in ("SQLite", "PostgreSQL"))
        lines.append(f"| {name} | {' | '.join(measured)} | {goal} |")
    return "\n".join([*lines, ""])


def _rounds(results: Results, database: str, workload: str, server: str = GATEWAY) -> list[Round]:
    return results.rounds[database].get(workload, {}).get(server, [])


def _times(workload: str, other: str) -> Measure:
    def measure(results: Results, database: str) -> str:
        ours, theirs = (_rounds(results, database, workload, server) for server in (GATEWAY, other))
        return str(ratio(ours, theirs) or "")

    return measure


def _inline(results: Results, database: str) -> str:
    inline, known = (_rounds(results, database, name) for name in ("updateMe, values inline", "updateMe"))
    if not inline or not known:
        return ""
    more = median(each.processor_ms for each in inline) - median(each.processor_ms for each in known)
    return f"{more:+.2f} ms"


def _logins(results: Results, database: str) -> str:
    rounds = _rounds(results, database, "login")
    if not rounds or not results.hashes_per_second:
        return ""
    return f"{median(each.per_second for each in rounds) / median(results.hashes_per_second):.2f}"


def _slowest_mutation(results: Results, database: str) -> str:
    each = {name: _rounds(results, database, name) for name in MUTATIONS}
    slow = {name: median(one.p99_ms for one in rounds) for name, rounds in each.items() if rounds}
    return " to ".join(f"{end(slow.values()):.0f}" for end in (min, max)) + " ms" if slow else ""


def _beside_logins(results: Results, database: str) -> str:
    rounds = _rounds(results, database, "me beside 64 logins")
    return f"{median(each.p99_ms for each in rounds):.1f} ms" if rounds else ""


def _store(results: Results, database: str) -> str:
    visits = results.visits.get(database)
    return f"{visits.bytes_after_a_day * _MILLION / _GIGABYTE:.2f} GB" if visits else ""


def _at_once(results: Results, database: str) -> str:
    visits = results.visits.get(database)
    return f"{visits.bytes_at_once:.0f} bytes" if visits else ""


def _purged(results: Results, database: str) -> str:
    visits = results.visits.get(database)
    return f"{visits.purged_per_second:,.0f}/s" if visits else ""


def _start(results: Results, _database: str) -> str:
    seconds, memory = results.seconds_to_first_answer.get(GATEWAY), results.memory_at_start_mib.get(GATEWAY)
    return f"{median(seconds):.1f} s, {median(memory):.0f} MiB" if seconds and memory else ""


_LINES: tuple[tuple[str, Measure, str], ...] = (
    ("`me` of Starlette + the same SQL", _times("me", PLAIN), "0.70 / 0.75"),
    ("`me` with 10 addresses of Starlette + the same SQL", _times("me with 10 addresses", PLAIN), "0.80 / 0.80"),
    ("a text never seen before, values inline: processor more", _inline, "+0.30 ms"),
    ("`login` of argon2's limit", _logins, "0.95 / 0.85"),
    ("`refresh` with variables, times the tutorial's", _times("refresh", TUTORIAL), "4"),
    ("mutations, p99 at 32 connections", _slowest_mutation, "- / 30 ms"),
    ("`me` p99 beside 64 logging in", _beside_logins, "5 / 7 ms"),
    ("an anonymous visit, at once", _at_once, "-"),
    ("what 1,000,000 visits leave after a day", _store, "0.20 GB"),
    ("sessions purged", _purged, "2,000/s"),
    ("start to the first answer, memory then", _start, "1 s, 100 MiB"),
)
