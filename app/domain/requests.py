"""What is known about a request before its token is checked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """`ip` is the canonical address of the client (an IPv6 one as its /64); `token` the bearer token as presented.

    `operation` is the SHA-256 of the GraphQL document, in hexadecimal; None where there is none.
    `challenge_response` is what a provider of challenges gave to the person, as presented. `is_first_of_day` says of a
    task that nobody had asked for a mail from that address within a day.
    """

    request_id: str
    ip: str
    user_agent: str | None = None
    token: str | None = None
    operation: str | None = None
    challenge_response: str | None = None
    is_first_of_day: bool = False
