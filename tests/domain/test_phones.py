"""Telephone numbers: however they are typed, of a country or of none, and those that are none."""

from __future__ import annotations

import pytest

from app.domain.errors import Refused, UserErrorCode
from app.domain.phones import MAXIMUM_LENGTH, parse_phone


class TestParsePhone:
    def test_reads_an_international_number_without_a_country(self) -> None:
        assert parse_phone("+49 (0)30 / 123-4567", None) == "+49301234567"

    def test_reads_a_national_number_by_its_country(self) -> None:
        assert parse_phone("(650) 253-0000", "US") == "+16502530000"

    def test_reads_the_country_in_lower_case(self) -> None:
        assert parse_phone("030 1234567", "de") == "+49301234567"

    def test_follows_the_number_rather_than_the_country(self) -> None:
        assert parse_phone("+442079460000", "DE") == "+442079460000"

    def test_keeps_the_zero_of_an_italian_number(self) -> None:
        assert parse_phone("06 12345678", "IT") == "+390612345678"

    @pytest.mark.parametrize(
        ("text", "country", "kept"),
        [
            ("123456789", "DE", "+49123456789"),
            ("+1 555 0100", None, "+15550100"),
            ("+44 123456789", None, "+44123456789"),
            ("0049 30 1234567", "DE", "+49301234567"),
            ("011 49 30 1234567", "US", "+49301234567"),
        ],
    )
    def test_reads_what_can_be_a_number_whether_or_not_it_is_in_use(
        self, text: str, country: str | None, kept: str
    ) -> None:
        assert parse_phone(text, country) == kept

    @pytest.mark.parametrize(
        ("text", "country", "kept"),
        [
            ("123456789", None, "123456789"),
            ("  030   1234567 ", None, "030 1234567"),
            ("0049 30 1234567", None, "0049 30 1234567"),
            ("030 1234567", "XX", "030 1234567"),
            ("123456789", "US", "123456789"),
            ("253-0000", "US", "253-0000"),
        ],
    )
    def test_keeps_a_number_of_no_known_country_as_it_was_typed(
        self, text: str, country: str | None, kept: str
    ) -> None:
        assert parse_phone(text, country) == kept

    def test_prefers_the_country_in_which_the_number_is_in_use(self) -> None:
        assert parse_phone("030 1234567", "US", "DE") == "+49301234567"
        assert parse_phone("(650) 253-0000", "US", "DE") == "+16502530000"

    def test_reads_by_the_next_country_what_cannot_be_of_the_first(self) -> None:
        assert parse_phone("123456789", "US", None, "DE") == "+49123456789"

    @pytest.mark.parametrize(
        "text",
        [
            "\uff0b\uff14\uff19\u3000\uff13\uff10\uff0d\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
            "+49 30\u30fc1234567",
            "+49 30\uff701234567",
            "+49 30\u22121234567",
            "+49\u201030\u20111234567",
            "+49\u2013(0)30\u20141234567",
            "\uff0b49\uff0830\uff09123\uff0e4567",
            "+49 30\uff0f1234567",
            "+49\u00a030\u202f1234567",
            "+\u0664\u0669 \u0663\u0660 \u0661\u0662\u0663\u0664\u0665\u0666\u0667",
            "+49\u30fb30\u00b71234567",
            "(+49) 30 1234567",
            "\uff08\uff0b49\uff09[30] 1234567",
            *(f"+49 30 123{tilde}4567" for tilde in "~\u2053\u223c\uff5e\u301c"),
            *(f"{mark}+49 30{mark} 1234567{mark}" for mark in "\u200e\u200f\u200b\u2060\ufeff\u00ad\u061c"),
            *(f"{mark}+49 30 1234567\u202c" for mark in "\u202a\u202b\u202d\u202e"),
            *(f"{mark}+49 30 1234567\u2069" for mark in "\u2066\u2067\u2068"),
            "\u200e \u00a0+49 30 1234567\u00a0 \u200f",
        ],
    )
    def test_reads_digits_and_signs_of_any_script_and_no_invisible_marks(self, text: str) -> None:
        assert parse_phone(text, None) == "+49301234567"

    def test_reads_a_number_of_no_country_in_full_width_as_well(self) -> None:
        assert parse_phone("\uff10\uff13\uff0d\uff11\uff12\uff13\uff14", None) == "03-1234"

    def test_keeps_nothing_longer_than_its_column(self) -> None:
        spread = " - ".join("123456789012345")
        assert len(spread) > MAXIMUM_LENGTH
        assert parse_phone(spread, None) == "123456789012345"

    @pytest.mark.parametrize(
        ("text", "country"),
        [
            ("112", "DE"),
            ("12", "DE"),
            ("12", None),
            ("0012", None),
            ("+4912", None),
            ("+999 123456", None),
            ("+", None),
            ("++49 30 1234567", None),
            ("+49 30 1234567 ext. 5", None),
            ("030 1234567 x5", "DE"),
            ("030 1234567 #5", "DE"),
            ("0800 FLOWERS", "US"),
            ("\uff21\uff22\uff23 1234567", "US"),
            ("call +49 30 1234567", "DE"),
            ("+49 30\n1234567", None),
            ("+49 30\u20281234567", None),
            ("tel:+49-30-1234567", None),
            ("+49 30 1234567" + "0" * 200, None),
            ("1" * 16, None),
            ("1" * 16, "DE"),
            ("+1 650 253 0000 1", None),
            ("\u2460\u2461\u2462\u2463", None),
            ("", "DE"),
            ("\u200b", "DE"),
            ("()", None),
        ],
    )
    def test_refuses_what_cannot_be_called(self, text: str, country: str | None) -> None:
        with pytest.raises(Refused) as refusal:
            parse_phone(text, country)
        assert refusal.value.code is UserErrorCode.INVALID_PHONE
