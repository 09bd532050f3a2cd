"""Cursors of connections."""

from __future__ import annotations

import pytest

from app.domain.cursors import decode_cursor, encode_cursor
from app.domain.errors import AccessCode, AccessError


class TestDecodeCursor:
    @pytest.mark.parametrize("parts", [("a",), ("name", "müller 山田", "01900000"), ("", "")])
    def test_reads_what_was_encoded(self, parts: tuple[str, ...]) -> None:
        cursor = encode_cursor(*parts)
        assert cursor.replace("-", "").replace("_", "").isalnum()
        assert decode_cursor(cursor, len(parts)) == parts

    @pytest.mark.parametrize(
        "cursor",
        ["", "!", "é", "bnVsbA", "W10", "WyJhIl0", "WyJhIiwxXQ", "WyJhIiwiXHUwMDAwIl0", "WyJhIiwiXHVkODAwIl0", "W" * 9],
    )
    def test_refuses_what_is_no_cursor_of_two_texts(self, cursor: str) -> None:
        with pytest.raises(AccessError) as refusal:
            decode_cursor(cursor, 2)
        assert refusal.value.code is AccessCode.BAD_REQUEST
