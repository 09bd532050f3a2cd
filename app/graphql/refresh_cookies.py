"""Where refresh and device tokens leave and come in as cookies: the only place that takes them out of payloads."""

from __future__ import annotations

from typing import Any

from app.domain.errors import UserErrorCode, refuse
from app.domain.refresh_cookies import CookieKind, RefreshCookie, require_page_of
from app.domain.requests import RequestFacts
from app.domain.tenants import Client
from app.domain.tools import Tools


def cookie_client(tools: Tools, client_id: str | None) -> Client | None:
    """Return the client of this id if its refresh tokens are in cookies, or None."""
    found = tools.tenants.find_client(client_id) if client_id is not None else None
    return found[1] if found is not None and found[1].refresh_cookie else None


def take_tokens(tools: Tools, facts: RequestFacts, payload: Any) -> list[RefreshCookie]:
    """Take what a client keeps in cookies, refresh and device token, out of a payload, and return the cookies.

    Raises FORBIDDEN for a request that does not come from a page of the client.
    """
    tokens = getattr(payload, "tokens", None)
    if tokens is None or tokens.refresh_token is None:
        return []
    client = cookie_client(tools, tokens.issued.bearer.client_id)
    if client is None:
        return []
    require_page_of(client, facts)
    cookies = [RefreshCookie(client, tokens.refresh_token, tokens.refresh_token_expires_in)]
    tokens.refresh_token = None
    if tokens.device_token is not None:
        seconds = tools.tenants.tenant(tokens.issued.bearer.tenant_id).device_token_seconds
        cookies.append(RefreshCookie(client, tokens.device_token, seconds, CookieKind.DEVICE))
        tokens.device_token = None
    return cookies


def read_device_token(tools: Tools, facts: RequestFacts, client_id: str) -> str | None:
    """Return the device token in the cookie of the caller's client; None where it keeps none there."""
    return facts.device_cookie if facts.client_id == client_id and cookie_client(tools, client_id) else None


def read_refresh_token(tools: Tools, facts: RequestFacts, given: str | None) -> str:
    """Return the refresh token that a call gives, or else that of its cookie; REQUIRED without either."""
    if given is not None:
        return given
    client = cookie_client(tools, facts.client_id)
    if client is None:
        raise refuse(UserErrorCode.REQUIRED, "Give the refresh token that was received last.", "refreshToken")
    require_page_of(client, facts)
    if facts.refresh_cookie is None:
        raise refuse(
            UserErrorCode.TOKEN_INVALID, "There is no cookie of this client: start a new session.", "refreshToken"
        )
    return facts.refresh_cookie


def check_refreshed(tools: Tools, facts: RequestFacts, given: str | None, client_id: str) -> None:
    """Refuse a refresh token that came in the other way than its client's do, or in the cookie of another client."""
    if given is None and client_id != facts.client_id:
        raise refuse(
            UserErrorCode.TOKEN_INVALID,
            "The cookie holds no token of this client: start a new session.",
            "refreshToken",
        )
    if given is not None and cookie_client(tools, client_id) is not None:
        raise refuse(
            UserErrorCode.TOKEN_INVALID,
            "The refresh token of this client is in its cookie: leave it out.",
            "refreshToken",
        )
