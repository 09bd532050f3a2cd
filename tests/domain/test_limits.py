"""The growing waits."""

from __future__ import annotations

import pytest

from app.domain.limits import growing_delays, wider_network


class TestGrowingDelays:
    @pytest.mark.parametrize(
        ("longest", "delays"),
        [(900, (60, 120, 240, 480, 900)), (240, (60, 120, 240)), (61, (60, 61)), (60, (60,)), (10, (10,))],
    )
    def test_double_from_a_minute_up_to_the_longest(self, longest: int, delays: tuple[int, ...]) -> None:
        assert growing_delays(longest) == delays


class TestWiderNetwork:
    def test_is_the_48_of_an_ipv6_64(self) -> None:
        assert wider_network("2001:db8:1:2::/64") == "2001:db8:1::/48"

    @pytest.mark.parametrize("ip", ["203.0.113.9", "unknown", ""])
    def test_is_none_of_anything_else(self, ip: str) -> None:
        assert wider_network(ip) is None
