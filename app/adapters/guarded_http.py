"""HTTP to a provider of somebody else's: https, no redirects, and no more of an answer than it may have."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import httpx2

from app.domain.web_addresses import check_target_url

_REDIRECTS = range(300, 400)
_PLAIN, _GZIP = "identity", "gzip"
# The older name, which means the same (RFC 9110 section 8.4.1.3).
_NAMES_OF_GZIP = frozenset({_GZIP, "x-gzip"})
# No codings, but some servers write them: nothing at all, and what belongs into the Content-Type.
_NAMES_OF_PLAIN = frozenset({_PLAIN, "", "none", "utf-8"})
# What the body was like on its way, and is not any more.
_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})
# How zlib calls the form of gzip.
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class ProviderUnavailableError(Exception):
    """The provider cannot be used at the moment: it does not answer, or not with what it has to."""


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Lets requests out to addresses that we may call, and answers in that are small and no redirect.

    `most_bytes` is counted while the answer arrives, and again while it is unpacked: we ask for a plain answer, but
    some servers send gzip whatever is asked for, and a few bytes of that could become many.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, *, most_bytes: int, loopback: bool) -> None:
        self._inner = inner
        self._most_bytes = most_bytes
        self._loopback = loopback

    def check(self, url: str) -> None:
        """Raise `ProviderUnavailableError` unless this is an address that we may call, or send a person to."""
        try:
            check_target_url(url, loopback=self._loopback)
        except ValueError as error:
            raise ProviderUnavailableError(f"one of its addresses {error}") from error

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; raises `ProviderUnavailableError` for an answer that may not come in."""
        self.check(str(request.url))
        request.headers["Accept-Encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        try:
            if response.status_code in _REDIRECTS:
                raise ProviderUnavailableError("it redirects")
            encoding = response.headers.get("Content-Encoding", _PLAIN).strip().lower()
            if encoding not in _NAMES_OF_PLAIN | _NAMES_OF_GZIP:
                raise ProviderUnavailableError(f"it answers compressed with {encoding[:50]!r}")
            content = await _read(response, self._most_bytes)
            if encoding in _NAMES_OF_GZIP:
                content = _unpack(content, self._most_bytes)
        finally:
            await response.aclose()
        headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _OF_THE_WIRE]
        return httpx2.Response(response.status_code, headers=headers, content=content, extensions=response.extensions)


async def _read(response: httpx2.Response, most_bytes: int) -> bytes:
    content = bytearray()
    chunks: AsyncIterator[bytes] = response.aiter_raw()
    async for chunk in chunks:
        content += chunk
        if len(content) > most_bytes:
            raise ProviderUnavailableError(f"it answers with more than {most_bytes} bytes")
    return bytes(content)


def _unpack(packed: bytes, most_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    try:
        content = unpacker.decompress(packed, most_bytes + 1)
    except zlib.error as error:
        raise ProviderUnavailableError("it answers with what is not gzip") from error
    if len(content) > most_bytes:
        raise ProviderUnavailableError(f"it answers with more than {most_bytes} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise ProviderUnavailableError("it answers with gzip that is not whole")
    return content
