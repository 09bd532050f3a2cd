"""Slips in the domains of e-mail addresses: what is suggested, and where nothing is."""

from __future__ import annotations

import pytest

from app.domain.email_slips import suggest_email
from app.domain.emails import parse_email


class TestSuggestEmail:
    @pytest.mark.parametrize(
        ("domain", "meant"),
        [
            ("gmial.com", "gmail.com"),
            ("gmail.con", "gmail.com"),
            ("gmai.com", "gmail.com"),
            ("gmaill.com", "gmail.com"),
            ("gnail.com", "gmail.com"),
            ("gmail.co", "gmail.com"),
            ("gmail.de", "gmail.com"),
            ("gmal.de", "gmail.com"),
            ("gmail.co.uk", "gmail.com"),
            ("googlemail.co", "googlemail.com"),
            ("hotmial.com", "hotmail.com"),
            ("hotmal.de", "hotmail.de"),
            ("yaho.com", "yahoo.com"),
            ("yahoo.cm", "yahoo.com"),
            ("outlok.de", "outlook.de"),
            ("outlook.vom", "outlook.com"),
            ("iclod.com", "icloud.com"),
            ("icloud.de", "icloud.com"),
            ("web.d", "web.de"),
            ("wbe.de", "web.de"),
            ("gmx.nt", "gmx.net"),
            ("t-onlin.de", "t-online.de"),
            ("wanado.fr", "wanadoo.fr"),
            ("mail.ur", "mail.ru"),
            ("qq.con", "qq.com"),
            ("firma.con", "firma.com"),
            ("mail.firma.dee", "mail.firma.de"),
        ],
    )
    def test_mends_the_domain_of_a_likely_slip(self, domain: str, meant: str) -> None:
        assert suggest_email(parse_email(f"Ada.King+shop@{domain}")) == f"Ada.King+shop@{meant}"
        assert suggest_email(parse_email(f"ada@{meant}")) is None

    @pytest.mark.parametrize(
        "domain",
        [
            "gmail.com",
            "mail.com",
            "email.com",
            "ymail.com",
            "mac.com",
            "me.com",
            "love.com",
            "hotmail.nl",
            "yahoo.co.jp",
            "firma.de",
            "firma.co",
            "web.dev",
            "fee.fr",
            "uni-bonn.de",
            "gmail.shop.de",
            "bücher.de",
            "müller.xn--vermgensberatung-pwb",
            "shop.test",
            "shop.example",
            "example.com",
            "shop.international",
            "x.com",
            "test",
        ],
    )
    def test_suggests_nothing_for_what_may_be_right(self, domain: str) -> None:
        assert suggest_email(parse_email(f"ada@{domain}")) is None

    def test_keeps_a_local_part_of_another_alphabet(self) -> None:
        assert suggest_email(parse_email("Jürgen@gmial.com")) == "Jürgen@gmail.com"
