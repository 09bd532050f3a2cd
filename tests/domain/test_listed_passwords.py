"""The filter of common passwords: what is in it is always found, and almost nothing else."""

from __future__ import annotations

import random
import string

from app.domain.listed_passwords import FILE, is_listed, make_filter


class TestIsListed:
    def test_finds_passwords_far_down_the_lists(self) -> None:
        listed = [
            "password123",
            "babygirl1",
            "liverpool1",
            "marketing1",
            "qazwsxedc",
            "zaq12wsx",
            "trustno1",
            "iloveyou2",
        ]
        assert [password for password in listed if not is_listed(password)] == []

    def test_takes_fewer_than_one_in_a_thousand_others_for_one_of_them(self) -> None:
        dice = random.Random(42)
        others = ["".join(dice.choices(string.ascii_lowercase + string.digits, k=12)) for _ in range(50_000)]
        assert sum(map(is_listed, others)) < 50

    def test_takes_any_text(self) -> None:
        assert not is_listed("\ud800 is half of something")
        assert not is_listed("")

    def test_is_small(self) -> None:
        assert FILE.stat().st_size < 1_500_000


class TestMakeFilter:
    def test_never_misses_what_it_was_made_of(self) -> None:
        bits = make_filter(f"password-{number}" for number in range(1_000))
        assert len(bits) == 1_000 * 18 // 8
        assert make_filter(f"password-{number}" for number in reversed(range(1_000))) == bits
