"""The password policy: lengths, common passwords, and the person's own words."""

from __future__ import annotations

from time import perf_counter

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from app.domain.calendar_words import calendar_words
from app.domain.errors import Refused, UserErrorCode
from app.domain.listed_passwords import is_listed
from app.domain.passwords import PasswordPolicy

POLICY = PasswordPolicy(shop_name="Demo shop")
GERMAN = PasswordPolicy("Demo shop", languages=frozenset({"de"}))


def refusal_of(password: str, *personal: str | None, policy: PasswordPolicy = POLICY) -> UserErrorCode | None:
    try:
        policy.check(password, personal)
    except Refused as refusal:
        return refusal.code
    return None


class TestLength:
    def test_accepts_eight_characters(self) -> None:
        assert refusal_of("Kz7mQp2x") is None

    def test_refuses_seven_characters(self) -> None:
        assert refusal_of("Kz7mQp2") is UserErrorCode.PASSWORD_TOO_SHORT

    def test_follows_the_minimum_of_the_shop(self) -> None:
        policy = PasswordPolicy("Demo shop", minimum_length=15)
        assert refusal_of("Kz7mQp2xKt9wLe", policy=policy) is UserErrorCode.PASSWORD_TOO_SHORT

    def test_accepts_256_characters(self) -> None:
        assert refusal_of("Kz7mQp2x-" * 28 + "wxyz") is None

    def test_refuses_257_characters(self) -> None:
        assert refusal_of("Kz7mQp2x-" * 28 + "wxyz!") is UserErrorCode.PASSWORD_TOO_LONG

    def test_counts_code_points(self) -> None:
        assert refusal_of("😀🐝🌵🚲🎺🧭🪁") is UserErrorCode.PASSWORD_TOO_SHORT


class TestCommon:
    @pytest.mark.parametrize(
        "password", ["password123", "Password123", "PASSWORD123", "qwertyuiop", "jennifer", "p@ssw0rd"]
    )
    def test_refuses_common_passwords_in_any_case(self, password: str) -> None:
        assert refusal_of(password) is UserErrorCode.PASSWORD_TOO_COMMON

    @pytest.mark.parametrize("password", ["88888888", "987654321", "123123123", "abcdefgh", "1" * 256, "password" * 2])
    def test_refuses_repetitions_and_sequences(self, password: str) -> None:
        assert refusal_of(password) is UserErrorCode.PASSWORD_TOO_COMMON

    @pytest.mark.slow
    def test_refuses_the_3000_most_common_that_are_long_enough(self) -> None:
        common = [password for password in FREQUENCY_LISTS["passwords"] if len(password) >= 8][:3_000]
        accepted = [password for password in common if refusal_of(password.title()) is None]
        assert len(common) == 3_000
        assert accepted == []

    @pytest.mark.parametrize(
        "password", ["correct horse battery", "tulip-kettle-42", "Sommer-Regen-71", "newpassword456"]
    )
    def test_accepts_others(self, password: str) -> None:
        assert refusal_of(password) is None

    @pytest.mark.parametrize(
        "password",
        ["p4ssw0rd", "P@55w0rd", "p4ssw0rd1", "5un5h1n3", "b4s3b4ll", "f00tb4ll", "l3tm31n!", "$un$h1ne"],
    )
    def test_refuses_common_passwords_with_digits_and_signs_for_letters(self, password: str) -> None:
        assert refusal_of(password) is UserErrorCode.PASSWORD_TOO_COMMON

    def test_refuses_every_password_of_another_list(self) -> None:
        common = [password for password in FREQUENCY_LISTS["passwords"] if len(password) >= 8]
        assert len(common) > 11_000
        assert [password for password in common if not is_listed(password)] == []


