"""When the time of a request is up: what the answer says about what was written, on both databases."""

from __future__ import annotations

import pytest

from tests.harness.gateway import Gateway
from tests.harness.operations import USER_ERRORS
from tests.harness.slowness import Slowness, in_vain
from tests.harness.source import ROOT

pytestmark = pytest.mark.anyio

CREATE = f"createAddress(input: $input) {{ address {{ id }} {USER_ERRORS} }}"
CREATE_ADDRESS = f"mutation ($input: AddressInput!) {{ {CREATE} }}"
CREATE_TWO = f"mutation ($input: AddressInput!) {{ one: {CREATE} two: {CREATE} }}"
CITIES = "{ addresses { city } }"


async def cities(gateway: Gateway, token: str) -> list[str]:
    answer = await gateway.graphql(CITIES, token=token)
    return [each["city"] for each in answer["addresses"]]


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
        slowness.begin("write_soon")
        error = await in_vain(gateway, CREATE_ADDRESS, token)
        slowness.end()
        assert error["outcome"] == "NOT_DONE"
        assert await cities(gateway, token) == []

    async def test_is_unknown_when_a_field_before_was_done(self, gateway: Gateway, slowness: Slowness) -> None:
        token = (await gateway.customer()).tokens.access
        slowness.begin("write_soon", after_commits=1)
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
