"""The ids of visits, and the tokens that have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.domain.tokens import TokenPrefix, hash_token, read_hint, read_prefix, read_visit_key, visit_tokens
from app.domain.visit_ids import begun_at, first_visit_id_at, text_of, visit_id_at

MOMENT = datetime(2026, 11, 30, 19, 22, 26, tzinfo=UTC)
MOMENTS = [MOMENT + timedelta(microseconds=number) for number in range(2000)]
ZEROS, ONES = bytes(32), b"\xff" * 32


class TestVisitId:
    @pytest.mark.parametrize("secret", [ZEROS, ONES], ids=["lowest", "highest"])
    def test_has_the_time_to_the_microsecond(self, secret: bytes) -> None:
        assert [begun_at(visit_id_at(moment, secret)) for moment in MOMENTS] == MOMENTS

    def test_is_a_uuid_of_version_7(self) -> None:
        made = UUID(text_of(visit_id_at(MOMENTS[999], ONES)))
        assert (made.version, made.variant) == (7, UUID(int=0x8000 << 48).variant)
        assert made.int >> 80 == int(MOMENT.timestamp() * 1000)

    def test_sorts_by_time(self) -> None:
        bounds = [first_visit_id_at(moment) for moment in MOMENTS]
        assert bounds == sorted(set(bounds))
        for moment, bound, later in zip(MOMENTS, bounds, bounds[1:], strict=False):
            assert bound <= visit_id_at(moment, ZEROS) < visit_id_at(moment, ONES) < later


class TestVisitTokens:
    VISIT_ID = visit_id_at(MOMENT, ONES)
    ACCESS, REFRESH = visit_tokens("shop", VISIT_ID, ZEROS)

    def test_are_an_access_and_a_refresh_token_of_their_own_form(self) -> None:
        assert read_prefix(self.ACCESS.text) is TokenPrefix.ANONYMOUS_ACCESS
        assert read_prefix(self.REFRESH.text) is TokenPrefix.ANONYMOUS_REFRESH
        assert len(self.ACCESS.text) == len(self.REFRESH.text) == 78

    def test_say_the_same_visit_and_the_hash_of_the_access_token(self) -> None:
        of_access, of_refresh = read_visit_key(self.ACCESS.text), read_visit_key(self.REFRESH.text)
        assert of_access is not None
        assert of_access == of_refresh
        assert (of_access.visit_id, of_access.access_hash) == (self.VISIT_ID, hash_token(self.ACCESS.text))

    def test_have_different_hashes(self) -> None:
        assert hash_token(self.REFRESH.text) == self.REFRESH.hash != self.ACCESS.hash

    def test_do_not_tell_each_other(self) -> None:
        body = self.ACCESS.text.removeprefix(TokenPrefix.ANONYMOUS_ACCESS)
        forged = read_visit_key(TokenPrefix.ANONYMOUS_REFRESH + body)
        assert forged is not None
        assert forged.access_hash != self.ACCESS.hash

    def test_have_the_hint_of_their_tenant(self) -> None:
        other, _ = visit_tokens("other", self.VISIT_ID, ZEROS)
        assert read_hint(self.ACCESS.text) == read_hint(self.REFRESH.text) != read_hint(other.text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "cg_aa_" + "a" * 71,
            "cg_aa_" + "a" * 71 + "=",
            "cg_ca_" + "a" * 72,
            "cg_aa_" + "ä" * 72,
            "cg_aa_" + "a" * 43,
        ],
    )
    def test_are_no_other_texts(self, text: str) -> None:
        assert read_visit_key(text) is None
        assert len(hash_token(text)) == 32
