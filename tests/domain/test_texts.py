"""One-line texts: what is trimmed, normalized and refused."""

from __future__ import annotations

import pytest

from app.domain.errors import Refused, UserErrorCode
from app.domain.texts import is_well_formed, optional_line, required_line


class TestRequiredLine:
    def test_drops_outer_white_space(self) -> None:
        assert required_line(10)(" \tAnna \n") == "Anna"

    def test_answers_normalization_form_c(self) -> None:
        assert required_line(4)("Zoe\u0308 ") == "Zo\u00eb"

    def test_keeps_hebrew_with_its_direction_mark(self) -> None:
        assert required_line(10)("\u05d0\u05d1\u200f!") == "\u05d0\u05d1\u200f!"

    def test_counts_code_points(self) -> None:
        assert required_line(2)("😀😀") == "😀😀"

    def test_refuses_one_character_too_many(self) -> None:
        with pytest.raises(Refused, match="at most 2 characters") as refusal:
            required_line(2)("abc")
        assert refusal.value.code is UserErrorCode.TOO_LONG

    @pytest.mark.parametrize("text", [None, "", "  \n", "\u200b\u2060", "\u00a0"])
    def test_requires_something_to_be_seen(self, text: str | None) -> None:
        with pytest.raises(Refused) as refusal:
            required_line(10)(text)
        assert refusal.value.code is UserErrorCode.REQUIRED

    @pytest.mark.parametrize(
        "text", ["a\nb", "a\rb", "a\tb", "a\0b", "a\x7fb", "a\x85b", "a\u2028b", "a\u202eb", "a\u2066b", "a\ud800b"]
    )
    def test_refuses_line_breaks_and_hidden_characters(self, text: str) -> None:
        with pytest.raises(Refused) as refusal:
            required_line(10)(text)
        assert refusal.value.code is UserErrorCode.INVALID


class TestOptionalLine:
    @pytest.mark.parametrize("text", [None, "", "   "])
    def test_takes_an_empty_line_for_none(self, text: str | None) -> None:
        assert optional_line(10)(text) is None

    def test_answers_the_line(self) -> None:
        assert optional_line(10)(" 4b ") == "4b"

    def test_refuses_as_the_required_one_does(self) -> None:
        with pytest.raises(Refused) as refusal:
            optional_line(3)("abcd")
        assert refusal.value.code is UserErrorCode.TOO_LONG


class TestIsWellFormed:
    def test_holds_for_any_other_text(self) -> None:
        assert is_well_formed("Zoë 😀\n")

    @pytest.mark.parametrize("text", ["a\0", "a" + chr(0xD800), "a" + chr(0xDFFF)])
    def test_fails_for_nul_and_lone_surrogates(self, text: str) -> None:
        assert not is_well_formed(text)
