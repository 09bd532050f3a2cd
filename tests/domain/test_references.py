"""The texts by which other systems know what is ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.domain.errors import Refused, UserErrorCode
from app.domain.references import (
    parse_customer_number,
    parse_group_code,
    parse_order_reference,
    parse_shopper_reference,
)

Rule = Callable[[str], str]


class TestParseShopperReference:
    @pytest.mark.parametrize("text", ["abc", "x" * 128, "cust 17/ä", " abc "])
    def test_takes_3_to_128_characters_of_one_line(self, text: str) -> None:
        assert parse_shopper_reference(text) == text.strip()

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (None, UserErrorCode.REQUIRED),
            (" ", UserErrorCode.REQUIRED),
            ("ab", UserErrorCode.TOO_SHORT),
            ("x" * 129, UserErrorCode.TOO_LONG),
            ("a\nbc", UserErrorCode.INVALID),
        ],
    )
    def test_refuses_anything_else(self, text: str | None, code: UserErrorCode) -> None:
        with pytest.raises(Refused) as refusal:
            parse_shopper_reference(text)
        assert refusal.value.code is code


@pytest.mark.parametrize(("rule", "most"), [(parse_customer_number, 32), (parse_group_code, 64)])
class TestParseCode:
    def test_takes_letters_digits_and_marks_between_them(self, rule: Rule, most: int) -> None:
        for text in ("7", "A-1.b_2", "x" * most):
            assert rule(text) == text

    def test_refuses_other_characters_and_marks_at_the_ends(self, rule: Rule, most: int) -> None:
        for text in ("a b", "-a", "a.", "ä", "a/b", "x" * (most + 1), ""):
            with pytest.raises(Refused):
                rule(text)


class TestParseOrderReference:
    def test_takes_one_line_of_at_most_128_characters(self) -> None:
        assert parse_order_reference(" #4711 / web ") == "#4711 / web"
        with pytest.raises(Refused):
            parse_order_reference("x" * 129)
