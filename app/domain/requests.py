"""What is known about a request before its token is checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain.value_objects import value_object


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whom a storefront's server says that it speaks for; it counts where `secret` is that of the client.

    `ip` is canonical, as in `RequestFacts`; None without the header `Buyer-IP`, `""` where that cannot be read.
    """

    secret: str
    ip: str | None = None
    user_agent: str | None = None


@value_object
class RequestFacts:
    """`ip` is the canonical address of the client (an IPv6 one as its /64); `token` the bearer token as presented.

    `client_id` is what the header `Gateway-Client` says, `refresh_cookie` and `device_cookie` are that client's,
    `origin` its page's.
    Where a `visitor` counts, `ip` and `user_agent` are the visitor's, and `server` is the request as sent.
    `operation` is the SHA-256 of the GraphQL document, in hexadecimal; None where there is none.
    `challenge_response` is what a provider of challenges gave to the person, as presented. `is_first_of_day` says of a
    task that nobody had asked for a mail from that address within a day. `idempotency_key` is the header of that name.
    """

    request_id: str
    ip: str
    user_agent: str | None = None
    token: str | None = None
    operation: str | None = None
    challenge_response: str | None = None
    is_first_of_day: bool = False
    client_id: str | None = None
    origin: str | None = None
    refresh_cookie: str | None = field(default=None, repr=False)
    device_cookie: str | None = field(default=None, repr=False)
    visitor: Visitor | None = None
    server: RequestFacts | None = None
    idempotency_key: str | None = None

    @property
    def as_sent(self) -> RequestFacts:
        """The facts of the request itself, whoever's server has sent it."""
        return self.server or self
