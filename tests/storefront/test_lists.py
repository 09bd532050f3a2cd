"""What the storefront has in lists of its own: every country of the gateway, and German words for every user error."""

from __future__ import annotations

import json
import re
import string

from app.domain.errors import Refused, UserErrorCode
from app.domain.locales import parse_country
from tests.harness.source import ROOT

SOURCES = ROOT / "app/http/storefront/src"


def is_country(code: str) -> bool:
    try:
        return parse_country(code) == code
    except Refused:
        return False


class TestCountries:
    def test_are_all_that_the_gateway_takes(self) -> None:
        listed = json.loads((SOURCES / "countries.json").read_text())
        every = [one + other for one in string.ascii_uppercase for other in string.ascii_uppercase]
        assert listed == [code for code in every if is_country(code)]


class TestGerman:
    def test_has_words_for_every_user_error(self) -> None:
        errors = (SOURCES / "texts/de.ts").read_text().split("\n  errors: {")[1]
        assert set(UserErrorCode) - set(re.findall(r"^ +([A-Z_]+):", errors, re.MULTILINE)) == set()
