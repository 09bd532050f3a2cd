"""Card numbers are found however they are written."""

from __future__ import annotations

import pytest

from app.domain.card_numbers import holds_card_number


class TestHoldsCardNumber:
    @pytest.mark.parametrize(
        "text",
        [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111 \u2013 1111\u00a01111 1111",
            "378282246310005",
            "6304000000000000",
            "4222222222222",
            "card 4111111111111111!",
            "tok4111111111111111x",
            "4111 1111 1111 1111 12 2031",
            "31 4111 1111 1111 1111",
            "4111\u200b1111\u200b11111111",
            "\uff14" + "\uff11" * 15,
            "\u0664" + "\u0661" * 15,
        ],
    )
    def test_finds_one(self, text: str) -> None:
        assert holds_card_number(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "4242",
            "pm_1MvQa22eZvKYlo2C",
            "4111111111111112",
            "41111111111",
            "41111111111111111111111111111111",
            "4111x1111x1111x1111",
            "550e8400-e29b-41d4-a716-446655440000",
            "Ada Lovelace",
            "12/2031",
        ],
    )
    def test_finds_none(self, text: str) -> None:
        assert not holds_card_number(text)
