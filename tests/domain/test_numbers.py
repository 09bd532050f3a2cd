"""Whole numbers stay within their bounds."""

from __future__ import annotations

import pytest

from app.domain.errors import Refused, UserErrorCode
from app.domain.numbers import whole_number


class TestWholeNumber:
    @pytest.mark.parametrize("number", [1, 5, 10])
    def test_takes_what_is_within(self, number: int) -> None:
        assert whole_number(1, 10)(number) == number

    @pytest.mark.parametrize("number", [0, 11, -1])
    def test_refuses_what_is_not(self, number: int) -> None:
        with pytest.raises(Refused, match="from 1 to 10") as refusal:
            whole_number(1, 10)(number)
        assert refusal.value.code is UserErrorCode.INVALID

    def test_wants_one(self) -> None:
        with pytest.raises(Refused) as refusal:
            whole_number(1, 10)(None)
        assert refusal.value.code is UserErrorCode.REQUIRED
