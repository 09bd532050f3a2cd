"""HTTP to a social provider: https, no redirects, and only answers of limited size."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from app.domain.web_addresses import check_target_url

_REDIRECTS = range(300, 400)


class ProviderUnavailableError(Exception):
    """The provider cannot be used now: it does not answer, or its answer is not valid."""


class ProviderRefusedError(Exception):
    """The provider's answer proves nothing: it refused the code, or its token is not valid."""


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Sends requests only to addresses that we may call, and accepts only small, uncompressed answers.

    `most_bytes` is counted while the answer arrives. Compressed answers are refused, because a few bytes could become
    very many.
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
        """Send one request; raises `ProviderUnavailableError` for an answer that we do not accept."""
        self.check(str(request.url))
        request.headers["Accept-Encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        try:
            if response.status_code in _REDIRECTS:
                raise ProviderUnavailableError("it redirects")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise ProviderUnavailableError("its answer is compressed")
            content = await _read(response, self._most_bytes)
        finally:
            await response.aclose()
        return httpx2.Response(
            response.status_code, headers=response.headers, content=content, extensions=response.extensions
        )


async def _read(response: httpx2.Response, most_bytes: int) -> bytes:
    content = bytearray()
    chunks: AsyncIterator[bytes] = response.aiter_raw()
    async for chunk in chunks:
        content += chunk
        if len(content) > most_bytes:
            raise ProviderUnavailableError(f"its answer has more than {most_bytes} bytes")
    return bytes(content)


async def get_json(client: httpx2.AsyncClient, url: str, *, bearer: str | None = None) -> dict[str, Any]:
    """Return the JSON object at an address; raises `ProviderUnavailableError` when there is none."""
    authorization = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    response = await client.get(url, headers={"Accept": "application/json", **authorization})
    if response.status_code != httpx2.codes.OK:
        raise ProviderUnavailableError(f"{url} answers {response.status_code}")
    try:
        content = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailableError(f"the answer of {url} is not JSON") from error
    if not isinstance(content, dict):
        raise ProviderUnavailableError(f"the answer of {url} is not a JSON object")
    return content
