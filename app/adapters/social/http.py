"""What a social provider answers with: a JSON object, or nothing of use."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from app.adapters.guarded_http import ProviderUnavailableError


class ProviderRefusedError(Exception):
    """The provider's answer proves nothing: it refused the code, or its token is not valid."""


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
