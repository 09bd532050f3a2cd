"""The growing waits."""

from __future__ import annotations

import pytest

from app.domain.limits import growing_delays


class TestGrowingDelays:
    @pytest.mark.parametrize(
        ("longest", "delays"),
        [(900, (60, 120, 240, 480, 900)), (240, (60, 120, 240)), (61, (60, 61)), (60, (60,)), (10, (10,))],
    )
    def test_double_from_a_minute_up_to_the_longest(self, longest: int, delays: tuple[int, ...]) -> None:
        assert growing_delays(longest) == delays
