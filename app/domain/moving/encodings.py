"""The encoding of a text file: as told, by its byte order mark, or else UTF-8 or Windows-1252."""

from __future__ import annotations

import codecs
from collections.abc import Iterable

# The marks of UTF-32 begin with those of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What `open` does with bytes that are no text: they become a character that no rule takes.
BROKEN = "app-broken"
_NO_TEXT = "\udcff"
_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
}


def _break(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _NO_TEXT, error.end


codecs.register_error(BROKEN, _break)


def find_encoding(chunks: Iterable[bytes], told: str | None = None) -> str:
    """Return the name of the codec. Raises `ValueError` for a told encoding that there is not.

    A file that is not quite UTF-8 is, if more of its characters beyond ASCII are right than wrong.
    """
    if told is not None:
        return _told(told)
    right = wrong = 0
    decoder = codecs.getincrementaldecoder("utf-8")(BROKEN)
    for index, chunk in enumerate(chunks):
        if index == 0:
            marked = _by_mark(chunk)
            if marked is not None:
                return marked
        if chunk.isascii():
            decoder.reset()
            continue
        text = decoder.decode(chunk)
        broken = text.count(_NO_TEXT)
        wrong += broken
        right += len(text) - len(text.encode("ascii", "ignore")) - broken
    return "utf-8" if right >= wrong else "cp1252"


def _by_mark(head: bytes) -> str | None:
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    # Text that begins with Latin letters, in UTF-16 without its mark.
    pairs = head[:200]
    if len(pairs) >= 4 and pairs[1::2].count(0) == len(pairs) // 2 and 0 not in pairs[::2]:
        return "utf-16-le"
    if len(pairs) >= 4 and pairs[::2].count(0) == (len(pairs) + 1) // 2 and 0 not in pairs[1::2]:
        return "utf-16-be"
    return None


def _told(name: str) -> str:
    try:
        codec = codecs.lookup(name)
        "a".encode(name)
    except LookupError:
        raise ValueError(f"--encoding {name}: there is no such encoding; try utf-8, windows-1252 or utf-16") from None
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def shown_encoding(codec: str) -> str:
    """Return the name of an encoding for people."""
    return _NAMES.get(codec, codec)
