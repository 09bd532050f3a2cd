"""Which addresses may be registered."""

from __future__ import annotations

import pytest

from app.domain.web_addresses import (
    check_mailed_link,
    check_origin,
    check_redirect_uri,
    check_target_url,
    check_web_url,
    is_loopback,
    is_public,
)


class TestIsLoopback:
    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
    def test_knows_this_machine(self, host: str) -> None:
        assert is_loopback(host)

    @pytest.mark.parametrize("host", ["localhost.evil.test", "127.0.0.1.evil.test", "10.0.0.1", "shop.test", ""])
    def test_is_not_taken_in_by_a_look_alike(self, host: str) -> None:
        assert not is_loopback(host)


class TestIsPublic:
    @pytest.mark.parametrize("address", ["1.1.1.1", "203.0.114.1", "2606:4700:4700::1111"])
    def test_knows_the_internet(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize(
        "address",
        [
            *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "192.0.2.1"),
            *("0.0.0.0", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "198.18.0.1"),  # noqa: S104
            *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1"),
        ],
    )
    def test_knows_what_is_not_for_everybody(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize(
        "address",
        ["::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::808:808", "64:ff9b:1::808:808", "2002:808:808::1", "2001::1"],
    )
    def test_trusts_no_translation(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize("text", ["", "shop.test", "2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
    def test_is_not_taken_in_by_what_is_no_address(self, text: str) -> None:
        assert not is_public(text)


class TestCheckWebUrl:
    @pytest.mark.parametrize("url", ["https://shop.test", "https://shop.test:8443/de/", "https://[2001:db8::1]/"])
    def test_takes_https(self, url: str) -> None:
        assert check_web_url(url, loopback=False) == url

    def test_takes_http_on_loopback_only_where_it_is_allowed(self) -> None:
        assert check_web_url("http://[::1]:80", loopback=True) == "http://[::1]:80"
        with pytest.raises(ValueError, match="in production"):
            check_web_url("http://[::1]:80", loopback=False)

    @pytest.mark.parametrize(
        "url",
        [
            "http://shop.test",
            "ftp://shop.test",
            "shop.test",
            "https://",
            "https:///x",
            "https://user@shop.test",
            "https://shop.test?x",
            "https://shop.test/#x",
            "https://shop.test?",
            "https://shop.test:99999",
            "https://shop.test:0",
            "https://shop .test",
            "https://shop.test\\@evil.test",
            "https://-shop.test",
            "https://[::1",
            "https://1.2.3",
            "https://0x7f000001",
            "https://straße.test",
        ],
    )
    def test_refuses_what_is_no_safe_address(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"must|is not|has a bad"):
            check_web_url(url, loopback=True)


class TestCheckOrigin:
    @pytest.mark.parametrize("origin", ["https://shop.test", "https://shop.test:8443", "http://[::1]:5173"])
    def test_takes_what_a_browser_sends(self, origin: str) -> None:
        assert check_origin(origin, loopback=True) == origin

    @pytest.mark.parametrize("origin", ["https://shop.test/", "https://shop.test:443", "https://SHOP.test"])
    def test_says_what_a_browser_would_send(self, origin: str) -> None:
        with pytest.raises(ValueError, match=r"write 'https://shop.test'"):
            check_origin(origin, loopback=True)


class TestCheckRedirectUri:
    @pytest.mark.parametrize(
        "uri", ["https://shop.test/callback?a=b", "com.example.shop:/callback", "http://127.0.0.1:5173/callback"]
    )
    def test_takes_a_web_page_an_app_and_loopback_even_in_production(self, uri: str) -> None:
        assert check_redirect_uri(uri, loopback=False) == uri

    def test_takes_the_name_localhost_in_development_only(self) -> None:
        assert check_redirect_uri("http://localhost/c", loopback=True) == "http://localhost/c"
        with pytest.raises(ValueError, match="in production"):
            check_redirect_uri("http://localhost/c", loopback=False)

    @pytest.mark.parametrize(
        "uri",
        [
            "https://shop.test/#x",
            "https://*.shop.test/callback",
            "http://localhost.evil.test/c",
            "javascript:alert(1)",
            "javascript:/alert(1)",
            "intent://callback",
            "localhost:3000/callback",
            "myapp:callback",
            "myapp:/\\evil.test",
            "com.example.shop:callback",
            "com.example.shop:/call back",
        ],
    )
    def test_refuses_what_could_lead_astray(self, uri: str) -> None:
        with pytest.raises(ValueError, match=r"must|is not a web address"):
            check_redirect_uri(uri, loopback=True)

    @pytest.mark.parametrize("uri", ["myapp:/callback", "myapp://callback", "exp://127.0.0.1:8081/--/callback"])
    def test_takes_a_scheme_of_one_word_in_development_only(self, uri: str) -> None:
        assert check_redirect_uri(uri, loopback=True) == uri
        with pytest.raises(ValueError, match="in production: a scheme of one word belongs to nobody"):
            check_redirect_uri(uri, loopback=False)

    def test_says_which_scheme_serves_in_production(self) -> None:
        with pytest.raises(ValueError, match=r"Write the shop's domain reversed: 'com\.example\.myapp:/callback'"):
            check_redirect_uri("myapp:/callback", loopback=False)


class TestCheckMailedLink:
    @pytest.mark.parametrize("link", ["https://shop.test/app/reset", "https://shop.test/open?page=reset"])
    def test_takes_https(self, link: str) -> None:
        assert check_mailed_link(link, loopback=False) == link

    @pytest.mark.parametrize("link", ["com.example.shop:/reset", "myapp:/reset", "myapp://reset?a=b"])
    def test_takes_the_own_scheme_of_an_app_in_development_only(self, link: str) -> None:
        assert check_mailed_link(link, loopback=True) == link
        with pytest.raises(ValueError, match="in production: another app may claim the scheme"):
            check_mailed_link(link, loopback=False)

    def test_takes_http_on_loopback_in_development_only(self) -> None:
        assert check_mailed_link("http://localhost:5173/reset", loopback=True) == "http://localhost:5173/reset"
        with pytest.raises(ValueError, match="in production"):
            check_mailed_link("http://localhost:5173/reset", loopback=False)

    @pytest.mark.parametrize(
        "link",
        ["http://shop.test/reset", "https://shop.test/#reset", "javascript:/x", "/reset", "", "https://*.shop.test/r"],
    )
    def test_refuses_what_could_lead_astray(self, link: str) -> None:
        with pytest.raises(ValueError, match=r"must|is not a web address"):
            check_mailed_link(link, loopback=True)


class TestCheckTargetUrl:
    def test_takes_a_public_host_with_a_query(self) -> None:
        assert check_target_url("https://hooks.test/in?key=1", loopback=False) == "https://hooks.test/in?key=1"

    def test_takes_loopback_only_where_it_is_allowed(self) -> None:
        assert check_target_url("http://127.0.0.1:9000/", loopback=True) == "http://127.0.0.1:9000/"
        with pytest.raises(ValueError, match="not loopback"):
            check_target_url("https://127.0.0.1:9000/", loopback=False)

    @pytest.mark.parametrize(
        "url",
        [
            "https://10.0.0.1",
            "https://169.254.169.254/x",
            "https://[fe80::1]",
            "https://192.168.1.1",
            "https://h.test/#x",
        ],
    )
    def test_refuses_private_addresses_and_fragments(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"not a private address|no fragment"):
            check_target_url(url, loopback=True)
