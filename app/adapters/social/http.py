"""What a social provider answers with: a JSON object, or another form of one, or nothing of use."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from app.adapters.guarded_http import ProviderUnavailableError

_OLDER_CHARSETS = ("iso-8859-", "windows-125", "euc-", "shift_jis")
_FORM = "application/x-www-form-urlencoded"


class ProviderRefusedError(Exception):
    """The provider's answer proves nothing: it refused the code, or its token is not valid.

    `told` is what the provider itself said why, for the person; None where it is we who do not believe it.
    """

    def __init__(self, cause: str, told: str | None = None) -> None:
        super().__init__(cause)
        self.told = told


async def get(client: httpx2.AsyncClient, url: str, *, bearer: str | None = None) -> httpx2.Response:
    """Return the answer at an address; raises `ProviderUnavailableError` when there is none of use."""
    authorization = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    response = await client.get(url, headers={"Accept": "application/json", **authorization})
    if response.status_code != httpx2.codes.OK:
        raise ProviderUnavailableError(f"{url} answers {response.status_code}")
    return response


async def get_json(client: httpx2.AsyncClient, url: str, *, bearer: str | None = None) -> dict[str, Any]:
    """Return the JSON object at an address; raises `ProviderUnavailableError` when there is none."""
    return read_object(await get(client, url, bearer=bearer), url)


def read_json(response: httpx2.Response, url: str) -> Any:
    """Return what an answer holds in JSON; raises `ProviderUnavailableError` for anything else."""
    try:
        return json.loads(_in_its_charset(response))
    except (ValueError, LookupError, RecursionError) as error:
        raise ProviderUnavailableError(f"the answer of {url} is not JSON") from error


def _in_its_charset(response: httpx2.Response) -> str | bytes:
    """Return the text of an answer in one of the older charsets; JSON itself tells UTF-8, 16 and 32 apart."""
    charset = (response.charset_encoding or "").lower()
    return response.content.decode(charset) if charset.startswith(_OLDER_CHARSETS) else response.content


def read_object(response: httpx2.Response, url: str) -> dict[str, Any]:
    """Return the JSON object of an answer; raises `ProviderUnavailableError` for anything else."""
    content = read_json(response, url)
    if not isinstance(content, dict):
        raise ProviderUnavailableError(f"the answer of {url} is not a JSON object")
    return content


def read_object_or_form(response: httpx2.Response, url: str) -> dict[str, Any]:
    """Return the JSON object of an answer, or its form, all of whose values are texts."""
    if content_type(response) != _FORM:
        return read_object(response, url)
    try:
        return dict(parse_qsl(response.content.decode("utf-8-sig"), errors="strict", max_num_fields=100))
    except ValueError as error:
        raise ProviderUnavailableError(f"the answer of {url} is no form") from error


def content_type(response: httpx2.Response) -> str:
    """Return the media type of an answer, without its parameters."""
    told: str = response.headers.get("Content-Type", "")
    return told.partition(";")[0].strip().lower()
