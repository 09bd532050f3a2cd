"""One request and its result: filled while it is handled, and read by the log after the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.types import Scope

_KEY = "gateway.exchange"


@dataclass(slots=True)
class Exchange:
    """`ip` as in `RequestFacts`; `fields` are the root fields, `codes` those of the errors, payloads' last.

    `tenants` are all shops that the answer is about, `set_cookies` the values of its headers `Set-Cookie`.
    """

    request_id: str
    ip: str
    operation: str | None = None
    fields: tuple[str, ...] = ()
    tenant: str | None = None
    caller: str | None = None
    codes: list[str] = field(default_factory=list)
    tenants: frozenset[str] = frozenset()
    set_cookies: tuple[bytes, ...] = field(default=(), repr=False)


def attach(scope: Scope, exchange: Exchange) -> None:
    """Attach the exchange to the request."""
    scope[_KEY] = exchange


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange that `Edge` attached to this request."""
    exchange: Exchange = scope[_KEY]
    return exchange
