"""The arithmetic of a very large gateway: `python -m tests.bench.scale.arithmetic` writes its tables into the page.

What is measured comes from `costs.json` (see `costs`); all else is an assumption with a name, in `Assumptions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import orjson

COSTS_FILE = Path(__file__).with_name("costs.json")
PAGE = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- python -m tests.bench.scale.arithmetic: -->", "<!-- until here -->"
DAY = 86_400
MONTH = 30 * DAY
GB = 1e9

Costs = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is not measured: how large, how busy, how full, and at which price (US dollars a month)."""

    customers: int = 100_000_000
    shops: int = 10_000
    largest_shop: float = 0.05
    requests_per_second: float = 50_000
    mean_of_peak: float = 0.4
    mix: Mapping[str, float] = field(
        default_factory=lambda: {
            "me": 0.5,
            "me with 10 addresses": 0.12,
            "tokenInfo": 0.2,
            "anonymousLogin": 0.08,
            "refresh": 0.08,
            "updateMe": 0.012,
            "login": 0.007,
            "signup": 0.001,
        }
    )
    # Rows of each customer; audit lines are kept 13 months.
    rows: Mapping[str, float] = field(
        default_factory=lambda: {
            "customer": 1,
            "credential": 1,
            "customer_word": 6,
            "address": 1.5,
            "audit_event": 12,
        }
    )
    # Days that the rows of a session stay: a visit until it has expired and was purged, a customer's session for 30
    # days and as long again; an access token two days, a refresh token its 14 days and 30 more.
    visit_days: float = 2
    session_days: float = 60
    access_token_days: float = 1.1
    refresh_token_days: float = 44
    # Of all refreshes, those of customers; the others are of visits.
    refreshes_of_customers: float = 0.7
    # How full a part may be at the peak, so that it outlives the loss of a zone of three and a bad minute.
    fullness_of_gateway: float = 0.6
    fullness_of_database: float = 0.5
    fullness_of_redis: float = 0.6
    # Citus asks a second server for each statement: processor of all nodes together, of one plain server.
    citus: float = 2.5
    # Images of whole pages after each checkpoint, which the measured server does not write.
    full_pages: float = 2.0
    copies: int = 2
    hot_customers: float = 0.05
    gateway_cores: int = 8
    database_cores: int = 16
    database_memory_gb: float = 128
    database_connections: int = 400
    connections_of_a_process: int = 20
    dollars_of_a_core: float = 30
    dollars_of_a_memory_gb: float = 3
    dollars_of_a_disk_gb: float = 0.1
    dollars_of_a_sent_gb: float = 0.05
    dollars_of_a_redis_node: float = 120


@dataclass(frozen=True, slots=True)
class Need:
    """What the peak needs of each part."""

    gateway_cores: float
    database_cores: float
    redis_cores: float
    redis_commands: float
    log_mb: float
    mbit_in: float
    mbit_out: float
    customers_gb: float
    sessions_gb: float


def read_costs() -> Costs:
    """Return what was measured."""
    costs: Costs = orjson.loads(COSTS_FILE.read_bytes())
    return costs


def mean_cost(given: Assumptions, costs: Costs, part: str) -> float:
    """Return what a request of the mix costs one part, on average."""
    return sum(share * costs[workload][part] for workload, share in given.mix.items())


def need(given: Assumptions, costs: Costs) -> Need:
    """Return what the peak needs, before any part is allowed to be less than full."""
    rate = given.requests_per_second

    def at_peak(part: str) -> float:
        return rate * mean_cost(given, costs, part)

    rows = costs["bytes of a row"]
    return Need(
        gateway_cores=at_peak("gateway us") / 1e6,
        database_cores=at_peak("database us") / 1e6 * given.citus,
        redis_cores=at_peak("redis us") / 1e6,
        redis_commands=at_peak("redis commands"),
        log_mb=at_peak("write-ahead log bytes") * given.full_pages / 1e6,
        mbit_in=at_peak("bytes in") * 8 / 1e6,
        mbit_out=at_peak("bytes out") * 8 / 1e6,
        customers_gb=given.customers * sum(number * rows[table] for table, number in given.rows.items()) / GB,
        sessions_gb=_bytes_of_sessions(given, rows) / GB,
    )


def _bytes_of_sessions(given: Assumptions, rows: Mapping[str, float]) -> float:
    a_day = given.requests_per_second * given.mean_of_peak * DAY
    visits, logins, refreshes = (a_day * given.mix[name] for name in ("anonymousLogin", "login", "refresh"))
    of_customers = refreshes * given.refreshes_of_customers
    return (
        visits * given.visit_days * rows["visit"]
        + logins * given.session_days * rows["session"]
        + (logins + of_customers) * given.access_token_days * rows["access_token"]
        + (logins + of_customers) * given.refresh_token_days * rows["refresh_token"]
    )


def nodes(given: Assumptions, needed: Need) -> dict[str, int]:
    """Return how many nodes of each kind: a zone of three may be lost, so none has fewer than three."""
    gateways = ceil(needed.gateway_cores / given.fullness_of_gateway / given.gateway_cores)
    by_processor = ceil(needed.database_cores / given.fullness_of_database / given.database_cores)
    hot = needed.customers_gb * given.hot_customers + needed.sessions_gb * given.hot_customers
    by_memory = ceil(hot / (given.database_memory_gb * given.fullness_of_database))
    return {
        "gateway": max(3, gateways),
        "database": max(3, by_processor, by_memory),
        "redis": max(3, ceil(needed.redis_cores / given.fullness_of_redis)),
    }


