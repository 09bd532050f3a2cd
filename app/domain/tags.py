"""The tags of an address: any words; BILLING and SHIPPING are the usual ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from app.domain.errors import Refused, UserErrorCode

MAXIMUM_COUNT = 20
MAXIMUM_LENGTH = 32

_WHITE_SPACE = re.compile(r"\s+")
_FORM = re.compile(r"[\w-]+")


def normalize_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags in upper case, `_` for inner white space, each once, in their order.

    Raises `Refused` with INVALID for an empty tag or one with more than letters, digits, `_` and `-`, with TOO_LONG for
    more than 32 characters, and with LIMIT_REACHED for more than 20 different tags.
    """
    normalized = tuple(dict.fromkeys(map(_normalize, tags)))
    if len(normalized) > MAXIMUM_COUNT:
        raise Refused(UserErrorCode.LIMIT_REACHED, f"Please use at most {MAXIMUM_COUNT} tags for one address.")
    return normalized


def _normalize(text: str) -> str:
    tag = unicodedata.normalize("NFC", _WHITE_SPACE.sub("_", text.strip())).upper()
    if not _FORM.fullmatch(tag):
        raise Refused(UserErrorCode.INVALID, "Please use only letters, digits, _ and - in a tag.")
    if len(tag) > MAXIMUM_LENGTH:
        raise Refused(UserErrorCode.TOO_LONG, f"Please use at most {MAXIMUM_LENGTH} characters for a tag.")
    return tag
