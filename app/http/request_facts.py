"""Reads from the headers of a GraphQL request who calls, from where, and for whom."""

from __future__ import annotations

from app.domain.requests import RequestFacts, Visitor
from app.http.client_address import read_hop
from app.http.exchange import Exchange

MAX_USER_AGENT = 512
MAX_CHALLENGE_RESPONSE = 8_192


def read_facts(headers: dict[bytes, bytes], exchange: Exchange, operation: str) -> RequestFacts:
    """Return the facts of a GraphQL request; `operation` is the hash of its document."""
    return RequestFacts(
        request_id=exchange.request_id,
        ip=exchange.ip,
        user_agent=_read_user_agent(headers.get(b"user-agent")),
        token=_read_token(headers.get(b"authorization")),
        operation=operation,
        challenge_response=_read_challenge_response(headers.get(b"challenge-response")),
        client_id=_read_text(headers.get(b"gateway-client")),
        origin=_read_text(headers.get(b"origin")),
        visitor=_read_visitor(headers),
        idempotency_key=_read_text(headers.get(b"idempotency-key")),
    )


def _read_user_agent(value: bytes | None) -> str | None:
    if value is None:
        return None
    text = value[:MAX_USER_AGENT].decode("latin-1")
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def _read_text(value: bytes | None) -> str | None:
    return value.decode("latin-1") if value is not None else None


def _read_visitor(headers: dict[bytes, bytes]) -> Visitor | None:
    secret = headers.get(b"storefront-secret")
    if secret is None:
        return None
    ip = _read_text(headers.get(b"buyer-ip"))
    return Visitor(
        secret=secret.decode("latin-1"),
        ip=None if ip is None else read_hop(ip.strip()) or "",
        user_agent=_read_user_agent(headers.get(b"buyer-user-agent")),
    )


def _read_challenge_response(value: bytes | None) -> str | None:
    """Return the answer to a challenge; None for one that is longer than any provider's."""
    return value.decode("latin-1") if value and len(value) <= MAX_CHALLENGE_RESPONSE else None


def _read_token(value: bytes | None) -> str | None:
    """Return the text after `Bearer` (RFC 6750), or None with another scheme or without the header."""
    if value is None:
        return None
    scheme, _, token = value.decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
