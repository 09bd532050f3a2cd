"""Single values, as other systems and spreadsheets write them."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.moving import values


class TestMoment:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("2019-12-31 14:30:00", "2019-12-31T14:30:00+00:00"),
            ("2019-12-31 14:30:00 UTC", "2019-12-31T14:30:00+00:00"),
            ("2019/12/31 14:30", "2019-12-31T14:30:00+00:00"),
            ("31.12.2019 14:30", "2019-12-31T14:30:00+00:00"),
            ("3.4.2019", "2019-04-03T00:00:00+00:00"),
            ("12/31/2019", "2019-12-31T00:00:00+00:00"),
            ("31/12/2019 02:30 PM", "2019-12-31T14:30:00+00:00"),
            ("May 4, 2019 12:00:00 AM", "2019-05-04T00:00:00+00:00"),
            ("Sept. 24th, 2019", "2019-09-24T00:00:00+00:00"),
            ("4-Jun-2019", "2019-06-04T00:00:00+00:00"),
            ("Tue, 31 Dec 2019 14:30:00 +0100", "2019-12-31T14:30:00+01:00"),
            ("20191231143000", "2019-12-31T14:30:00+00:00"),
            (1577802600, "2019-12-31T14:30:00+00:00"),
            ("43830", "2019-12-31T00:00:00+00:00"),
            ("43830,5", "2019-12-31T12:00:00+00:00"),
            ("0000-00-00 00:00:00", None),
            # May be one of two days, or is none: a remark says so.
            ("03/04/2019", "03/04/2019"),
            ("1.2.20", "1.2.20"),
            ("30.2.2019", "30.2.2019"),
            ("Mayo 4, 2019", "Mayo 4, 2019"),
            ("2019", "2019"),
        ],
    )
    def test_is_read_where_it_is_clear(self, written: Any, read: str | None) -> None:
        assert values.moment(written) == read


class TestFlag:
    @pytest.mark.parametrize("word", ["TRUE", "Wahr", "VRAI", "Vero", "ja", "oui", "sí", "1", "1.0", True])
    def test_knows_a_yes_of_spreadsheets(self, word: Any) -> None:
        assert values.flag(word) is True

    @pytest.mark.parametrize("word", ["FALSE", "Falsch", "FAUX", "Falso", "nein", "non", "não", "0", "0.0", False])
    def test_knows_a_no_of_spreadsheets(self, word: Any) -> None:
        assert values.flag(word) is False


class TestCountry:
    @pytest.mark.parametrize(
        ("written", "code"),
        [
            ("Germany", "DE"),
            ("Deutschland", "DE"),
            ("Allemagne", "DE"),
            ("ÖSTERREICH", "AT"),
            ("Cote d\u2019Ivoire", "CI"),
            ("España", "ES"),
            ("USA", "US"),
            ("uk", "GB"),
            ("DEU", "DE"),
            ("de", "de"),
            ("XK", "XK"),
            ("Atlantis", "Atlantis"),
        ],
    )
    def test_is_known_by_name_and_code(self, written: str, code: str) -> None:
        assert values.country(written) == code


class TestText:
    def test_of_a_number_without_a_fraction_has_none(self) -> None:
        assert [values.text(17.0), values.text(17.5), values.text(10115)] == ["17", "17.5", "10115"]


class TestDigits:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("1234.0", "1234"),
            ("0123,0", "0123"),
            (1234.0, "1234"),
            ("'01067", "01067"),
            ("1234.50", "1234.50"),
            ("1.0.0", "1.0.0"),
            ("SW1A 1AA", "SW1A 1AA"),
            ("", None),
        ],
    )
    def test_are_no_amount(self, written: Any, read: str | None) -> None:
        assert values.digits(written) == read


class TestIsRounded:
    @pytest.mark.parametrize(
        ("written", "is_so"),
        [
            ("6.54E+12", True),
            ("6,54E+12", True),
            ("1.234E+03", True),
            ("1.2345678901234567e+16", True),
            (1.2345678901234567e16, True),
            ("6E5", False),
            (6, False),
            (1234.0, False),
            ("1234.0", False),
        ],
    )
    def test_sees_what_a_spreadsheet_has_done(self, written: Any, is_so: bool) -> None:
        assert values.is_rounded(written) is is_so
