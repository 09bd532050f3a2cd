"""Address tags: their normal form and their limits."""

from __future__ import annotations

import pytest

from app.domain.errors import Refused, UserErrorCode
from app.domain.tags import normalize_tags


class TestNormalizeTags:
    def test_answers_upper_case_without_outer_white_space(self) -> None:
        assert normalize_tags([" billing ", "Shipping"]) == ("BILLING", "SHIPPING")

    def test_writes_inner_white_space_as_one_underscore(self) -> None:
        assert normalize_tags(["summer \t house"]) == ("SUMMER_HOUSE",)

    def test_keeps_the_order_and_drops_duplicates(self) -> None:
        assert normalize_tags(["b", "A", "B", "a", "c"]) == ("B", "A", "C")

    def test_allows_free_tags_in_any_script(self) -> None:
        assert normalize_tags(["bu\u0308ro-2", "家"]) == ("BÜRO-2", "家")

    def test_allows_none(self) -> None:
        assert normalize_tags([]) == ()

    @pytest.mark.parametrize("tag", ["", "  ", "a.b", "a,b", "a\0b", "a\u200bb", "<b>", "\ud800"])
    def test_refuses_other_characters(self, tag: str) -> None:
        with pytest.raises(Refused) as refusal:
            normalize_tags(["BILLING", tag])
        assert refusal.value.code is UserErrorCode.INVALID

    def test_accepts_32_characters(self) -> None:
        assert normalize_tags(["a" * 32]) == ("A" * 32,)

    @pytest.mark.parametrize("tag", ["a" * 33, "ß" * 17])
    def test_refuses_33_characters_of_the_normal_form(self, tag: str) -> None:
        with pytest.raises(Refused) as refusal:
            normalize_tags([tag])
        assert refusal.value.code is UserErrorCode.TOO_LONG

    def test_accepts_20_tags_however_often_repeated(self) -> None:
        assert len(normalize_tags([str(number % 20) for number in range(60)])) == 20

    def test_refuses_21_tags(self) -> None:
        with pytest.raises(Refused) as refusal:
            normalize_tags(map(str, range(21)))
        assert refusal.value.code is UserErrorCode.LIMIT_REACHED
