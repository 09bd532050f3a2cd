"""E-mail addresses: what is accepted, shown and compared."""

from __future__ import annotations

import pytest

from app.domain.emails import EmailAddress, parse_email
from app.domain.errors import Refused, UserErrorCode


class TestParseEmail:
    def test_keeps_the_local_part_as_typed_and_folds_it_in_the_key(self) -> None:
        assert parse_email(" Anna.Smith@Shop.EXAMPLE ") == EmailAddress(
            "Anna.Smith@shop.example", "anna.smith@shop.example"
        )

    def test_compares_an_international_domain_by_its_ascii_form(self) -> None:
        unicode_form, ascii_form = parse_email("a@bücher.example"), parse_email("a@xn--bcher-kva.example")
        assert unicode_form == ascii_form == EmailAddress("a@bücher.example", "a@xn--bcher-kva.example")

    def test_compares_composed_and_decomposed_letters_alike(self) -> None:
        assert parse_email("zoe\u0308@shop.example").key == parse_email("ZOË@shop.example").key == "zoë@shop.example"

    @pytest.mark.parametrize("address", ["a@shop.test", "a@shop.example", "a+b@example.com"])
    def test_accepts_addresses_of_a_staging_shop(self, address: str) -> None:
        assert parse_email(address).address == address

    @pytest.mark.parametrize(
        "text",
        [
            "anna",
            "@shop.example",
            "anna@",
            "a@b@shop.example",
            "anna@shop",
            "anna@localhost",
            "a..b@shop.example",
            '"a b"@shop.example',
            "Anna <anna@shop.example>",
            "anna@[127.0.0.1]",
            "anna smith@shop.example",
            "anna@shop.example,eve@evil.example",
            "an\u202ena@shop.example",
            "an\0na@shop.example",
            "an\ud800na@shop.example",
            "x" * 65 + "@shop.example",
        ],
    )
    def test_refuses_what_is_no_single_plain_address(self, text: str) -> None:
        with pytest.raises(Refused) as refusal:
            parse_email(text)
        assert refusal.value.code is UserErrorCode.INVALID_EMAIL

    @pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\u2028", "\x85"])
    @pytest.mark.parametrize(
        "form", ["a{}Bcc: eve@evil.example", "a@shop.example{}Bcc: e@evil.example", '"a{}b"@x.example']
    )
    def test_refuses_line_breaks(self, form: str, line_break: str) -> None:
        with pytest.raises(Refused) as refusal:
            parse_email(form.format(line_break))
        assert refusal.value.code is UserErrorCode.INVALID_EMAIL

    @pytest.mark.parametrize("text", [None, "", "  "])
    def test_requires_an_address(self, text: str | None) -> None:
        with pytest.raises(Refused) as refusal:
            parse_email(text)
        assert refusal.value.code is UserErrorCode.REQUIRED

    def test_accepts_254_characters(self) -> None:
        domain = ".".join(["d" * 63, "d" * 63, "d" * 53, "example"])
        assert len(parse_email("x" * 64 + "@" + domain).address) == 254

    def test_refuses_255_characters(self) -> None:
        domain = ".".join(["d" * 63, "d" * 63, "d" * 54, "example"])
        with pytest.raises(Refused) as refusal:
            parse_email("x" * 64 + "@" + domain)
        assert refusal.value.code is UserErrorCode.TOO_LONG


class TestLocalPart:
    def test_is_what_stands_before_the_at_sign(self) -> None:
        assert parse_email("Anna.Smith+shop@shop.example").local_part == "Anna.Smith+shop"
