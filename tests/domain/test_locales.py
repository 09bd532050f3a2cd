"""Language tags, currency codes and country codes: canonical forms and refusals."""

from __future__ import annotations

import pytest

from app.domain.errors import Refused, UserErrorCode
from app.domain.locales import parse_country, parse_currency, parse_language


class TestParseLanguage:
    @pytest.mark.parametrize(
        ("text", "canonical"),
        [
            ("de", "de"),
            ("en_US", "en-US"),
            ("en-US", "en-US"),
            (" EN_us ", "en-US"),
            ("zh-Hant-TW", "zh-Hant-TW"),
            ("ZH_hant_tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("yue", "yue"),
        ],
    )
    def test_answers_the_canonical_tag(self, text: str, canonical: str) -> None:
        assert parse_language(text) == canonical

    @pytest.mark.parametrize(
        ("text", "canonical"), [("eng", "en"), ("iw", "he"), ("en-UK", "en-GB"), ("sh", "sr-Latn"), ("en-840", "en-US")]
    )
    def test_replaces_superseded_codes(self, text: str, canonical: str) -> None:
        assert parse_language(text) == canonical

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-",
            "xx",
            "jp",
            "C",
            "und",
            "root",
            "english",
            "en-XX",
            "en-ZZ",
            "en-EU",
            "en-999",
            "en-Abcd",
            "en-Zzzz",
            "en--US",
            "en-US-posix",
            "en-US-u-ca-gregory",
            "x-private",
            "en_US.UTF-8",
            "de@euro",
            "en-US\n-",
            "en-\u0661",
            "en" * 5_000,
        ],
    )
    def test_refuses_what_no_language_is_called(self, text: str) -> None:
        with pytest.raises(Refused) as refusal:
            parse_language(text)
        assert refusal.value.code is UserErrorCode.INVALID_LANGUAGE


class TestParseCurrency:
    @pytest.mark.parametrize("text", ["EUR", " eur ", "Eur"])
    def test_answers_upper_case(self, text: str) -> None:
        assert parse_currency(text) == "EUR"

    @pytest.mark.parametrize("text", ["USD", "CHF", "XOF", "XCG", "ZWG", "PLN"])
    def test_accepts_what_circulates(self, text: str) -> None:
        assert parse_currency(text) == text

    @pytest.mark.parametrize(
        "text", ["", "EURO", "ZZZ", "DEM", "HRK", "ANG", "XXX", "XTS", "XAU", "CHE", "978", "\u20ac", "eu\u017f"]
    )
    def test_refuses_what_does_not_circulate(self, text: str) -> None:
        with pytest.raises(Refused) as refusal:
            parse_currency(text)
        assert refusal.value.code is UserErrorCode.INVALID_CURRENCY


class TestParseCountry:
    @pytest.mark.parametrize("text", ["DE", " de ", "De"])
    def test_answers_upper_case(self, text: str) -> None:
        assert parse_country(text) == "DE"

    def test_knows_the_249_countries_of_the_standard_and_three_that_the_post_knows(self) -> None:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        assert sum(_is_country(first + second) for first in letters for second in letters) == 249 + 3

    @pytest.mark.parametrize("code", ["AC", "TA", "XK"])
    def test_takes_ascension_tristan_da_cunha_and_kosovo(self, code: str) -> None:
        assert parse_country(code.lower()) == code

    @pytest.mark.parametrize(
        "text", ["", "D", "DEU", "276", "UK", "EU", "XX", "ZZ", "IC", "YU", "Germany", "\u0131t", "d\u00df"]
    )
    def test_refuses_what_is_no_country(self, text: str) -> None:
        with pytest.raises(Refused) as refusal:
            parse_country(text)
        assert refusal.value.code is UserErrorCode.INVALID_COUNTRY


def _is_country(code: str) -> bool:
    try:
        return parse_country(code) == code
    except Refused:
        return False
