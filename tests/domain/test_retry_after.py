"""What a server may say with `Retry-After`, and what is no time to come."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.domain.retry_after import postponed

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("120", 120),
            (" 120 ", 120),
            ("000120", 120),
            ("86400", 86_400),
            ("86401", 86_400),
            ("9" * 5000, 86_400),
            ("Sun, 06 Nov 1994 08:51:37 GMT", 120),
            ("Sunday, 06-Nov-94 08:51:37 GMT", 120),
            ("Sun Nov  6 08:51:37 1994", 120),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ],
    )
    @pytest.mark.parametrize("status", [429, 503])
    def test_is_a_time_to_come_in_each_form_and_at_most_a_day(self, status: int, header: str, seconds: int) -> None:
        wait = postponed(status, header, NOW)
        assert wait is not None
        assert wait.total_seconds() == seconds

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "0",
            "-5",
            "1.5",
            "soon",
            "120, 60",
            "120 seconds",
            "\u0661\u0662\u0660",  # 120 in Arabic digits
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sat, 05 Nov 1994 08:49:37 GMT",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 99999999 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 +99999999999999999999",
        ],
    )
    def test_that_is_no_time_to_come_is_left_out(self, header: str | None) -> None:
        assert postponed(503, header, NOW) is None

    @pytest.mark.parametrize("status", [200, 301, 400, 500])
    def test_counts_only_where_the_server_speaks_of_the_moment(self, status: int) -> None:
        assert postponed(status, "120", NOW) is None
