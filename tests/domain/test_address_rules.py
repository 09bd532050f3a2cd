"""The rules of every country: its own examples fit them, and each state is found by all its names."""

from __future__ import annotations

import re

import pytest

from app.domain.address_rules import FIELDS, address_rules, fill
from app.domain.errors import Refused
from app.domain.locales import parse_country

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def countries() -> list[str]:
    found = []
    for code in (first + second for first in LETTERS for second in LETTERS):
        try:
            found.append(parse_country(code))
        except Refused:
            continue
    return found


class TestEveryCountry:
    @pytest.mark.parametrize("country", countries())
    def test_fits_its_own_rules(self, country: str) -> None:
        rules = address_rules(country)
        named = re.findall(r"\{(\w+)\}", rules.format)
        assert set(rules.required_fields) <= set(named)
        assert {"contactName", "companyName", "street"} <= set(named) <= set(FIELDS.values())
        assert len(named) == len(set(named))
        if rules.format_latin is not None:
            assert sorted(re.findall(r"\{(\w+)\}", rules.format_latin)) == sorted(named)
        for zip_code in rules.zip_code_examples:
            assert rules.fits_zip_code(zip_code)
            assert rules.fits_zip_code(f" {zip_code.lower()} ")
        for state in rules.states:
            for text in (state.code, state.name, state.latin_name, f"{country}-{state.code}"):
                assert {rules.find_state(each) for each in (text, text.upper(), text.lower())} == {state}
        assert len({state.code for state in rules.states}) == len(rules.states)


class TestRequiredFields:
    @pytest.mark.parametrize(
        ("country", "required"),
        [
            ("DE", ["contactName", "street", "zipCode", "city"]),
            ("US", ["contactName", "street", "city", "state", "zipCode"]),
            ("JP", ["zipCode", "state", "street", "contactName"]),
            ("SG", ["contactName", "street", "zipCode"]),
            ("HK", ["state", "street", "contactName"]),
            ("MO", ["street", "contactName"]),
            ("GI", ["contactName", "street"]),
            ("AE", ["contactName", "street", "state"]),
            ("IE", ["contactName", "street", "city"]),
            ("BR", ["contactName", "street", "city", "state", "zipCode"]),
            ("IN", ["contactName", "street", "city", "zipCode", "state"]),
            ("KR", ["state", "city", "street", "contactName", "zipCode"]),
            ("XK", ["contactName", "street", "city"]),
            ("AQ", ["contactName", "street", "city"]),
        ],
    )
    def test_are_those_of_the_post(self, country: str, required: list[str]) -> None:
        assert list(address_rules(country).required_fields) == required


class TestFormat:
    @pytest.mark.parametrize(
        ("country", "local", "latin"),
        [
            ("DE", "{contactName}\n{companyName}\n{street}\n{zipCode} {city}", None),
            ("FR", "{companyName}\n{contactName}\n{street}\n{zipCode} {city}", None),
            ("CI", "{contactName}\n{companyName}\n{street} {city}", None),
            ("MC", "{contactName}\n{companyName}\n{street}\nMC-{zipCode} {city}", None),
            ("SG", "{contactName}\n{companyName}\n{street}\nSINGAPORE {zipCode}", None),
            ("IE", "{contactName}\n{companyName}\n{street}\n{city}\n{state}\n{zipCode}", None),
            (
                "JP",
                "〒{zipCode}\n{state}\n{street}\n{companyName}\n{contactName}",
                "{contactName}\n{companyName}\n{street}, {state}\n{zipCode}",
            ),
            (
                "KR",
                "{state} {city}\n{street}\n{companyName}\n{contactName}\n{zipCode}",
                "{contactName}\n{companyName}\n{street}\n{city}\n{state}\n{zipCode}",
            ),
        ],
    )
    def test_names_the_fields_that_there_are(self, country: str, local: str, latin: str | None) -> None:
        rules = address_rules(country)
        assert (rules.format, rules.format_latin) == (local, latin)


class TestFill:
    @pytest.mark.parametrize(
        ("country", "values", "lines"),
        [
            ("US", {"city": "Reno", "state": "NV", "zipCode": "89501"}, ["Reno, NV 89501"]),
            ("US", {"city": "Reno", "zipCode": "89501"}, ["Reno 89501"]),
            ("US", {"state": "NV", "zipCode": "89501"}, ["NV 89501"]),
            ("US", {"city": "Reno"}, ["Reno"]),
            ("MC", {"city": "Monaco"}, ["Monaco"]),
            ("JP", {"state": "東京都"}, ["東京都"]),
            ("SG", {}, ["SINGAPORE"]),
            ("GG", {}, ["GUERNSEY"]),
            ("DE", {}, []),
        ],
    )
    def test_writes_no_sign_for_what_is_missing(self, country: str, values: dict[str, str], lines: list[str]) -> None:
        assert list(fill(address_rules(country).lines, values)) == lines


class TestFitsZipCode:
    @pytest.mark.parametrize(
        ("country", "zip_code"),
        [
            ("GB", "sw1y4jh"),
            ("GB", "BFPO 61"),
            ("JP", "\uff11\uff10\uff10\u30fc\uff10\uff10\uff10\uff15"),
            ("IR", "\u06f1\u06f1\u06f9\u06f3\u06f6-\u06f1\u06f2\u06f3\u06f4\u06f5"),
            ("US", "95014\u20131234"),
            ("MC", "MC-98000"),
            ("SE", "se-114 55"),
            ("FR", "75006"),
            ("AE", "00000"),
            ("DE", "10117\u200b"),
        ],
    )
    def test_takes_what_people_type(self, country: str, zip_code: str) -> None:
        assert address_rules(country).fits_zip_code(zip_code)

    @pytest.mark.parametrize(
        ("country", "zip_code"), [("DE", "1011"), ("DE", "101171"), ("US", "ABCDE"), ("GB", "10117"), ("IE", "D02")]
    )
    def test_refuses_what_is_none_there(self, country: str, zip_code: str) -> None:
        assert not address_rules(country).fits_zip_code(zip_code)


class TestFindState:
    @pytest.mark.parametrize(
        ("country", "text", "code"),
        [
            ("US", "california", "CA"),
            ("US", "US-CA", "CA"),
            ("BR", "sao paulo", "SP"),
            ("TR", "Adiyaman", "02"),
            ("VN", "da nang", "DN"),
            ("JP", "tokyo", "13"),
            ("JP", "東京", "13"),
            ("CN", "北京", "11"),
            ("TW", "臺北市", "TPE"),
            ("HK", "九龍", "Kowloon"),
            ("HK", "kowloon", "Kowloon"),
            ("CA", "Québec", "QC"),
            ("CA", "Colombie-Britannique", "BC"),
            ("IE", "Cork", "CO"),
            ("IE", "County Cork", "CO"),
            ("AE", "دبي", "DU"),
            ("AE", "DUBAI", "DU"),
            ("KR", "서울", "11"),
            ("IN", "कर्नाटक", "KA"),
            ("ES", "Bizkaia", "BI"),
        ],
    )
    def test_knows_what_people_call_it(self, country: str, text: str, code: str) -> None:
        state = address_rules(country).find_state(text)
        assert state is not None
        assert state.code == code

    @pytest.mark.parametrize(("country", "text"), [("US", "Bavaria"), ("US", "ZZ"), ("DE", "BE"), ("JP", "-")])
    def test_knows_no_other(self, country: str, text: str) -> None:
        assert address_rules(country).find_state(text) is None
