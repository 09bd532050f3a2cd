"""The browser and the system that a user agent names, in words that are safe to mail."""

from __future__ import annotations

# In this order: Edge and Opera also call themselves Chrome, and Chrome also calls itself Safari.
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


def describe_device(user_agent: str | None, between: str = ", ") -> str:
    """Return words such as `Firefox, Windows`, with `between` between the two; an empty text if we know neither.

    Anybody can send any user agent, so we never repeat its own words. A comma is right in every language.
    """
    named = user_agent or ""
    found = [next((name for mark, name in marks.items() if mark in named), None) for marks in (_BROWSERS, _SYSTEMS)]
    return between.join(filter(None, found))
