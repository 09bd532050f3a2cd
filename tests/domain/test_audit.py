"""How much of a client's address the audit keeps."""

from __future__ import annotations

import pytest

from app.domain.audit import shorten_ip


class TestShortenIp:
    @pytest.mark.parametrize(
        ("ip", "network"),
        [
            ("203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2::/64", "2001:db8:1::/48"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ],
    )
    def test_keeps_the_network(self, ip: str, network: str) -> None:
        assert shorten_ip(ip) == network

    @pytest.mark.parametrize("network", ["203.0.113.0/24", "2001:db8:1::/48"])
    def test_leaves_what_is_short_already(self, network: str) -> None:
        assert shorten_ip(network) == network

    @pytest.mark.parametrize("text", ["unknown", ""])
    def test_keeps_nothing_of_what_is_no_address(self, text: str) -> None:
        assert shorten_ip(text) is None
