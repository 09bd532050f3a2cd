"""The browser and the system that a user agent names, in words that are safe to mail."""

from __future__ import annotations

import re

# In this order: Edge and Opera say that they are Chrome as well, and Chrome that it is Safari.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
}
# Android also calls itself Linux.
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Macintosh": "Mac",
    "Linux": "Linux",
}


_PRODUCT = re.compile(r"[^\s/;()]*")
_MOBILE = ("Mobi", "iPhone", "iPad", "Android")


def describe_device(user_agent: str | None, between: str = ", ") -> str:
    """Return words such as `Firefox, Windows`, with `between` between the two; an empty text if we know neither.

    Anybody can send any user agent, so we never repeat its own words. A comma is right in every language.
    """
    return between.join(filter(None, _browser_and_system(user_agent or "")))


def device_key(user_agent: str | None) -> tuple[str, ...]:
    """Return what a device is known by: browser or app, system, and whether it is carried about; no version of any.

    So an update makes no other device of it. An app, or a browser that we do not know, counts by the name in front of
    the first `/` (RFC 9110 section 10.1.5).
    """
    named = user_agent or ""
    browser, system = _browser_and_system(named)
    product = _PRODUCT.match(named)
    program = browser or (product[0] if product else "")
    return program, system or "", "mobile" if any(mark in named for mark in _MOBILE) else "desktop"


def _browser_and_system(named: str) -> tuple[str | None, str | None]:
    browser, system = (
        next((name for mark, name in marks.items() if mark in named), None) for marks in (_BROWSERS, _SYSTEMS)
    )
    return browser, system
