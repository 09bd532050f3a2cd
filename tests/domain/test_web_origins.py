"""Origins that a client may register, and whom they let in."""

from __future__ import annotations

import pytest

from app.domain.web_origins import Origins, RegisteredOrigin, check_client_origin


class TestCheckClientOrigin:
    @pytest.mark.parametrize(
        "origin",
        [
            "https://shop.test",
            "https://localhost",
            "capacitor://localhost",
            "ionic://localhost",
            "tauri://localhost",
            "http://tauri.localhost",
            "https://*.preview.example",
            "https://*.preview.shop.co.uk",
            "https://*.preview.example:8443",
            "https://*.my-team.vercel.app",
            "https://*.city.kawasaki.jp",
        ],
    )
    def test_takes_web_sites_apps_and_one_label_of_a_domain_of_ones_own(self, origin: str) -> None:
        assert check_client_origin(origin, loopback=False) == origin

    @pytest.mark.parametrize(
        "suffix",
        [
            "com",
            "co.uk",
            "example",
            "xn--p1ai",
            "github.io",
            "vercel.app",
            "netlify.app",
            "kawasaki.jp",
            "anything.kawasaki.jp",
            "compute.amazonaws.com",
            "amazonaws.com",
            "localhost",
        ],
    )
    def test_refuses_a_wildcard_where_anybody_can_have_a_name(self, suffix: str) -> None:
        with pytest.raises(ValueError, match="public suffix"):
            check_client_origin(f"https://*.{suffix}", loopback=True)

    @pytest.mark.parametrize(
        "origin",
        [
            "*",
            "https://*",
            "https://*.",
            "https://**.shop.test",
            "https://*.*.shop.test",
            "https://a.*.shop.test",
            "https://preview-*.shop.test",
            "http://*.shop.test",
            "http://*.localhost:3000",
            "capacitor://*",
            "https://*.192.0.2.1",
            "https://*.shop.test/",
            "https://*.shop.test/path",
        ],
    )
    def test_refuses_every_other_wildcard(self, origin: str) -> None:
        with pytest.raises(ValueError, match="write"):
            check_client_origin(origin, loopback=True)

    @pytest.mark.parametrize("origin", ["https://*.SHOP.test", "https://*.shop.test:443"])
    def test_says_how_to_write_a_wildcard(self, origin: str) -> None:
        with pytest.raises(ValueError, match=r"write 'https://\*\.shop\.test'"):
            check_client_origin(origin, loopback=True)

    @pytest.mark.parametrize(
        "origin", ["capacitor://shop.test", "capacitor://localhost/", "electron://localhost", "tauri://localhost:1"]
    )
    def test_refuses_every_other_scheme(self, origin: str) -> None:
        with pytest.raises(ValueError, match="is not a web address"):
            check_client_origin(origin, loopback=True)


class TestAllows:
    ORIGINS = Origins(
        [
            RegisteredOrigin("https://here.test", "here"),
            RegisteredOrigin("https://both.test", "here"),
            RegisteredOrigin("https://both.test", "there"),
            RegisteredOrigin("https://*.preview.test", "here"),
            RegisteredOrigin("https://*.ports.test:8443", "here"),
            RegisteredOrigin("capacitor://localhost", "here"),
        ]
    )

    @pytest.mark.parametrize(
        "origin",
        [
            "https://here.test",
            "https://a.preview.test",
            "https://a-1_2.preview.test",
            "https://a.ports.test:8443",
            "capacitor://localhost",
        ],
    )
    def test_lets_the_registered_in(self, origin: str) -> None:
        assert self.ORIGINS.allows(origin)
        assert self.ORIGINS.allows(origin, {"here"})
        assert not self.ORIGINS.allows(origin, {"there"})
        assert not self.ORIGINS.allows(origin, {"here", "there"})

    def test_lets_an_origin_of_two_shops_see_both(self) -> None:
        assert self.ORIGINS.allows("https://both.test", {"here", "there"})

    @pytest.mark.parametrize(
        "origin",
        [
            "null",
            "",
            "https://preview.test",
            "https://a.b.preview.test",
            "https://.preview.test",
            "https://*.preview.test",
            "http://a.preview.test",
            "https://a.preview.test:8443",
            "https://a.preview.test.evil",
            "https://evilpreview.test",
            "https://a.ports.test",
            "https://here.test.",
            "https://HERE.test",
            "ionic://localhost",
        ],
    )
    def test_lets_nobody_else_in(self, origin: str) -> None:
        assert not self.ORIGINS.allows(origin)
