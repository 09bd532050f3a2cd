"""What staff type and whom it finds: the folding of names, companies, phone numbers and addresses."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.search_words import (
    FOLDING,
    MOST_WORDS,
    _ascii,
    _split,
    _unicode,
    fold,
    order_key,
    without_beginnings,
    words_of_emails,
    words_of_search,
    words_of_texts,
    words_of_whole_name,
)
from app.domain.searchable import Searchable, WordRow
from app.models.addresses import Address
from app.models.customers import Customer
from tests.harness.rows import NOW


def named(last_name: str | None = None, **values: Any) -> Searchable:
    """Return what is stored of a customer with this name, or these values of the profile."""
    return Searchable().with_profile(
        Customer(
            tenant_id="shop",
            id="a",
            customer_number="1",
            shopper_reference="a",
            created_at=NOW,
            updated_at=NOW,
            last_name=last_name,
            **values,
        )
    )


def living(**values: Any) -> Searchable:
    """Return what is stored of a customer with such an address."""
    return Searchable().with_addresses([Address(tenant_id="shop", **values)])


def reached(stored: Searchable, search: str) -> bool:
    """Tell whether the search finds the customer: by the text, and just as well by order key and index."""
    words = words_of_search(search)
    by_text = [f" {word}" in stored.text for word in words]
    by_index = [
        stored.key.startswith(word) or any(row.word.startswith(word) and row.shared < len(word) for row in stored.rows)
        for word in words
    ]
    assert by_text == by_index
    return bool(words) and all(by_text)


SEARCHES: list[tuple[str | dict[str, str], str]] = [
    ("Łuczak", "luczak"),
    ("Luczak", "ŁUCZAK"),
    ("Øst", "ost"),
    ("Øst", "oest"),
    ("Ǿrsted", "orsted"),
    ("Åberg", "aberg"),
    ("Åberg", "aaberg"),
    ("Đặng", "dang"),
    ("Nguyễn", "NGUYEN"),
    ("Œuvre", "oeuvre"),
    ("Æsir", "aesir"),
    ("Straße", "strasse"),
    ("STRASSE", "straße"),
    ("STRAẞE", "Strasse"),
    ("İbrahim", "ibrahim"),
    ("Ibrahim", "ibrahim"),
    ("\u0131brah\u0131m", "IBRAHIM"),
    ("IBRAHIM", "\u0131brah\u0131m"),
    ("İbrahim", "İBRAHİM"),
    ("O\u2019Brien", "o'brien"),
    ("O'Brien", "obrien"),
    ("O\u02bcBrien", "o\u00b4brien"),
    ("OBrien", "o\u2019brien"),
    ("O Brien", "o'brien"),
    ("O-Brien", "o'brien"),
    ("O\u2011Brien", "obrien"),
    ("O'Brien", "o-brien"),
    ("O'Brien", "o brien"),
    ("O'Brien", "brien"),
    ("D\u2019Angelo", "dangelo"),
    ("van der Berg", "vanderberg"),
    ("van der Berg", "berg"),
    ("Mc Donald", "mcdonald"),
    ("Jean-Luc", "jeanluc"),
    ("Jean-Luc", "jean-luc"),
    ("Jean Luc", "luc jean"),
    ("Müller", "muller"),
    ("Müller", "mueller"),
    ("Mu\u0308ller", "müller"),
    ("Müller", "mu\u0308ller"),
    ("\uff2c\uff55\uff43\uff5a\uff41\uff4b", "luczak"),
    ("Luczak", "\uff4c\uff55\uff43\uff5a"),
    ("\ufb01scher", "fischer"),
    ("Þór", "thor"),
    ("Kad\u0131köy", "kadikoy"),
    ("מֹשֶׁה", "משה"),
    ("משה", "מֹשֶׁה"),
    (
        "\u05d6\u05f3\u05d1\u05d5\u05d8\u05d9\u05e0\u05e1\u05e7\u05d9",
        "\u05d6\u05d1\u05d5\u05d8\u05d9\u05e0\u05e1\u05e7\u05d9",
    ),
    ("מוּחַמָּד\u200f", "מוחמד"),
    ("مُحَمَّد", "محمد"),
    ("مح\u0640\u0640مد", "محمد"),
    ("أحمد", "احمد"),
    ("Достоевский", "достоевский"),
    ("ДОСТОЕВСКИЙ", "достоевскии"),
    ("Королёв", "королев"),
    ("Παπαδόπουλος", "παπαδοπουλος"),
    ("ΠΑΠΑΔΟΠΟΥΛΟΣ", "παπαδόπουλος"),
    ("山田太郎", "山田"),
    ({"last_name": "王", "first_name": "小明"}, "王小明"),
    ({"last_name": "王", "first_name": "小明"}, "小明王"),
    ({"last_name": "王", "first_name": "小明"}, "小明 王"),
    ({"last_name": "山田", "first_name": "はなこ"}, "山田は"),
    ({"last_name": "김", "first_name": "철수"}, "김철수"),
    ({"last_name": "佐々木", "first_name": "ﾏﾘ"}, "佐々木マリ"),
    ("\u845b\U000e0100城", "葛城"),
    ("ﾔﾏﾀﾞ", "ヤマダ"),
    ("김철수", "김철"),
    ("कुमार", "कुमा"),
    ({"company": "AT&T"}, "at&t"),
    ({"company": "AT&T"}, "att"),
    ({"company": "株式会社・山田"}, "山田"),
    ({"last_name": "Lovelace", "first_name": "Ada", "company": "Analytical Engines"}, "eng ada love"),
    ({"contact_phone": "+49301234567"}, "030 1234567"),
    ({"contact_phone": "+49301234567"}, "030/123"),
    ({"contact_phone": "+49301234567"}, "+49 (0)30 1234567"),
    ({"contact_phone": "+49301234567"}, "0049 30 12 34"),
    ({"contact_phone": "+49301234567"}, "301234567"),
    ({"contact_phone": "+12125551234"}, "(212) 555-1234"),
    ({"contact_phone": "+12125551234"}, "212 555 1234"),
    ({"contact_phone": "+12125551234"}, "212-555-1234"),
    ({"contact_phone": "030 12"}, "03012"),
    ({"contact_email": "anna.smith@t-online.de"}, "anna.smith@t-online.de"),
    ({"contact_email": "anna.smith@t-online.de"}, "tonline"),
    ({"contact_email": "anna@bücher.example"}, "bücher.example"),
    ({"contact_email": "anna@bücher.example"}, "xn--bcher-kva.example"),
    ({"contact_email": "anna@bücher.example"}, "buecher"),
    ({"contact_email": "o'brien+shop@x.ie"}, "obrien"),
]


class TestPlainText:
    """ASCII is folded on a short way of its own, which must lead to the same words."""

    def test_is_folded_as_it_is_among_other_letters(self) -> None:
        for character in map(chr, range(128)):
            for text in (f"A{character}b", f"{character}A9", f"a b{character}"):
                # The letter at the end keeps the text off the short way.
                assert fold(f"{text}字") == f"{fold(text)}字"
                assert _split(f"{fold(text)} 字") == [*_split(fold(text)), "字"]

    @pytest.mark.parametrize("domain", ["Example.com", "a_b.example", "-a.de", "a..b", "XN--MLLER-KVA.de", "a.b-c.d"])
    def test_finds_a_domain_by_the_words_of_its_spellings(self, domain: str) -> None:
        spellings = {_ascii(domain), _unicode(domain)}
        assert set(words_of_emails([f"@{domain}"])) == {
            word for spelling in spellings for word in words_of_texts(spelling.split("."))
        }


class TestSearch:
    @pytest.mark.parametrize(("stored", "search"), SEARCHES)
    def test_finds_it_however_it_is_written(self, stored: str | dict[str, str], search: str) -> None:
        assert reached(named(**({"last_name": stored} if isinstance(stored, str) else stored)), search)

    @pytest.mark.parametrize(
        ("stored", "search"),
        [
            ("Luczak", "uczak"),
            ("Luczak", "luczaks"),
            ("Lovelace", "ada lovelace"),
            ("ガンダム", "カ"),
            ("김철수", "기"),
            ("山田太郎", "太郎"),
            ("Анна", "anna"),
            ("Müller", "m\u00fcllerin"),
            ("Luczak", "!!!"),
            ("Luczak", "%zak"),
            ("Luczak", "l_czak"),
        ],
    )
    def test_finds_no_other(self, stored: str, search: str) -> None:
        assert not reached(named(stored), search)

    @pytest.mark.parametrize(
        "search",
        [
            "frit elsas",
            "elsas-str",
            "fritzelsasstrasse",
            "20a",
            "70173",
            "stutt",
            "baden-wurt",
            "emporix",
            "0711 23456789",
        ],
    )
    def test_looks_into_addresses(self, search: str) -> None:
        stored = living(
            contact_name="John Doe",
            company_name="Emporix",
            street="Fritz-Elsas-Straße",
            street_number="20a",
            zip_code="70173",
            city="Stuttgart",
            state="Baden-Württemberg",
            country="DE",
            contact_phone="+4971123456789",
        )
        assert reached(stored, search)

    @pytest.mark.parametrize("search", ["sw1a 1aa", "SW1A1AA", "sw1"])
    def test_knows_a_postal_code_in_two_parts(self, search: str) -> None:
        assert reached(living(contact_name="A", street="B", zip_code="SW1A 1AA", country="GB"), search)


class TestWholeName:
    @pytest.mark.parametrize(
        ("last_name", "first_name"), [("王", "Anna"), ("Ван", "Анна"), ("王", None), (None, "小明"), ("王", "・")]
    )
    def test_is_one_word_only_where_it_is_written_so(self, last_name: str | None, first_name: str | None) -> None:
        assert list(words_of_whole_name(last_name, first_name)) == []

    def test_takes_no_more_rows_of_the_index_than_its_parts(self) -> None:
        assert named("王", first_name="小明").rows == {
            WordRow(1, "王小明", "王\t小明"),
            WordRow(0, "小明王", "王\t小明"),
        }


class TestFold:
    def test_makes_the_same_of_what_is_folded_already(self) -> None:
        for stored, _ in SEARCHES:
            for text in [stored] if isinstance(stored, str) else stored.values():
                assert fold(fold(text)) == fold(text)

    def test_does_not_change_without_a_new_version(self) -> None:
        # If this must change, raise FOLDING, and let a migration make the index anew of those who are folded otherwise.
        folded = fold("İSSŁØÐÞŒĳ O\u2019B \uff21\u2460½ \u0401\u0439 \u0386\u03c2 أ\u0640 ガ ﬃ ŉ ẞ ǅ")
        assert (FOLDING, folded) == (2, "isslodthoeij ob a11\u20442 еи \u03b1\u03c3 \u0627 ガ ffi n ss dz")


class TestWordsOfSearch:
    def test_leaves_out_the_beginnings_of_others(self) -> None:
        assert words_of_search("an anna ANNA bo") == ("anna", "bo")

    def test_are_cut_like_the_stored_ones(self) -> None:
        assert words_of_search("x" * 100) == ("x" * 64,)
        assert reached(named("x" * 100), "x" * 90)

    def test_of_nothing_but_signs_is_none(self) -> None:
        assert words_of_search(" -- % _ \0 \ud800 ") == ()

    def test_takes_no_longer_for_a_text_of_any_length(self) -> None:
        assert len(words_of_search(" ".join(map(str, range(10_000, 10_000 + MOST_WORDS))))) == MOST_WORDS


class TestOrderKey:
    def test_puts_the_last_name_before_the_first(self) -> None:
        names = [
            ("Berg", "Zoe"),
            ("Berg-Hansen", "Ada"),
            ("Bergé", "Bo"),
            ("Bergman", "Al"),
            (None, "Zed"),
            ("Łuk", "A"),
        ]
        ordered = sorted(names, key=lambda name: order_key(*name))
        assert ordered == [
            (None, "Zed"),
            ("Berg", "Zoe"),
            ("Berg-Hansen", "Ada"),
            ("Bergé", "Bo"),
            ("Bergman", "Al"),
            ("Łuk", "A"),
        ]

    def test_of_nobody_with_a_name_is_before_all_others(self) -> None:
        assert order_key(None, None) < order_key("a", None)


class TestRows:
    def test_leave_out_what_the_order_key_finds(self) -> None:
        stored = named("Meyer", first_name="Ada", contact_email="meyer87@x.com")
        assert stored.key == "meyer\tada"
        assert stored.rows == {
            WordRow(shared, word, "meyer\tada") for shared, word in ((0, "ada"), (5, "meyer87"), (0, "x"), (0, "com"))
        }
        assert without_beginnings(["ada", "adam", "bo", "bo"]) == ["adam", "bo"]

    def test_come_back_from_the_text(self) -> None:
        stored = named("Meyer", first_name="Ada").with_login("ada@x.com")
        assert Searchable.of_text(stored.key, stored.text) == stored
        assert Searchable().text == ""
