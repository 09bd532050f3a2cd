"""The system clock and the randomness."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.adapters.clock import SystemClock, SystemRandom


class TestNow:
    def test_is_the_current_moment_in_utc(self) -> None:
        before = datetime.now(UTC)
        now = SystemClock().now()
        assert before <= now <= datetime.now(UTC)
        assert now.tzinfo is UTC


class TestNewId:
    def test_is_a_canonical_uuid_of_version_7(self) -> None:
        text = SystemRandom().new_id()
        assert str(UUID(text)) == text
        assert UUID(text).version == 7

    def test_carries_the_current_millisecond(self) -> None:
        before = time.time_ns() // 1_000_000
        moment = UUID(SystemRandom().new_id()).int >> 80
        assert before <= moment <= time.time_ns() // 1_000_000

    def test_sorts_in_the_order_of_creation(self) -> None:
        random = SystemRandom()
        ids = [random.new_id() for _ in range(20_000)]
        assert ids == sorted(set(ids))


class TestSecret:
    def test_has_32_bytes_and_never_comes_twice(self) -> None:
        random = SystemRandom()
        secrets = {random.secret() for _ in range(100)}
        assert {len(secret) for secret in secrets} == {32}
        assert len(secrets) == 100


class TestDigits:
    @pytest.mark.parametrize("count", [1, 6, 8])
    def test_has_as_many_digits_as_asked_for_and_no_leading_zero(self, count: int) -> None:
        random = SystemRandom()
        for _ in range(200):
            digits = random.digits(count)
            assert len(digits) == count
            assert digits.isdecimal()
            assert digits[0] != "0"

    def test_reaches_every_single_digit_but_zero(self) -> None:
        random = SystemRandom()
        assert {random.digits(1) for _ in range(1_000)} == set("123456789")
