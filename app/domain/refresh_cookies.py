"""Tokens that leave in a cookie only, which no script can read: for clients with `refresh_cookie`.

The refresh token is in one cookie, and what an account knows the device by in another, which a logout leaves there.

A browser sends a cookie whoever has caused the request. So the cookie counts for nothing unless the request comes from
a page of the client (`Origin`, which no page can choose) and names the client in a header, which no form can send.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.errors import forbidden
from app.domain.requests import RequestFacts
from app.domain.tenants import Client


class CookieKind(StrEnum):
    """What is in a cookie, as its name says."""

    REFRESH = "refresh"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class RefreshCookie:
    """What a browser is to keep for a client, for so many seconds; without a `token` it is to forget it."""

    client: Client
    token: str | None = field(default=None, repr=False)
    seconds: int = 0
    kind: CookieKind = CookieKind.REFRESH


def is_page_of(client: Client, facts: RequestFacts) -> bool:
    """Tell whether the request comes from a page of the client, and names it."""
    return facts.client_id == client.id and facts.origin is not None and client.lets_in(facts.origin)


def require_page_of(client: Client, facts: RequestFacts) -> None:
    """Raise FORBIDDEN unless `is_page_of`."""
    if not is_page_of(client, facts):
        raise forbidden(
            "The refresh token of this client is in a cookie: call from a page of one of its origins, "
            f"with the header Gateway-Client: {client.id}"
        )
