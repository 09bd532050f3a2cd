"""When the time of a request is up: what the answer says about what was written, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest

from app.http.graphql import GraphQLEndpoint
from tests.factories import address_input
from tests.harness.gateway import Gateway
from tests.harness.operations import USER_ERRORS
from tests.harness.source import ROOT

pytestmark = pytest.mark.anyio

CREATE = f"createAddress(input: $input) {{ address {{ id }} {USER_ERRORS} }}"
CREATE_ADDRESS = f"mutation ($input: AddressInput!) {{ {CREATE} }}"
CREATE_TWO = f"mutation ($input: AddressInput!) {{ one: {CREATE} two: {CREATE} }}"
CITIES = "{ addresses { city } }"
SECONDS = 0.3


class Slowness:
    """Makes the database slow at one of the methods of its connections, before or after the work is done."""

    def __init__(self, patch: pytest.MonkeyPatch, gateway: Gateway) -> None:
        self._patch = patch
        self._gateway = gateway
        (route,) = [each for each in cast("Any", gateway)._transport.app.routes if each.path == "/graphql"]
        patch.setattr(cast("GraphQLEndpoint", route.endpoint), "_timeout_seconds", SECONDS)

    def begin(self, method: str, *, after_commits: int = 0, nth: int = 1, is_done: bool = False) -> None:
        """Let the nth call of the method after so many commits hang, after its work if it `is_done`."""
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
                await asyncio.sleep(60)
            result = await real(connection, *arguments)
            if hangs:
                await asyncio.sleep(60)
            return result

        self._patch.setattr(kind, "commit", counted)
        self._patch.setattr(kind, method, slow)

    def end(self) -> None:
        """Let everything go as fast as it can."""
        self._patch.undo()


@pytest.fixture
def slowness(gateway: Gateway) -> Iterator[Slowness]:
    with pytest.MonkeyPatch.context() as patch:
        yield Slowness(patch, gateway)


async def cities(gateway: Gateway, token: str) -> list[str]:
    answer = await gateway.graphql(CITIES, token=token)
    return [each["city"] for each in answer["addresses"]]


async def in_vain(gateway: Gateway, query: str, token: str) -> dict[str, Any]:
    """Post an operation whose time will be up, and return the one error that says so."""
    answer = await gateway.http.post(
        "/graphql",
        json={"query": query, "variables": {"input": address_input()} if "$input" in query else {}},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    (error,) = answer.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["retryAfter"]) == ("SERVICE_BUSY", 1)
    return {"message": error["message"], "outcome": error["extensions"]["outcome"]}


class TestOutcome:
    async def test_is_unknown_once_commit_was_sent(self, gateway: Gateway, slowness: Slowness) -> None:
        token = (await gateway.customer()).tokens.access
        slowness.begin("commit", is_done=True)
        error = await in_vain(gateway, CREATE_ADDRESS, token)
        slowness.end()
        assert error["outcome"] == "UNKNOWN"
        assert "cancelled" not in error["message"]
        assert await cities(gateway, token) == ["Berlin"]

    async def test_is_not_done_before(self, gateway: Gateway, slowness: Slowness) -> None:
        token = (await gateway.customer()).tokens.access
        slowness.begin("write")
        error = await in_vain(gateway, CREATE_ADDRESS, token)
        slowness.end()
        assert error["outcome"] == "NOT_DONE"
        assert await cities(gateway, token) == []

    async def test_is_unknown_when_a_field_before_was_done(self, gateway: Gateway, slowness: Slowness) -> None:
        token = (await gateway.customer()).tokens.access
        slowness.begin("write", after_commits=1)
        error = await in_vain(gateway, CREATE_TWO, token)
        slowness.end()
        assert error["outcome"] == "UNKNOWN"
        assert await cities(gateway, token) == ["Berlin"]

    async def test_of_a_query_is_not_done(self, gateway: Gateway, slowness: Slowness) -> None:
        token = (await gateway.customer()).tokens.access
        slowness.begin("read", nth=2)
        error = await in_vain(gateway, CITIES, token)
        slowness.end()
        assert error["outcome"] == "NOT_DONE"


class TestServiceBusy:
    def test_is_made_in_one_way_only_so_that_it_always_has_an_outcome(self) -> None:
        others = [
            file.relative_to(ROOT)
            for file in (ROOT / "app").rglob("*.py")
            if "AccessError(AccessCode.SERVICE_BUSY" in "".join(file.read_text().split())
        ]
        assert others == []
