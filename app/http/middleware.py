"""The outermost layer: request id, client address, CORS, security headers, one log line. It catches all exceptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.ports import Clock, Observer, ServedRequest
from app.http.client_address import ClientAddresses
from app.http.cors import Cors, Header
from app.http.errors import present_bug
from app.http.exchange import Exchange, attach
from app.http.request_log import RequestLog

_DEFAULTS: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


# Only these methods become metric labels; any other text from a caller does not.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNKNOWN_PATH = "(unknown)"


class Edge:
    """Wraps an application (pure ASGI).

    `new_id` makes the id of each request; a request id from outside is not used. Each security header is only a
    default: an application can set its own. The `observers` are told of each request after its answer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        new_id: Callable[[], str],
        clock: Clock,
        addresses: ClientAddresses,
        cors: Cors,
        log: RequestLog,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._app = app
        self._new_id = new_id
        self._clock = clock
        self._addresses = addresses
        self._cors = cors
        self._log = log
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass on what is none (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._clock.now()
        exchange = Exchange(self._new_id(), self._find_address(scope))
        attach(scope, exchange)
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        client_id = next((value for name, value in scope["headers"] if name == b"gateway-client"), None)
        preflight = self._preflight(scope, origin)
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                cors = preflight or self._cors.headers(origin, exchange.tenants, client_id)
                own = ((b"x-request-id", exchange.request_id.encode()), *cors)
                message["headers"] = _complete(message["headers"], own)
            await send(message)

        try:
            if preflight:
                await send_with_headers({"type": "http.response.start", "status": 204, "headers": []})
                await send_with_headers({"type": "http.response.body", "body": b""})
            else:
                await self._app(scope, receive, send_with_headers)
        except Exception as error:
            entry = present_bug(error, exchange.request_id)
            exchange.codes = [entry["extensions"]["code"]]
            if status == 0:
                await _send_bug(send_with_headers, entry)
        # Not the time of the event loop, which does not advance while the loop is busy with this request.
        seconds = max(0.0, (self._clock.now() - started).total_seconds())
        self._log.write(exchange, scope["method"], _route(scope) or UNKNOWN_PATH, status, seconds * 1000)
        if self._observers:
            served = _served(scope, exchange, status, seconds)
            for observer in self._observers:
                observer.request_served(served)

    def _preflight(self, scope: Scope, origin: bytes | None) -> tuple[Header, ...]:
        """Return the headers of the answer to a preflight; none where the request is no preflight."""
        if origin is None or scope["method"] != "OPTIONS":
            return ()
        headers = dict(scope["headers"])
        if b"access-control-request-method" not in headers:
            return ()
        return self._cors.preflight(
            origin,
            headers.get(b"access-control-request-headers", b""),
            is_to_private=headers.get(b"access-control-request-private-network") == b"true",
        )

    def _find_address(self, scope: Scope) -> str:
        client = scope.get("client")
        return self._addresses.find(client[0] if client else None, scope["headers"])


def _served(scope: Scope, exchange: Exchange, status: int, seconds: float) -> ServedRequest:
    traces = (value for name, value in scope["headers"] if name == b"traceparent")
    trace_parent = next(traces, None)
    return ServedRequest(
        request_id=exchange.request_id,
        method=scope["method"] if scope["method"] in _METHODS else "OTHER",
        route=_route(scope),
        status=status,
        seconds=seconds,
        fields=exchange.fields,
        outcome=exchange.codes[0] if exchange.codes else None if status < 400 else f"HTTP_{status}",
        tenant=exchange.tenant,
        caller=exchange.caller,
        trace_parent=trace_parent.decode("latin-1") if trace_parent is not None else None,
    )


def _route(scope: Scope) -> str | None:
    """Return our pattern that the path fits, or None: any other part of a path may be a secret."""
    path: str | None = getattr(scope.get("route"), "path", None)
    return path


def _complete(headers: list[Header], own: tuple[Header, ...]) -> list[Header]:
    present = {name for name, _ in headers}
    return [*headers, *(default for default in _DEFAULTS if default[0] not in present), *own]


async def _send_bug(send: Send, entry: object) -> None:
    body = orjson.dumps({"errors": [entry]})
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
