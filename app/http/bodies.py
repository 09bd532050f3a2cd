"""Reads the body of a request, bounded, and headers that may come once."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request


class BadHttpError(Exception):
    """A request refused for its HTTP form."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def single(request: Request, name: str) -> str | None:
    """Return the value of a header, or None; raises `BadHttpError` where it came twice."""
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise BadHttpError(400, "A request header that may come once came twice.")
    return values[0] if values else None


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Return the body; raises `BadHttpError` for one that is longer, or that broke off."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most_bytes:
                # The rest is still on its way: without closing, it would be read as the next request.
                raise BadHttpError(413, f"A request has at most {most_bytes} bytes.", {"Connection": "close"})
    except ClientDisconnect:
        raise BadHttpError(400, "The body broke off.") from None
    return body
