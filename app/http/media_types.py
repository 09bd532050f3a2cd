"""Chooses the media type of an answer (RFC 9110, section 12.5.1) and judges that of a request.

The standard library reads the types: commas, quotes, parameters. What is chosen is the rule of GraphQL over HTTP, which
no library for Accept headers has: a type that is named beats a wildcard, and a wildcard gets what old clients know.
"""

from __future__ import annotations

from email.message import Message
from email.utils import collapse_rfc2231_value
from functools import lru_cache
from urllib.request import parse_http_list

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
FORM = "application/x-www-form-urlencoded"
HTML = "text/html"

# The last one answers a wildcard, and wins among types with the same weight.
_ANSWERS = (GRAPHQL_RESPONSE, JSON)


@lru_cache(maxsize=128)
def choose_answer_type(accept: str, *, html: bool = False) -> str | None:
    """Return the type of the answer, or None if the client accepts none of ours.

    A named type wins over a wildcard. If both are named, `application/graphql-response+json` wins over
    `application/json`. Without an Accept header it is `application/json`, for old clients (GraphQL over HTTP).
    """
    if not accept.strip():
        return JSON
    ranges = [_read_range(part) for part in parse_http_list(accept)]
    best: tuple[tuple[float, int, int], str] | None = None
    for position, offer in enumerate((*_ANSWERS, HTML) if html else _ANSWERS):
        weight, precision = _match(offer, ranges)
        preference = -position if precision == _NAMED else position if offer != HTML else -1
        rank = (weight, precision, preference)
        if weight > 0 and (best is None or rank > best[0]):
            best = (rank, offer)
    return best[1] if best else None


@lru_cache(maxsize=128)
def is_in_utf8(content_type: str, media_type: str) -> bool:
    """Tell whether a Content-Type says this media type, in UTF-8 where it says a charset."""
    name, parameters = _read_media_type(content_type)
    return name == media_type and all(_is_utf8(value) for key, value in parameters if key == "charset")


_NAMED = 2


def _read_range(part: str) -> tuple[str, float]:
    media_range, parameters = _read_media_type(part)
    weight = 1.0
    for name, value in parameters:
        if name == "q":
            weight = _read_weight(value)
        elif name == "charset" and not _is_utf8(value):
            weight = 0.0
    return media_range, weight


def _read_media_type(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the type and its parameters, names in lower case, quotes taken off; what is none is `text/plain`."""
    message = Message()
    message["Content-Type"] = text
    _, *parameters = message.get_params(failobj=[])
    return message.get_content_type(), [
        (name.lower(), collapse_rfc2231_value(value).strip().lower()) for name, value in parameters
    ]


def _read_weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0


def _match(offer: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """Return the weight that the most precise matching range gives, and how precise that is."""
    kind = offer.partition("/")[0]
    matches = [
        (precision, weight)
        for media_range, weight in ranges
        for precision, pattern in enumerate(("*/*", f"{kind}/*", offer))
        if media_range == pattern
    ]
    precision, weight = max(matches, default=(0, 0.0))
    return weight, precision


def _is_utf8(charset: str) -> bool:
    return charset in {"utf-8", "utf8"}
