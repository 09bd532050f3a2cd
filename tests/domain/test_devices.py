"""What a mail may say about a device."""

from __future__ import annotations

import pytest

from app.domain.devices import describe_device, device_key


class TestDescribeDevice:
    @pytest.mark.parametrize(
        ("user_agent", "words"),
        [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0", "Firefox, Windows"),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
                "Chrome, Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
                "Edge, Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
                "Safari, iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Chrome, Android",
            ),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.5 Safari/605.1.15", "Safari, Mac"),
            ("Shop/3.1 (Android)", "Android"),
        ],
    )
    def test_names_browser_and_system(self, user_agent: str, words: str) -> None:
        assert describe_device(user_agent) == words

    @pytest.mark.parametrize("user_agent", [None, "", "curl/8.0", "Call 0800 555 now: https://evil.example"])
    def test_repeats_nothing_of_what_it_does_not_know(self, user_agent: str | None) -> None:
        assert describe_device(user_agent) == ""


CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
PIXEL = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"


class TestDeviceKey:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (CHROME, CHROME.replace("130.0.0.0", "131.0.6778.86")),
            (CHROME, CHROME.replace("NT 10.0", "NT 11.0; Win64; x64")),
            (PIXEL, PIXEL.replace("Android 14", "Android 15")),
            ("Shop/3.1 (Android)", "Shop/4.0.1 (Android)"),
            ("okhttp/4.9", "okhttp/5.0"),
            (None, ""),
        ],
    )
    def test_is_the_same_after_an_update(self, one: str | None, other: str | None) -> None:
        assert device_key(one) == device_key(other)

    def test_is_another_for_each_browser_system_and_app(self) -> None:
        agents = [
            CHROME,
            CHROME + " Edg/130.0.0.0",
            CHROME.replace("Windows NT 10.0", "Macintosh"),
            PIXEL,
            PIXEL.replace("Chrome", "Firefox"),
            "Shop/3.1 (Android)",
            "Shop/3.1 (iPhone)",
            "okhttp/4.9",
            "curl/8.0",
            None,
        ]
        assert len(set(map(device_key, agents))) == len(agents)
