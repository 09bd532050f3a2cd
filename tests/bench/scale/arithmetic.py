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
# What is measured of a request, and what the page calls it.
PARTS = {
    "gateway us": "gateway, µs",
    "database us": "database, µs",
    "statements": "statements",
    "redis us": "Redis, µs",
    "redis commands": "Redis commands",
    "write-ahead log bytes": "log, bytes",
    "bytes in": "in",
    "bytes out": "out",
}
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
    fullness_of_disks: float = 0.7
    # Microseconds that Citus adds to a statement, as they were measured for a join of four tables: where the gateway
    # connects, and on the node that has the tenant. A statement without a join costs less.
    citus_us_where_connected: float = 790
    citus_us_on_the_node: float = 840
    # Images of whole pages after each checkpoint, which the measured server does not write.
    full_pages: float = 2.0
    copies: int = 2
    hot_part: float = 0.05
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
    citus_cores: float
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
        database_cores=at_peak("database us") / 1e6,
        citus_cores=(at_peak("database us") + at_peak("statements") * _citus_us(given)) / 1e6,
        redis_cores=at_peak("redis us") / 1e6,
        redis_commands=at_peak("redis commands"),
        log_mb=at_peak("write-ahead log bytes") * given.full_pages / 1e6,
        mbit_in=at_peak("bytes in") * 8 / 1e6,
        mbit_out=at_peak("bytes out") * 8 / 1e6,
        customers_gb=given.customers * sum(number * rows[table] for table, number in given.rows.items()) / GB,
        sessions_gb=_bytes_of_sessions(given, rows) / GB,
    )


def _citus_us(given: Assumptions) -> float:
    return given.citus_us_where_connected + given.citus_us_on_the_node


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
    hot = (needed.customers_gb + needed.sessions_gb) * given.hot_part
    by_memory = ceil(hot / (given.database_memory_gb * given.fullness_of_database))

    def databases(cores: float) -> int:
        return max(3, by_memory, ceil(cores / given.fullness_of_database / given.database_cores))

    gateways = ceil(needed.gateway_cores / given.fullness_of_gateway / given.gateway_cores)
    return {
        "gateway": max(3, gateways),
        "plain": databases(needed.database_cores),
        "citus": databases(needed.citus_cores),
        "redis": max(3, ceil(needed.redis_cores / given.fullness_of_redis)),
    }


def breaks_at(given: Assumptions, costs: Costs) -> dict[str, float]:
    """Return at how many requests a second a part that cannot be added to by itself is full, the first one first."""

    def per_second(amount: float, part: str) -> float:
        return amount / mean_cost(given, costs, part)

    processes = given.database_connections / given.connections_of_a_process
    full_database = given.database_cores * given.fullness_of_database * 1e6
    limits = {
        f"{given.database_connections} connections of one server, {given.connections_of_a_process} for each process": (
            per_second(processes * given.fullness_of_gateway * 1e6, "gateway us")
        ),
        "one Redis, which has one thread": per_second(given.fullness_of_redis * 1e6, "redis us"),
        f"one plain PostgreSQL server of {given.database_cores} cores": (per_second(full_database, "database us")),
        f"one Citus node of {given.database_cores} cores, if all gateways connect to it": (
            full_database / mean_cost(given, costs, "statements") / given.citus_us_where_connected
        ),
        f"a Citus node of {given.database_cores} cores with nothing but the largest shop": (
            full_database / _us_on_a_node(given, costs) / given.largest_shop
        ),
        "the write-ahead log at 200 MB/s, on one server": (
            per_second(200e6 / given.full_pages, "write-ahead log bytes")
        ),
        "one load balancer of 10 Gbit/s": per_second(10e9 / 8, "bytes out"),
    }
    return dict(sorted(limits.items(), key=lambda each: each[1]))


def _us_on_a_node(given: Assumptions, costs: Costs) -> float:
    return mean_cost(given, costs, "database us") + mean_cost(given, costs, "statements") * given.citus_us_on_the_node


def monthly_dollars(given: Assumptions, needed: Need, databases: str) -> dict[str, float]:
    """Return what each part costs a month, with `plain` servers or `citus`."""
    count = nodes(given, needed)
    sent_gb = needed.mbit_out / 8 / 1000 * given.mean_of_peak * MONTH
    disk_gb = (needed.customers_gb + needed.sessions_gb) * given.copies / given.fullness_of_disks
    a_server = given.database_cores * given.dollars_of_a_core + given.database_memory_gb * given.dollars_of_a_memory_gb
    return {
        "gateway": count["gateway"] * given.gateway_cores * given.dollars_of_a_core,
        "database": count[databases] * given.copies * a_server,
        "its disks": disk_gb * given.dollars_of_a_disk_gb,
        "Redis": count["redis"] * given.copies * given.dollars_of_a_redis_node,
        "answers over the internet": sent_gb * given.dollars_of_a_sent_gb,
    }


def tables(given: Assumptions, costs: Costs) -> str:
    """Return the tables of the page, in Markdown."""
    needed = need(given, costs)
    return "\n\n".join(
        [_costs_table(given, costs), _need_table(given, needed), _breaks_table(given, costs), _bill(given, needed)]
    )


def _costs_table(given: Assumptions, costs: Costs) -> str:
    head = ["one request", "share", *PARTS.values()]
    each = [
        [f"`{workload}`", f"{share:.1%}", *(_number(costs[workload][part]) for part in PARTS)]
        for workload, share in given.mix.items()
    ]
    return _markdown([head, *each, ["of the mix", "", *(_number(mean_cost(given, costs, part)) for part in PARTS)]])


def _need_table(given: Assumptions, needed: Need) -> str:
    count = nodes(given, needed)
    a_server = f"{given.database_cores} cores and {given.database_memory_gb:.0f} GB, each with a standby"
    disks = f"customers {needed.customers_gb:,.0f} GB, sessions {needed.sessions_gb:,.0f} GB"
    return _markdown(
        [
            ["part", "busy at the peak", "nodes"],
            [
                "gateway",
                f"{needed.gateway_cores:.0f} cores",
                f"{count['gateway']} of {given.gateway_cores} cores, a process for each core",
            ],
            [
                "PostgreSQL, the shops divided by hand",
                f"{needed.database_cores:.0f} cores, log {needed.log_mb:.0f} MB/s",
                f"{count['plain']} of {a_server}",
            ],
            ["or with Citus", f"{needed.citus_cores:.0f} cores", f"{count['citus']} of the same"],
            ["their disks", disks, "twice"],
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
    bills = [monthly_dollars(given, needed, databases) for databases in ("plain", "citus")]
    rows = [["dollars a month", "shops divided by hand", "Citus"]]
    rows += [[name, *(f"{bill[name]:,.0f}" for bill in bills)] for name in bills[0]]
    sums = [sum(bill.values()) for bill in bills]
    rows.append(["together", *(f"{each:,.0f}" for each in sums)])
    rows.append(["for 100,000 customers", *(f"{each / given.customers * 100_000:.0f}" for each in sums)])
    return _markdown(rows)


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 or amount == 0 else f"{amount:.1f}"


def _markdown(rows: list[list[str]]) -> str:
    head, *others = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *others])


def write_page() -> None:
    """Put the tables into the page, between their marks."""
    written = PAGE.read_text()
    before, begin, rest = written.partition(BEGIN)
    _, end, after = rest.partition(END)
    page = f"{before}{begin}\n{tables(Assumptions(), read_costs())}\n{end}{after}"
    # Whoever reads the page at this moment is to find it whole.
    if page != written:
        PAGE.write_text(page)


if __name__ == "__main__":
    write_page()
