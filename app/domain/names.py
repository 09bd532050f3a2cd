"""How names are compared when staff search: case, accents and extra spaces do not matter."""

from __future__ import annotations

import re
import unicodedata

MAXIMUM_LENGTH = 320
_SEPARATORS = re.compile(r"[\s,]+")


def search_name(*parts: str | None) -> str:
    """Return the parts that are not empty as one text to search: `Lovelace`, `Ada` becomes `lovelace ada`.

    Case-folded, without diacritics, commas and outer white space, one space for any inner one; at most 320 code points.
    """
    words = unicodedata.normalize("NFKD", " ".join(part for part in parts if part)).casefold()
    plain = "".join(character for character in words if not unicodedata.combining(character))
    return _SEPARATORS.sub(" ", unicodedata.normalize("NFC", plain)).strip()[:MAXIMUM_LENGTH]
