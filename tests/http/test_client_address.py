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


def sent(*values: bytes, name: bytes = b"x-forwarded-for") -> list[tuple[bytes, bytes]]:
    return [(b"accept", b"198.51.100.99"), *((name, value) for value in values)]


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
            ("10.0.0.1", [b"198.51.100.1,"], "198.51.100.1"),
            ("10.0.0.1", [b" , 198.51.100.1 , ,", b""], "198.51.100.1"),
            ("10.0.0.1", [b"198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", [b"[2001:db8:1:2::5]:4711, 10.0.0.2:80"], "2001:db8:1:2::/64"),
            ("10.0.0.1", [b"[2001:db8:1:2::5]"], "2001:db8:1:2::/64"),
            ("10.0.0.1", [b"2001:db8:1:2::5:52384"], "2001:db8:1:2::/64"),
            ("10.0.0.1", [b"2001:db8:1:2::5:443"], "2001:db8:1:2::/64"),
            ("10.0.0.1", [b"2001:db8:1:2:3:4:5:6:443"], "2001:db8:1:2::/64"),
            ("10.0.0.1", [b"2001:db8:1:2:3:4:5:6:7:443"], "10.0.0.1"),
            ("10.0.0.1", [b"2001:db8:1:2::5:port"], "10.0.0.1"),
            ("10.0.0.1", [b"198.51.100.1:port"], "10.0.0.1"),
            ("10.0.0.1", [b"198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("fd00::1", [b"2001:db8:1:2::5"], "2001:db8:1:2::/64"),
            (None, [b"198.51.100.1"], "unknown"),
        ],
    )
    def test_is_the_rightmost_hop_that_is_not_ours(
        self, peer: str | None, forwarded: list[bytes], address: str
    ) -> None:
        assert ClientAddresses(["10.0.0.0/8", "fd00::/8"]).find(peer, sent(*forwarded)) == address

    def test_believes_nobody_without_proxies(self) -> None:
        assert ClientAddresses([]).find("10.0.0.1", sent(b"198.51.100.1")) == "10.0.0.1"

    def test_refuses_a_network_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="does not appear to be"):
            ClientAddresses(["proxy.example"])


class TestForwarded:
    @pytest.mark.parametrize(
        ("values", "address"),
        [
            ([b"for=198.51.100.1"], "198.51.100.1"),
            ([b"For=198.51.100.1;proto=https;by=10.0.0.2, for=10.0.0.3"], "198.51.100.1"),
            ([b'for="198.51.100.1:4711";host="a,b;c.example"'], "198.51.100.1"),
            ([b'for="[2001:db8:1:2::17]:4711"'], "2001:db8:1:2::/64"),
            ([b'proto=http;for="[2001:db8:1:2::17]"', b"for=10.0.0.3"], "2001:db8:1:2::/64"),
            ([b"for=6.6.6.6, for=198.51.100.1 ,"], "198.51.100.1"),
            ([b'for="evil', b"for=198.51.100.1"], "198.51.100.1"),
            ([b"for=unknown, for=10.0.0.3"], "10.0.0.3"),
            ([b"for=_hidden"], "10.0.0.1"),
            ([b"for=6.6.6.6, proto=https"], "10.0.0.1"),
            ([b"for=6.6.6.6;for=7.7.7.7"], "10.0.0.1"),
            ([b'for=6.6.6.6;x=", for=198.51.100.1'], "10.0.0.1"),
            ([b'for=6.6.6.6;x=", for="[2001:db8::1]"'], "10.0.0.1"),
            ([b"for 198.51.100.1"], "10.0.0.1"),
            ([b""], "10.0.0.1"),
        ],
    )
    def test_is_read_by_its_standard(self, values: list[bytes], address: str) -> None:
        assert ClientAddresses(["10.0.0.0/8"]).find("10.0.0.1", sent(*values, name=b"forwarded")) == address

    def test_is_second_to_x_forwarded_for(self) -> None:
        headers = [*sent(b"for=6.6.6.6", name=b"forwarded"), *sent(b"198.51.100.1")]
        assert ClientAddresses(["10.0.0.0/8"]).find("10.0.0.1", headers) == "198.51.100.1"

    def test_does_not_help_where_x_forwarded_for_says_nothing_that_can_be_read(self) -> None:
        headers = [*sent(b"for=6.6.6.6", name=b"forwarded"), *sent(b"unknown")]
        assert ClientAddresses(["10.0.0.0/8"]).find("10.0.0.1", headers) == "10.0.0.1"

    def test_is_not_believed_of_strangers(self) -> None:
        headers = sent(b"for=6.6.6.6", name=b"forwarded")
        assert ClientAddresses(["10.0.0.0/8"]).find("203.0.113.9", headers) == "203.0.113.9"


class TestNamedHeader:
    def test_replaces_both(self) -> None:
        addresses = ClientAddresses(["10.0.0.0/8"], "CF-Connecting-IP")
        others = [*sent(b"6.6.6.6"), *sent(b"for=6.6.6.6", name=b"forwarded")]
        headers = [*others, *sent(b"198.51.100.1", name=b"cf-connecting-ip")]
        assert addresses.find("10.0.0.1", headers) == "198.51.100.1"
        assert addresses.find("10.0.0.1", others) == "10.0.0.1"
        assert addresses.find("203.0.113.9", headers) == "203.0.113.9"


class TestLog:
    @pytest.mark.parametrize(
        ("name", "header"),
        [("X-Forwarded-For", None), ("Forwarded", None), ("Cf-Connecting-Ip", "CF-Connecting-IP")],
    )
    def test_names_an_unreadable_header_once(
        self, name: str, header: str | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        addresses = ClientAddresses(["10.0.0.0/8"], header)
        for value in (b"secret-of-somebody", b"another"):
            addresses.find("10.0.0.1", sent(value, name=name.lower().encode()))
        (record,) = caplog.records
        assert name in record.getMessage()
        assert "secret" not in record.getMessage()

    def test_says_nothing_of_what_strangers_send(self, caplog: pytest.LogCaptureFixture) -> None:
        ClientAddresses(["10.0.0.0/8"]).find("203.0.113.9", sent(b"nothing"))
        assert caplog.records == []
