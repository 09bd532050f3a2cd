"""Telephone numbers: international and national ones, and those that are none."""

from __future__ import annotations

import pytest

from app.domain.errors import Refused, UserErrorCode
from app.domain.phones import parse_phone


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
        ("text", "country"),
        [
            ("030 1234567", None),
            ("030 1234567", "XX"),
            ("+1 555 0100", None),
            ("112", "DE"),
            ("+49 30 1234567 ext. 5", None),
            ("0800 FLOWERS", "US"),
            ("call +49 30 1234567", "DE"),
            ("+49 30\n1234567", None),
            ("tel:+49-30-1234567", None),
            ("+49 30 1234567" + "0" * 200, None),
            ("", "DE"),
        ],
    )
    def test_refuses_what_cannot_be_called(self, text: str, country: str | None) -> None:
        with pytest.raises(Refused) as refusal:
            parse_phone(text, country)
        assert refusal.value.code is UserErrorCode.INVALID_PHONE