def breaks_at(given: Assumptions, costs: Costs) -> dict[str, float]:
    """Return at how many requests a second a part that cannot be added to by itself is full, the first one first."""

    def per_second(amount: float, part: str) -> float:
        return amount / mean_cost(given, costs, part)

    processes = given.database_connections / given.connections_of_a_process
    limits = {
        f"{given.database_connections} connections of one server, {given.connections_of_a_process} for each process": (
            per_second(processes * given.fullness_of_gateway * 1e6, "gateway us")
        ),
        "one Redis, which has one thread": per_second(given.fullness_of_redis * 1e6, "redis us"),
        f"one plain PostgreSQL server of {given.database_cores} cores": (
            per_second(given.database_cores * given.fullness_of_database * 1e6, "database us")
        ),
        f"a Citus node of {given.database_cores} cores with the largest shop alone": (
            per_second(given.database_cores * given.fullness_of_database * 1e6 / given.citus, "database us")
            / given.largest_shop
        ),
        "the write-ahead log at 200 MB/s, on one server": (
            per_second(200e6 / given.full_pages, "write-ahead log bytes")
        ),
        "one load balancer of 10 Gbit/s": per_second(10e9 / 8, "bytes out"),
    }
    return dict(sorted(limits.items(), key=lambda each: each[1]))


def monthly_dollars(given: Assumptions, needed: Need) -> dict[str, float]:
    """Return what each part costs a month."""
    count = nodes(given, needed)
    sent_gb = needed.mbit_out / 8 / 1000 * given.mean_of_peak * MONTH
    disk_gb = (needed.customers_gb + needed.sessions_gb) * given.copies / 0.7
    database = given.database_cores * given.dollars_of_a_core + given.database_memory_gb * given.dollars_of_a_memory_gb
    return {
        "gateway": count["gateway"] * given.gateway_cores * given.dollars_of_a_core,
        "database": (count["database"] + 1) * given.copies * database,
        "disks of the database": disk_gb * given.dollars_of_a_disk_gb,
        "redis": count["redis"] * given.copies * given.dollars_of_a_redis_node,
        "answers over the internet": sent_gb * given.dollars_of_a_sent_gb,
    }


def tables(given: Assumptions, costs: Costs) -> str:
    """Return the tables of the page, in Markdown."""
    needed = need(given, costs)
    return "\n\n".join(
        [_costs_table(given, costs), _need_table(given, needed), _breaks_table(given, costs), _bill(given, needed)]
    )


def _costs_table(given: Assumptions, costs: Costs) -> str:
    parts = (
        "gateway us",
        "database us",
        "redis us",
        "redis commands",
        "write-ahead log bytes",
        "bytes in",
        "bytes out",
    )
    rows = [
        [
            "one request",
            "share",
            "gateway, µs",
            "database, µs",
            "Redis, µs",
            "Redis commands",
            "log, bytes",
            "in",
            "out",
        ]
    ]
    rows += [
        [f"`{workload}`", f"{share:.1%}", *(_number(costs[workload][part]) for part in parts)]
        for workload, share in given.mix.items()
    ]
    rows.append(["of the mix", "", *(_number(mean_cost(given, costs, part)) for part in parts)])
    return _markdown(rows)


def _need_table(given: Assumptions, needed: Need) -> str:
    count = nodes(given, needed)
    a_node = f"{given.database_cores} cores, {given.database_memory_gb:.0f} GB"
    return _markdown(
        [
            ["part", "busy at the peak", "nodes"],
            [
                "gateway",
                f"{needed.gateway_cores:.0f} cores",
                f"{count['gateway']} of {given.gateway_cores} cores, a process for each core",
            ],
            [
                "PostgreSQL with Citus",
                f"{needed.database_cores:.0f} cores, log {needed.log_mb:.0f} MB/s",
                f"{count['database']} of {a_node}, and a coordinator; each with a standby",
            ],
            ["its disks", f"customers {needed.customers_gb:,.0f} GB, sessions {needed.sessions_gb:,.0f} GB", "twice"],
            [
                "Redis",
                f"{needed.redis_cores:.1f} cores, {needed.redis_commands:,.0f} commands/s",
                f"{count['redis']} masters, each with a replica",
            ],
            ["network", f"{needed.mbit_in:,.0f} Mbit/s in, {needed.mbit_out:,.0f} out", "two load balancers"],
        ]
    )


def _breaks_table(given: Assumptions, costs: Costs) -> str:
    rows = [["what is full", "at requests a second"]]
    rows += [[name, f"{rate:,.0f}"] for name, rate in breaks_at(given, costs).items()]
    return _markdown(rows)


def _bill(given: Assumptions, needed: Need) -> str:
    dollars = monthly_dollars(given, needed)
    total = sum(dollars.values())
    rows = [["a month", "dollars"], *([name, f"{amount:,.0f}"] for name, amount in dollars.items())]
    rows.append(["together", f"{total:,.0f}: {total / given.customers * 100_000:.0f} for 100,000 customers"])
    return _markdown(rows)


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 or amount == 0 else f"{amount:.1f}"


def _markdown(rows: list[list[str]]) -> str:
    head, *others = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *others])


def write_page() -> None:
    """Put the tables into the page, between their marks."""
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    PAGE.write_text(f"{before}{begin}\n{tables(Assumptions(), read_costs())}\n{end}{after}")


if __name__ == "__main__":
    write_page()
