"""Addresses on envelopes: every country's own order and capitals, and nothing empty in between."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.domain.address_formats import FORMATTED, format_address
from app.domain.address_rules import address_rules
from tests.domain.test_address_rules import countries


def formatted(
    columns: Mapping[str, str], *, latin: bool = False, home: str | None = "DE", language: str = "en"
) -> list[str]:
    address = {**dict.fromkeys(FORMATTED), "contact_name": "Ada Lovelace", "street": "Main Street", **columns}
    return format_address(address, latin=latin, home=home, language=language).split("\n")


class TestFormatAddress:
    @pytest.mark.parametrize("country", countries())
    def test_leaves_no_line_empty_and_nothing_out(self, country: str) -> None:
        rules = address_rules(country)
        zip_code = rules.zip_code_examples[0] if rules.zip_code_examples else ""
        given = {"country": country, "street_number": "12", "extra_line1": "c/o Babbage", "company_name": "Engines Ltd"}
        for latin in (False, True):
            for more in ({}, {"city": "Somewhere"}, {"city": "Somewhere", "zip_code": zip_code}):
                lines = formatted({**given, **more}, latin=latin, home=None)
                assert all(line == line.strip() != "" for line in lines)
                text = "\n".join(lines).upper()
                needed = ["ADA LOVELACE", "ENGINES LTD", "MAIN STREET", "12", "C/O BABBAGE"]
                assert [each for each in [*needed, *map(str.upper, more.values())] if each not in text] == []

    @pytest.mark.parametrize(
        ("columns", "lines"),
        [
            (
                {"country": "DE", "street": "Lindenweg", "street_number": "5", "zip_code": "10117", "city": "Berlin"},
                ["Ada Lovelace", "Lindenweg 5", "10117 BERLIN"],
            ),
            (
                {"country": "US", "street_number": "12", "city": "Reno", "state": "NV", "zip_code": "89501"},
                ["Ada Lovelace", "12 Main Street", "RENO, NV 89501", "UNITED STATES"],
            ),
            (
                {"country": "GB", "street": "St James's Square", "street_number": "12", "city": "London"}
                | {"zip_code": "sw1y 4jh", "street_appendix": "Flat 3"},
                ["Ada Lovelace", "12 St James's Square", "Flat 3", "LONDON", "SW1Y 4JH", "UNITED KINGDOM"],
            ),
            (
                {"country": "FR", "street": "rue Soufflot", "street_number": "5 bis", "company_name": "Sorbonne"}
                | {"zip_code": "75271", "city": "Paris Cedex 06"},
                ["Sorbonne", "Ada Lovelace", "5 bis rue Soufflot", "75271 PARIS CEDEX 06", "FRANCE"],
            ),
            (
                {"country": "BR", "street": "Avenida Paulista", "street_number": "1578", "city": "São Paulo"}
                | {"state": "SP", "zip_code": "01310-200"},
                ["Ada Lovelace", "Avenida Paulista, 1578", "SÃO PAULO-SP", "01310-200", "BRAZIL"],
            ),
            (
                {"country": "SG", "street": "Bras Basah Road", "street_number": "1", "zip_code": "546080"}
                | {"city": "Singapore"},
                ["Ada Lovelace", "1 Bras Basah Road", "SINGAPORE 546080", "SINGAPORE"],
            ),
            (
                {"country": "AE", "city": "Dubai", "state": "دبي"},
                ["Ada Lovelace", "Main Street", "دبي", "UNITED ARAB EMIRATES"],
            ),
            (
                {"country": "IE", "city": "Cobh", "state": "Co. Cork", "zip_code": "P24 Y681"},
                ["Ada Lovelace", "Main Street", "COBH", "Co. Cork", "P24 Y681", "IRELAND"],
            ),
            (
                {"country": "LU", "zip_code": "L-1136", "city": "Luxembourg"},
                ["Ada Lovelace", "Main Street", "L-1136 Luxembourg".upper(), "LUXEMBOURG"],
            ),
            (
                {"country": "TR", "zip_code": "35620", "city": "Çiğli", "state": "İzmir"},
                ["Ada Lovelace", "Main Street", "35620 ÇİĞLİ/İzmir", "TÜRKIYE"],
            ),
            (
                {"country": "GR", "street": "Ερμού", "street_number": "1", "zip_code": "105 63", "city": "Αθήνα"},
                ["Ada Lovelace", "Ερμού 1", "105 63 ΑΘΗΝΑ", "GREECE"],
            ),
            (
                {"country": "JP", "street": "丸の内", "street_number": "1-1", "city": "千代田区", "state": "13"}
                | {"zip_code": "100-0005"},
                ["〒100-0005", "東京都", "千代田区", "丸の内1-1", "Ada Lovelace", "JAPAN"],
            ),
            (
                {"country": "XK", "zip_code": "10000", "city": "Pristina"},
                ["Ada Lovelace", "Main Street", "10000 PRISTINA", "KOSOVO"],
            ),
        ],
    )
    def test_is_as_the_country_writes_it(self, columns: dict[str, str], lines: list[str]) -> None:
        assert formatted(columns) == lines

    @pytest.mark.parametrize(
        ("columns", "lines"),
        [
            (
                {"country": "JP", "street": "1-1 Marunouchi", "state": "東京都", "zip_code": "100-0005"},
                ["Ada Lovelace", "1-1 Marunouchi, TOKYO", "100-0005", "JAPAN"],
            ),
            (
                {"country": "KR", "state": "서울특별시", "city": "강남구", "zip_code": "06321"},
                ["Ada Lovelace", "Main Street", "Gangnam-gu", "Seoul", "06321", "SOUTH KOREA"],
            ),
            (
                {"country": "HK", "state": "九龍", "city": "Mong Kok"},
                ["Ada Lovelace", "Main Street", "Mong Kok", "KOWLOON", "HONG KONG SAR CHINA"],
            ),
            ({"country": "DE", "zip_code": "10117", "city": "Berlin"}, ["Ada Lovelace", "Main Street", "10117 BERLIN"]),
        ],
    )
    def test_is_readable_abroad_in_latin_letters(self, columns: dict[str, str], lines: list[str]) -> None:
        assert formatted(columns, latin=True) == lines

    @pytest.mark.parametrize(
        ("language", "latin", "name"),
        [
            ("de-DE", False, "VEREINIGTES KÖNIGREICH"),
            ("ja", False, "イギリス"),
            ("ja", True, "UNITED KINGDOM"),
            ("tr", False, "BİRLEŞİK KRALLIK"),
        ],
    )
    def test_names_the_country_in_the_language_of_the_site(self, language: str, latin: bool, name: str) -> None:
        assert formatted({"country": "GB", "city": "London"}, latin=latin, language=language)[-1] == name

    def test_names_no_country_at_home(self) -> None:
        assert formatted({"country": "GB", "city": "London"}, home="GB")[-1] == "LONDON"

    @pytest.mark.parametrize(
        ("columns", "line"),
        [
            ({"country": "DE", "street": "Lindenweg 5", "street_number": "5"}, "Lindenweg 5"),
            ({"country": "US", "street": "5 Main Street", "street_number": "5"}, "5 Main Street"),
            ({"country": "DE", "street": "Straße des 17. Juni", "street_number": "17"}, "Straße des 17. Juni 17"),
            ({"country": "DE", "street": "Platz 15", "street_number": "5"}, "Platz 15 5"),
        ],
    )
    def test_writes_a_number_once(self, columns: dict[str, str], line: str) -> None:
        assert formatted({"city": "X", **columns})[1] == line
