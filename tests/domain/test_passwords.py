"""The password policy: lengths, common passwords, and the person's own words."""

from __future__ import annotations

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from app.domain.errors import Refused, UserErrorCode
from app.domain.passwords import PasswordPolicy

POLICY = PasswordPolicy(shop_name="Demo shop")


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

    def test_accepts_the_same_words_for_somebody_else(self) -> None:
        assert refusal_of("schmidt-Annabella-7", "bob") is None


class TestCheck:
    def test_answers_the_password_exactly_as_typed(self) -> None:
        assert POLICY.check("  Kz7mQp2\u0308x ") == "  Kz7mQp2\u0308x "

    def test_has_a_sentence_for_each_refusal(self) -> None:
        with pytest.raises(Refused, match="at least 8 characters"):
            POLICY.check("short")
