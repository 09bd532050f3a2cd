"""A gateway whose database is slow at one point, so that the time of a request is up there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from app.http.graphql import GraphQLEndpoint
from tests.factories import address_input
from tests.harness.gateway import Gateway

SECONDS = 0.3


class Slowness:
    """Makes the database slow at one of the methods of its connections, before or after the work is done."""

    def __init__(self, patch: pytest.MonkeyPatch, gateway: Gateway) -> None:
        self._patch = patch
        self._gateway = gateway
        (route,) = [each for each in cast("Any", gateway)._transport.app.routes if each.path == "/graphql"]
        self._endpoint = cast("GraphQLEndpoint", route.endpoint)

    def begin(
        self,
        method: str,
        *,
        after_commits: int = 0,
        nth: int = 1,
        is_done: bool = False,
        seconds: float = 60,
        limit: float = SECONDS,
    ) -> None:
        """Let the nth call of the method after so many commits hang, after its work if it `is_done`.

        `limit` is the time of a request.
        """
        self._patch.setattr(self._endpoint, "_timeout_seconds", limit)
        kind = type(self._gateway.tools.database.connect()._connection)  # type: ignore[attr-defined]
        real, commit, calls, commits = getattr(kind, method), kind.commit, iter(range(1, 1_000)), iter(range(1, 1_000))
        done = 0

        async def counted(connection: Any) -> None:
            nonlocal done
            await commit(connection)
            done = next(commits)

        async def slow(connection: Any, *arguments: Any) -> Any:
            hangs = done >= after_commits and next(calls) == nth
            if hangs and not is_done:
                await asyncio.sleep(seconds)
            result = await real(connection, *arguments)
            if hangs:
                await asyncio.sleep(seconds)
            return result

        self._patch.setattr(kind, "commit", counted)
        self._patch.setattr(kind, method, slow)

    def end(self) -> None:
        """Let everything go as fast as it can."""
        self._patch.undo()


async def in_vain(gateway: Gateway, query: str, token: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Post an operation whose time will be up, and return the one error that says so."""
    answer = await gateway.http.post(
        "/graphql",
        json={"query": query, "variables": {"input": address_input()} if "$input" in query else {}},
        headers={"Authorization": f"Bearer {token}", **(headers or {})},
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    (error,) = answer.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["retryAfter"]) == ("SERVICE_BUSY", 1)
    return {"message": error["message"], "outcome": error["extensions"]["outcome"]}
