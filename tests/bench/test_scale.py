"""The arithmetic of a very large gateway: the page says what it says, and its numbers follow what goes in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bench.scale.arithmetic import (
    BEGIN,
    END,
    PAGE,
    Assumptions,
    breaks_at,
    mean_cost,
    monthly_dollars,
    need,
    nodes,
    read_costs,
    tables,
)

GIVEN, COSTS = Assumptions(), read_costs()


class TestPage:
    def test_has_the_tables_of_the_arithmetic(self) -> None:
        written = PAGE.read_text().partition(BEGIN)[2].partition(END)[0].strip()
        assert written == tables(GIVEN, COSTS), "Run: python -m tests.bench.scale.arithmetic"


class TestMix:
    def test_is_all_requests(self) -> None:
        assert sum(GIVEN.mix.values()) == pytest.approx(1)

    def test_has_a_mean_between_the_cheapest_and_the_dearest(self) -> None:
        each = [COSTS[workload]["gateway us"] for workload in GIVEN.mix]
        assert min(each) < mean_cost(GIVEN, COSTS, "gateway us") < max(each)


class TestNeed:
    def test_grows_with_the_requests(self) -> None:
        once = need(GIVEN, COSTS)
        twice = need(replace(GIVEN, requests_per_second=2 * GIVEN.requests_per_second), COSTS)
        assert twice.gateway_cores == pytest.approx(2 * once.gateway_cores)
        assert twice.sessions_gb == pytest.approx(2 * once.sessions_gb)
        assert twice.customers_gb == once.customers_gb

    def test_is_met_by_the_nodes(self) -> None:
        needed = need(GIVEN, COSTS)
        count = nodes(GIVEN, needed)
        assert count["gateway"] * GIVEN.gateway_cores * GIVEN.fullness_of_gateway >= needed.gateway_cores
        for kind, cores in (("plain", needed.database_cores), ("citus", needed.citus_cores)):
            assert count[kind] * GIVEN.database_cores * GIVEN.fullness_of_database >= cores

    def test_is_three_nodes_at_least(self) -> None:
        quiet = replace(GIVEN, requests_per_second=1, customers=1)
        assert set(nodes(quiet, need(quiet, COSTS)).values()) == {3}


class TestBreaksAt:
    def test_names_first_what_breaks_first(self) -> None:
        rates = list(breaks_at(GIVEN, COSTS).values())
        assert rates == sorted(rates)

    def test_moves_with_the_connections_of_a_process(self) -> None:
        def of_connections(given: Assumptions) -> float:
            (rate,) = [rate for name, rate in breaks_at(given, COSTS).items() if "connections" in name]
            return rate

        assert of_connections(replace(GIVEN, connections_of_a_process=5)) == pytest.approx(4 * of_connections(GIVEN))


class TestMonthlyDollars:
    def test_pay_for_every_node(self) -> None:
        needed = need(GIVEN, COSTS)
        dollars = monthly_dollars(GIVEN, needed, "plain")
        assert dollars["gateway"] == nodes(GIVEN, needed)["gateway"] * GIVEN.gateway_cores * GIVEN.dollars_of_a_core
        assert all(amount > 0 for amount in dollars.values())
