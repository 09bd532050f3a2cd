"""What a social provider answers with: a JSON object, or nothing of use."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from app.adapters.guarded_http import ProviderUnavailableError


class ProviderRefusedError(Exception):
    """What the provider answered proves nothing: it refused the code, or its token is not in order."""


async def get_json(client: httpx2.AsyncClient, url: str, *, bearer: str | None = None) -> dict[str, Any]:
    """Return the JSON object at an address; raises `ProviderUnavailableError` when there is none."""
    authorization = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    response = await client.get(url, headers={"Accept": "application/json", **authorization})
    if response.status_code != httpx2.codes.OK:
        raise ProviderUnavailableError(f"{url} answers {response.status_code}")
    try:
        content = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise ProviderUnavailableError(f"{url} answers with what is no JSON") from error
    if not isinstance(content, dict):
        raise ProviderUnavailableError(f"{url} answers with what is no JSON object")
    return content
