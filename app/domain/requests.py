"""What is known about a request before its token is checked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """`ip` is the canonical address of the client (an IPv6 one as its /64); `token` the bearer token as presented.

    `operation` is the SHA-256 of the GraphQL document, in hexadecimal; None where there is none.
    """

    request_id: str
    ip: str
    user_agent: str | None = None
    token: str | None = None
    operation: str | None = None
