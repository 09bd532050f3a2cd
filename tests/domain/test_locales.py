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
        ("text", "canonical"),
        [
            ("en-US-u-fw-mon-mu-celsius", "en-US"),
            ("en-US-u-ca-gregory-nu-latn-rg-gbzzzz", "en-US"),
            ("en_US_u_fw_mon", "en-US"),
            ("de_DE@calendar=gregorian", "de-DE"),
            ("en_US@calendar=japanese;currency=JPY;numbers=latn", "en-US"),
            ("de-DE@collation=phonebook", "de-DE"),
            ("zh-Hans-CN-x-private", "zh-Hans-CN"),
            ("ar-EG-u-nu-latn", "ar-EG"),
            ("sr-Latn-RS-t-sr-cyrl-m0-iso-1995", "sr-Latn-RS"),
            ("en-t-jp-m0-und", "en"),
            ("de-AT-u-co-phonebk-x-goethe-2", "de-AT"),
            ("fr-CA-a-extend1-u-hc-h23", "fr-CA"),
            ("es-419-u-ca-buddhist", "es-419"),
            ("en_US.UTF-8", "en-US"),
            ("de_DE.iso885915@euro", "de-DE"),
            ("de@euro", "de"),
            ("sr_RS@latin", "sr-Latn-RS"),
            ("uz_UZ.UTF-8@cyrillic", "uz-Cyrl-UZ"),
            ("en_US_POSIX", "en-US"),
            ("ca-ES-valencia", "ca-ES"),
            ("de-CH-1996", "de-CH"),
            ("sl-rozaj-biske-1994", "sl"),
            ("zh_TW_#Hant", "zh-Hant-TW"),
            ("zh_CN_#Hans_u-nu-latn", "zh-Hans-CN"),
            ("sr__#Latn", "sr-Latn"),
            ("th_TH_TH_#u-nu-thai", "th-TH"),
            ("en_US_#u-fw-mon", "en-US"),
            ("zh-cmn-Hans-CN", "zh-Hans-CN"),
            ("zh-yue-HK", "yue-HK"),
            ("EN-us-U-FW-MON", "en-US"),
        ],
    )
    def test_drops_what_a_device_says_besides(self, text: str, canonical: str) -> None:
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
            "en-US-u",
            "en-US-u-",
            "en-US-u-x",
            "en-US-extension",
            "en-US-x",
            "x-private",
            "i-klingon",
            "C.UTF-8",
            "POSIX",
            "en_US.",
            "de@",
            "@calendar=gregorian",
            "en-US,en;q=0.9",
            "en US",
            "en-US-posix-u",
            "u-fw-mon",
            "zh_TW_#",
            "zh_#",
            "_#Hant",
            "en-xxx-US",
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
