"""Writes and reads the cookies with refresh and device tokens (RFC 6265): two for each client, for this host alone."""

from __future__ import annotations

from hashlib import sha256

from app.domain.refresh_cookies import CookieKind, RefreshCookie
from app.domain.tenants import SameSite


class RefreshCookies:
    """The cookies of the gateway at this public URL.

    The prefix `__Host-` has browsers refuse what other hosts of the domain write; it takes https, and so does
    `SameSite=None`.
    """

    def __init__(self, public_url: str) -> None:
        self._is_secure = public_url.lower().startswith("https:")

    def name(self, client_id: str, kind: CookieKind = CookieKind.REFRESH) -> str:
        """Return the name of a client's cookie, which no other client's has and no restart changes."""
        number = int.from_bytes(sha256(client_id.encode()).digest()[:8])
        return f"{'__Host-' if self._is_secure else ''}gateway-{kind.value}-{number}"

    def read(self, header: bytes | None, client_id: str | None, kind: CookieKind = CookieKind.REFRESH) -> str | None:
        """Return the token of a client from the header `Cookie`; None where there is none, or more than one."""
        if header is None or client_id is None:
            return None
        name = self.name(client_id, kind)
        pairs = (pair.strip().partition("=") for pair in header.decode("latin-1").split(";"))
        values = [value for key, _, value in pairs if key == name]
        return values[0] if len(values) == 1 and values[0] else None

    def write(self, cookie: RefreshCookie) -> bytes:
        """Return the value of the header `Set-Cookie`."""
        same_site = cookie.client.cookie_same_site if self._is_secure else SameSite.LAX
        attributes = [
            f"{self.name(cookie.client.id, cookie.kind)}={cookie.token or ''}",
            "Path=/",
            f"Max-Age={cookie.seconds}",
            "HttpOnly",
            *(["Secure"] if self._is_secure else []),
            f"SameSite={same_site.capitalize()}",
        ]
        return "; ".join(attributes).encode()
