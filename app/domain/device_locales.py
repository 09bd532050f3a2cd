"""Locales as devices and systems write them, brought down to language, script and region."""

from __future__ import annotations

import re

# Long enough for the extensions that devices send.
_MAXIMUM_LENGTH = 255
_SEPARATOR = r"[_-]"
# Unicode's `-u-` and `-t-`, other extensions, and private use (BCP 47).
_EXTENSIONS = re.compile(
    rf"(?:{_SEPARATOR}(?:[a-wyz0-9](?:{_SEPARATOR}[a-z0-9]{{2,8}})+))*(?:{_SEPARATOR}x(?:{_SEPARATOR}[a-z0-9]{{1,8}})+)?",
    re.IGNORECASE,
)
_END = r"(?![a-z0-9])"
_PLAIN = re.compile(
    rf"(?P<language>[a-z]{{2,3}}){_END}(?:{_SEPARATOR}(?P<extended>[a-z]{{3}}){_END})?"
    rf"(?:{_SEPARATOR}(?P<script>[a-z]{{4}}){_END})?(?:{_SEPARATOR}(?P<region>[a-z]{{2}}|[0-9]{{3}}){_END})?"
    rf"(?:{_SEPARATOR}(?:[a-z0-9]{{5,8}}|[0-9][a-z0-9]{{3}}){_END})*",
    re.IGNORECASE,
)
# Java and Android write the script behind the region: `zh_TW_#Hant`, `sr__#Latn`, `th_TH_TH_#u-nu-thai`.
_JAVA = re.compile(
    r"([a-z]{2,3})(?:_([a-z]{2}|[0-9]{3})?)(?:_\w+)?_#(?=.)([a-z]{4})?(?:[_-]?(?=[a-z0-9][_-])(.+))?", re.IGNORECASE
)
# POSIX has an encoding and a modifier: `en_US.UTF-8`, `sr_RS@latin`; ICU has keywords: `de_DE@calendar=gregorian`.
_POSIX = re.compile(r"([^.@]+)(?:\.([A-Za-z0-9_-]{1,32}))?(?:@([A-Za-z0-9_=;,/+:-]{1,200}))?")
_SCRIPTS = {"latin": "Latn", "cyrillic": "Cyrl", "devanagari": "Deva", "arabic": "Arab"}


def plain_locale(text: str) -> tuple[str, str | None, str | None]:
    """Return language, script and region as they are written in the locale of a device.

    Extensions (`-u-fw-mon`, `-t-…`, `-x-…`), keywords (`@calendar=gregorian`), encodings (`.UTF-8`) and variants
    (`POSIX`, `1996`) are dropped. Raises `ValueError` for what has not the form of a locale.
    """
    posix = _POSIX.fullmatch(text) if len(text) <= _MAXIMUM_LENGTH and text.isascii() else None
    if posix is None:
        raise ValueError(text)
    tag, _encoding, modifier = posix.groups()
    tag = _java(tag)
    plain = _PLAIN.match(tag)
    if plain is None or not _EXTENSIONS.fullmatch(tag, plain.end()):
        raise ValueError(text)
    language = plain["extended"] or plain["language"]
    return language, plain["script"] or _SCRIPTS.get((modifier or "").lower()), plain["region"]


def _java(tag: str) -> str:
    """Return the tag in the order of BCP 47, if it is written as Java writes it."""
    java = _JAVA.fullmatch(tag)
    if java is None:
        return tag
    language, region, script, extensions = java.groups()
    return "-".join(part for part in (language, script, region, extensions) if part)