class TestCalendar:
    @pytest.mark.parametrize(
        "password",
        [
            "Summer2026!",
            "summer-2026",
            "2026summer",
            "Winter26",
            "S0mmer2026",
            "5umm3r2026",
            "Sommer2026",
            "SommerSommer26",
            "März2026!",
            "Maerz2026",
            "marz-2026",
            "Frühling26",
            "Fruehling26",
            "FRUHLING26",
            "Januar 2026",
            "24Dezember2026",
            "jan.2026",
            "Monday123!",
            "Montag!!!",
        ],
    )
    def test_refuses_a_season_a_month_or_a_day_with_a_number(self, password: str) -> None:
        assert refusal_of(password, policy=GERMAN) is UserErrorCode.PASSWORD_TOO_COMMON

    @pytest.mark.parametrize(
        ("language", "password"),
        [
            ("fr", "Février2026"),
            ("fr", "printemps26"),
            ("es", "Otoño2026"),
            ("es-MX", "Verano2026"),
            ("it", "estate-2026"),
            ("pl", "Jesień2026"),
            ("ru", "Январь2026"),
            ("uk", "літо20262"),
            ("el", "Καλοκαίρι26"),
            ("tr", "Sonbahar26"),
            ("nb", "høst20261"),
        ],
    )
    def test_knows_the_languages_of_the_sites_and_no_other(self, language: str, password: str) -> None:
        policy = PasswordPolicy("Demo shop", languages=frozenset({language}))
        assert refusal_of(password, policy=policy) is UserErrorCode.PASSWORD_TOO_COMMON
        assert refusal_of(password) is None

    def test_has_seasons_for_each_language_of_the_mails_and_ignores_what_is_none(self) -> None:
        assert calendar_words(["xx-nothing"]) == calendar_words([])

    @pytest.mark.parametrize(
        "password",
        [
            "Sommer-Regen-71",
            "Summer-Kq7x2",
            "marathon-42x",
            "wintergarden-kettle",
            "a walk in march 2026 at noon",
            "summer 8374 6592 0185",
        ],
    )
    def test_accepts_such_a_word_among_others(self, password: str) -> None:
        assert refusal_of(password, policy=GERMAN) is None


class TestPersonal:
    @pytest.mark.parametrize(
        "password",
        [
            "demoshop",
            "DemoShop-2031",
            "demo shop!",
            "Annabella.Schmidt",
            "schmidt-Annabella-7",
            "\uff33CHMIDT-annabella",
        ],
    )
    def test_refuses_what_is_made_of_personal_words(self, password: str) -> None:
        assert refusal_of(password, "annabella.schmidt", "Annabella", None) is UserErrorCode.PASSWORD_TOO_PERSONAL

    def test_refuses_a_common_password_beside_a_personal_word(self) -> None:
        assert refusal_of("zebulon-password", "zebulon") is UserErrorCode.PASSWORD_TOO_PERSONAL

    def test_accepts_a_long_password_with_a_name_in_it(self) -> None:
        assert refusal_of("Anna walks over seven green hills", "anna", "Anna") is None

    def test_passes_over_words_of_three_characters(self) -> None:
        assert refusal_of("ida7Kq2x", "ida", "Ida") is None

    @pytest.mark.parametrize(
        "password",
        [
            "Ida-2026!",
            "ida19850412",
            "1985IDA0412",
            "Müller2026",
            "Mueller-26",
            "Muller#2026",
            "L0velace1815",
            "lovelace18151210",
            "4d4l0v3l4c3!",
            "IdaMüller26",
            "IdaSummer2026!",
            "D3m0sh0p2026",
            "DemoWinter26",
        ],
    )
    def test_refuses_names_with_a_number_however_they_are_spelled(self, password: str) -> None:
        names = ("ida.lovelace", "Ida", "Müller", "Ada")
        assert refusal_of(password, *names) is UserErrorCode.PASSWORD_TOO_PERSONAL

    @pytest.mark.parametrize(
        "password", ["lovelace-tulip-42", "ida walks to sea", "mullerian-kq7", "lovelace 83746592018"]
    )
    def test_accepts_names_beside_more_than_a_number(self, password: str) -> None:
        assert refusal_of(password, "ida.lovelace", "Ida", "Müller") is None

    def test_takes_a_long_password_of_nothing_but_letters_and_numbers_in_no_time(self) -> None:
        began = perf_counter()
        refusal_of("4n4" * 80 + "x", "ana", "Ana", "Nana", "An")
        assert perf_counter() - began < 1

    def test_accepts_the_same_words_for_somebody_else(self) -> None:
        assert refusal_of("schmidt-Annabella-7", "bob") is None


class TestCheck:
    def test_answers_the_password_exactly_as_typed(self) -> None:
        assert POLICY.check("  Kz7mQp2\u0308x ") == "  Kz7mQp2\u0308x "

    def test_has_a_sentence_for_each_refusal(self) -> None:
        with pytest.raises(Refused, match="at least 8 characters"):
            POLICY.check("short")
