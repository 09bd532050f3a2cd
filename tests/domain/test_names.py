"""Names as staff search them."""

from __future__ import annotations

import pytest

from app.domain.names import MAXIMUM_LENGTH, search_name


class TestSearchName:
    @pytest.mark.parametrize(
        ("parts", "expected"),
        [
            (("Lovelace", "Ada"), "lovelace ada"),
            (("MÜLLER", "Zoë", None), "muller zoe"),
            (("Mu\u0308ller",), "muller"),
            (("Straße",), "strasse"),
            (("Ørsted",), "ørsted"),
            (("de  la Cruz,", " Ana "), "de la cruz ana"),
            (("Достоевский",), "достоевскии"),
            (("山田", "太郎"), "山田 太郎"),
            ((None, ""), ""),
            ((" , ",), ""),
        ],
    )
    def test_drops_case_accents_and_odd_spacing(self, parts: tuple[str | None, ...], expected: str) -> None:
        assert search_name(*parts) == expected

    def test_makes_the_same_of_a_name_as_of_a_search_for_it(self) -> None:
        assert search_name("Müller", "Zoë") == search_name("müller, zoë") == search_name(search_name("Müller Zoë"))

    def test_is_never_longer_than_its_column(self) -> None:
        assert len(search_name("ﷺ" * 100, "x" * 100)) == MAXIMUM_LENGTH
