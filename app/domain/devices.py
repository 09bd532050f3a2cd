"""Which browser and system a user agent names, in words that are safe to mail."""

from __future__ import annotations

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
# Android says that it is Linux as well.
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Macintosh": "Mac",
    "Linux": "Linux",
}


def describe_device(user_agent: str | None) -> str:
    """Return words such as `Firefox, Windows`; nothing for what we do not know.

    The caller writes the user agent, so that none of its own words may stand in a mail.
    """
    named = user_agent or ""
    found = [next((name for mark, name in marks.items() if mark in named), None) for marks in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found))
