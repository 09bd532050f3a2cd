"""Whether a span of time goes on, whatever becomes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.adapters.deadlines import is_still_ahead

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST = timedelta(seconds=10)


class TestIsStillAhead:
    @pytest.mark.parametrize(
        ("seconds", "ahead"),
        [
            pytest.param(10, True, id="begun just now"),
            pytest.param(0.5, True, id="nearly over"),
            pytest.param(0, False, id="over at this moment"),
            pytest.param(-1, False, id="over"),
            pytest.param(10.5, False, id="longer than any: the clock was set back"),
        ],
    )
    def test_goes_by_what_is_left(self, seconds: float, ahead: bool) -> None:
        assert is_still_ahead(NOW + timedelta(seconds=seconds), NOW, LONGEST) is ahead

    def test_has_nothing_ahead_that_never_began(self) -> None:
        assert not is_still_ahead(None, NOW, LONGEST)
