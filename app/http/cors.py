"""Tells browsers which origins may call us (Fetch standard, CORS protocol).

Not by Starlette's CORSMiddleware: it has one list of origins, and one answer to credentials, for a whole application,
and here both are a matter of the tenant and its client.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from app.domain.web_origins import Origins

Header = tuple[bytes, bytes]

VARY: Header = (b"vary", b"Origin")

_EXPOSED: Header = (b"access-control-expose-headers", b"X-Request-Id, Retry-After, Server-Timing")
_CREDENTIALS: Header = (b"access-control-allow-credentials", b"true")
_PRIVATE: Header = (b"access-control-allow-private-network", b"true")
_PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-max-age", b"600"),
)
_NAME = rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_NAMES = re.compile(_NAME + rb"(?:[ \t]*,[ \t]*" + _NAME + rb")*")
_USUAL_NAMES = b"Authorization, Content-Type, Accept, Challenge-Response"
_LONGEST_NAMES = 4_096


class Cors:
    """Allows origins as they are registered at the moment."""

    def __init__(self, origins: Callable[[], Origins]) -> None:
        self._origins = origins

    def headers(
        self, origin: bytes | None, tenant_ids: Collection[str], client_id: bytes | None = None
    ) -> tuple[Header, ...]:
        """Return the headers to add to an answer about these shops, to a page that says it is this client's.

        An origin that is not allowed gets none, so its browser refuses the answer.
        """
        if origin is None or not self._origins().allows(origin.decode("latin-1"), tenant_ids):
            return (VARY,)
        named = client_id.decode("latin-1") if client_id is not None else ""
        with_cookies = self._origins().allows_cookies(origin.decode("latin-1"), named, tenant_ids)
        return (VARY, (b"access-control-allow-origin", origin), _EXPOSED, *((_CREDENTIALS,) if with_cookies else ()))

    def preflight(self, origin: bytes, asked: bytes, *, is_to_private: bool = False) -> tuple[Header, ...]:
        """Return the headers of the answer to a preflight, which does not say yet whose shop it is about.

        Every header passes that a registered origin asks for (`asked`): it could send them from its own server too.
        `is_to_private`: the browser asks whether a public page may call a gateway on its own machine or network
        (Private Network Access).
        """
        if not self._origins().allows(origin.decode("latin-1")):
            return (VARY,)
        is_readable = len(asked) <= _LONGEST_NAMES and _NAMES.fullmatch(asked) is not None
        names = asked if is_readable else _USUAL_NAMES
        allowed = ((b"access-control-allow-origin", origin), (b"access-control-allow-headers", names))
        with_cookies = self._origins().allows_cookies(origin.decode("latin-1"), None)
        further = ((_CREDENTIALS,) if with_cookies else ()) + ((_PRIVATE,) if is_to_private else ())
        return (VARY, *allowed, *_PREFLIGHT, *further)
