"""Client addresses: canonical, and forwarded only by proxies that are ours."""

from __future__ import annotations

import pytest

from app.http.client_address import ClientAddresses, canonical_address


class TestCanonicalAddress:
    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("203.0.113.9", "203.0.113.9"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("::1", "::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("203.0.113.009", "unknown"),
            ("testclient", "unknown"),
            ("", "unknown"),
        ],
    )
    def test_is_one_text_per_client(self, text: str, address: str) -> None:
        assert canonical_address(text) == address


class TestFind:
    @pytest.mark.parametrize(
        ("peer", "forwarded", "address"),
        [
            ("203.0.113.9", [b"198.51.100.1"], "203.0.113.9"),
            ("10.0.0.1", [b"198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", [b"198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", [b"6.6.6.6, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", [b"6.6.6.6, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", [b"6.6.6.6", b"198.51.100.1", b"10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", [b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", [b"198.51.100.1, garbage"], "10.0.0.1"),
            ("10.0.0.1", [b"198.51.100.1, \xff"], "10.0.0.1"),
            ("10.0.0.1", [b"198.51.100.1,"], "10.0.0.1"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("fd00::1", [b"2001:db8:1:2::5"], "2001:db8:1:2::/64"),
            (None, [b"198.51.100.1"], "unknown"),
        ],
    )
    def test_is_the_rightmost_hop_that_is_not_ours(
        self, peer: str | None, forwarded: list[bytes], address: str
    ) -> None:
        assert ClientAddresses(["10.0.0.0/8", "fd00::/8"]).find(peer, forwarded) == address

    def test_believes_nobody_without_proxies(self) -> None:
        assert ClientAddresses([]).find("10.0.0.1", [b"198.51.100.1"]) == "10.0.0.1"

    def test_refuses_a_network_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="does not appear to be"):
            ClientAddresses(["proxy.example"])
