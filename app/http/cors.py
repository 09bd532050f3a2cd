"""Tells browsers which origins may call us (Fetch standard, CORS protocol); credentials are never among it.

Not by Starlette's CORSMiddleware: it has one list of origins, and one answer to credentials, for a whole application,
and here both are a matter of the tenant and its client.
"""

from __future__ import annotations

from collections.abc import Callable

Header = tuple[bytes, bytes]

VARY: Header = (b"vary", b"Origin")

_EXPOSED: Header = (b"access-control-expose-headers", b"X-Request-Id, Retry-After")
_PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Accept, Challenge-Response"),
    (b"access-control-max-age", b"600"),
)


class Cors:
    """Allows the origins that `is_allowed_origin` allows."""

    def __init__(self, is_allowed_origin: Callable[[str], bool]) -> None:
        self._is_allowed_origin = is_allowed_origin

    def headers(self, origin: bytes | None, *, preflight: bool = False) -> tuple[Header, ...]:
        """Return the headers to add to the answer.

        An origin that is not allowed gets none, so its browser refuses the answer.
        """
        if origin is None or not self._is_allowed_origin(origin.decode("latin-1")):
            return (VARY,)
        return (VARY, (b"access-control-allow-origin", origin), *(_PREFLIGHT if preflight else (_EXPOSED,)))
