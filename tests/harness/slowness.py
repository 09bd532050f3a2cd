"""A gateway whose database hangs at one point, so that the time of a request is up there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from app.http.graphql import GraphQLEndpoint
from tests.factories import address_input
from tests.harness.gateway import Gateway

# Seconds that a request has meanwhile: more than any takes, so that none is up by itself, and asked for by nobody else.
_LIMIT = 123.5


class Slowness:
    """Makes the database hang at one of the methods of its connections, before or after the work is done."""

    def __init__(self, patch: pytest.MonkeyPatch, gateway: Gateway) -> None:
        self._patch = patch
        self._gateway = gateway
        self._going_on = asyncio.Event()
        (route,) = [each for each in cast("Any", gateway)._transport.app.routes if each.path == "/graphql"]
        self._endpoint = cast("GraphQLEndpoint", route.endpoint)

    def begin(
        self, method: str, *, after_commits: int = 0, nth: int = 1, is_done: bool = False, is_up: bool = True
    ) -> None:
        """Let the nth call of the method after so many commits hang, after its work if it `is_done`.

        The time of the request `is_up` at that moment, however fast the machine is; or else it hangs until `go_on`.
        """
        limits = self._watch_limits()
        kind = type(self._gateway.tools.database.connect()._connection)  # type: ignore[attr-defined]
        real, commit, calls, commits = getattr(kind, method), kind.commit, iter(range(1, 1_000)), iter(range(1, 1_000))
        done = 0

        async def counted(connection: Any) -> None:
            nonlocal done
            await commit(connection)
            done = next(commits)

        async def hang() -> None:
            if is_up:
                limits[-1].reschedule(asyncio.get_running_loop().time())
            await self._going_on.wait()

        async def slow(connection: Any, *arguments: Any) -> Any:
            hangs = done >= after_commits and next(calls) == nth
            if hangs and not is_done:
                await hang()
            result = await real(connection, *arguments)
            if hangs and is_done:
                await hang()
            return result

        self._patch.setattr(kind, "commit", counted)
        self._patch.setattr(kind, method, slow)

    def _watch_limits(self) -> list[asyncio.Timeout]:
        limits: list[asyncio.Timeout] = []
        timeout = asyncio.timeout

        def watched(delay: float | None) -> asyncio.Timeout:
            made = timeout(delay)
            if delay == _LIMIT:
                limits.append(made)
            return made

        self._patch.setattr(asyncio, "timeout", watched)
        self._patch.setattr(self._endpoint, "_timeout_seconds", _LIMIT)
        return limits

    def go_on(self) -> None:
        """Let what hangs do its work."""
        self._going_on.set()

    def end(self) -> None:
        """Let nothing hang any more."""
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
