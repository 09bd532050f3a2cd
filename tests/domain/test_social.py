"""The proof key of a social login (PKCE)."""

from __future__ import annotations

import pytest

from app.domain.errors import Refused, UserErrorCode
from app.domain.social import answers_challenge, parse_code_challenge, parse_code_verifier

# The example of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class TestParseCodeChallenge:
    def test_takes_the_hash_of_a_verifier(self) -> None:
        assert parse_code_challenge(CHALLENGE) == CHALLENGE

    @pytest.mark.parametrize("text", ["", CHALLENGE[:-1], CHALLENGE + "A", CHALLENGE[:-1] + "=", CHALLENGE[:-1] + "é"])
    def test_refuses_anything_else(self, text: str) -> None:
        with pytest.raises(Refused) as caught:
            parse_code_challenge(text)
        assert caught.value.code == UserErrorCode.INVALID


class TestParseCodeVerifier:
    @pytest.mark.parametrize("text", [VERIFIER, "a" * 43, "z" * 128, "-._~" * 11])
    def test_takes_43_to_128_unreserved_characters(self, text: str) -> None:
        assert parse_code_verifier(text) == text

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", UserErrorCode.TOO_SHORT),
            ("a" * 42, UserErrorCode.TOO_SHORT),
            ("a" * 129, UserErrorCode.TOO_LONG),
            ("a" * 42 + "+", UserErrorCode.INVALID),
            ("a" * 42 + "\n", UserErrorCode.INVALID),
            ("ä" * 43, UserErrorCode.INVALID),
        ],
    )
    def test_refuses_anything_else(self, text: str, code: UserErrorCode) -> None:
        with pytest.raises(Refused) as caught:
            parse_code_verifier(text)
        assert caught.value.code == code


class TestAnswersChallenge:
    def test_is_true_for_the_example_of_the_standard(self) -> None:
        assert answers_challenge(VERIFIER, CHALLENGE)

    def test_is_false_for_another_verifier(self) -> None:
        assert not answers_challenge(VERIFIER[::-1], CHALLENGE)

    def test_is_false_for_the_challenge_itself(self) -> None:
        assert not answers_challenge(CHALLENGE, CHALLENGE)
