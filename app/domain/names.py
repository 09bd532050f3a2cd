"""How people's names are compared when staff look for somebody: without case, accents and odd spacing."""

from __future__ import annotations

import re
import unicodedata

MAXIMUM_LENGTH = 320
_SEPARATORS = re.compile(r"[\s,]+")


def search_name(*parts: str | None) -> str:
    """Return the parts that there are as one text to search by: `Lovelace`, `Ada` is `lovelace ada`.

    Case-folded, without diacritics, commas and outer white space, one space for any inner one; at most 320 code points.
    """
    words = unicodedata.normalize("NFKD", " ".join(part for part in parts if part)).casefold()
    plain = "".join(character for character in words if not unicodedata.combining(character))
    return _SEPARATORS.sub(" ", unicodedata.normalize("NFC", plain)).strip()[:MAXIMUM_LENGTH]
