"""What a token looks like, and whose it says that it is."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from hashlib import sha256

import pytest

from app.domain.tokens import OpaqueToken, TokenPrefix, hint_of, read_hint, read_prefix

SECRET = bytes(range(32))


class TestOpaqueToken:
    @pytest.mark.parametrize("prefix", TokenPrefix)
    def test_of_a_tenant_is_what_release_1_0_takes_for_a_token(self, prefix: TokenPrefix) -> None:
        token = OpaqueToken.of_tenant(prefix, "shop", SECRET)
        assert re.fullmatch(r"(cg_[a-z]{2}_)[A-Za-z0-9_-]{43}", token.text, re.ASCII)
        assert token.hash == sha256(token.text.encode()).digest()
        assert read_prefix(token.text) is prefix

    def test_of_a_tenant_has_its_hint_and_26_random_bytes(self) -> None:
        text = OpaqueToken.of_tenant(TokenPrefix.CUSTOMER_ACCESS, "shop", SECRET).text
        assert read_hint(text) == hint_of("shop")
        assert urlsafe_b64decode(text.removeprefix("cg_ca_") + "=")[6:] == SECRET[6:]

    def test_does_not_name_its_tenant(self) -> None:
        text = OpaqueToken.of_tenant(TokenPrefix.ONE_TIME, "shop", SECRET).text
        assert b"shop" not in urlsafe_b64decode(text.removeprefix("cg_ot_") + "=")
        assert "shop" not in text

    def test_of_no_tenant_is_random_from_its_beginning(self) -> None:
        text = OpaqueToken.of(TokenPrefix.CUSTOMER_ACCESS, SECRET).text
        assert urlsafe_b64decode(text.removeprefix("cg_ca_") + "=") == SECRET


class TestHint:
    def test_is_the_same_in_every_release(self) -> None:
        # Tokens live for months, and have to go on hinting at their tenant.
        assert hint_of("shop") == "5Vqt5MeR"

    def test_is_another_for_each_of_many_tenants(self) -> None:
        assert len({hint_of(f"shop-{number}") for number in range(10_000)}) == 10_000

    def test_of_what_is_no_token_is_nothing_that_matters(self) -> None:
        assert [read_hint(text) for text in ("", "cg_ca_", "x")] == ["", "", ""]
