"""Origins of browsers: one that a shop has registered counts for that shop, and for no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.client import Answer, Tokens
from tests.harness.gateway import Gateway
from tests.harness.operations import ANONYMOUS_LOGIN, REFRESH
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.anyio

HERE, THERE = "https://shop.here.example", "https://shop.there.example"
PREVIEW = "https://branch-7.preview.here.example"
UNKNOWN = "https://evil.example"


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    """Serve two shops, each with an origin of its own."""
    file = tmp_path / "tenants.toml"
    file.write_text(
        shop("here")
        + storefront("here", "here", origins=[HERE, "https://*.preview.here.example"])
        + shop("there")
        + storefront("there", "there", origins=[THERE, "capacitor://localhost"])
    )
    return {"TENANTS_FILE": str(file)}


async def begin(gateway: Gateway, client_id: str, origin: str) -> Answer:
    return await gateway.graphql(ANONYMOUS_LOGIN, {"input": {"clientId": client_id}}, headers={"Origin": origin})


def let_in(answer: Answer) -> str | None:
    assert answer.headers["vary"] == "Origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-credentials" not in answer.headers
    origin: str | None = answer.headers.get("access-control-allow-origin")
    return origin


class TestOrigin:
    @pytest.mark.parametrize(
        ("client_id", "origin"),
        [("here", HERE), ("here", PREVIEW), ("there", THERE), ("there", "capacitor://localhost")],
    )
    async def test_of_the_shop_of_a_client_id_is_let_in(self, gateway: Gateway, client_id: str, origin: str) -> None:
        assert let_in(await begin(gateway, client_id, origin)) == origin

    @pytest.mark.parametrize(
        ("client_id", "origin"), [("here", THERE), ("there", HERE), ("there", PREVIEW), ("here", UNKNOWN)]
    )
    async def test_of_another_shop_is_not(self, gateway: Gateway, client_id: str, origin: str) -> None:
        assert let_in(await begin(gateway, client_id, origin)) is None

    async def test_is_judged_by_the_access_token(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("here")
        for query in ("{ me { id } }", "mutation { logout { loggedOut } }"):
            tokens = await gateway.anonymous("here")
            assert let_in(await gateway.graphql(query, token=tokens.access, headers={"Origin": THERE})) is None
            assert let_in(await gateway.graphql(query, token=tokens.access, headers={"Origin": HERE})) == HERE

    async def test_is_judged_by_an_access_token_that_has_expired(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous("here")
        gateway.clock.advance(hours=2)
        expired = await gateway.graphql("{ me { id } }", token=tokens.access, headers={"Origin": HERE})
        assert (expired.reason, let_in(expired)) == ("EXPIRED", HERE)
        assert let_in(await gateway.graphql("{ me { id } }", token=tokens.access, headers={"Origin": THERE})) is None

    async def test_is_judged_by_the_refresh_token(self, gateway: Gateway) -> None:
        for origin, seen in ((THERE, None), (HERE, HERE)):
            tokens: Tokens = await gateway.anonymous("here")
            given = {"input": {"refreshToken": tokens.refresh}}
            assert let_in(await gateway.graphql(REFRESH, given, headers={"Origin": origin})) == seen

    async def test_of_one_shop_does_not_see_an_answer_about_two(self, gateway: Gateway) -> None:
        query = """mutation {
            a: anonymousLogin(input: {clientId: "here"}) { tokens { accessToken } }
            b: anonymousLogin(input: {clientId: "there"}) { tokens { accessToken } }
        }"""
        for origin in (HERE, THERE):
            assert let_in(await gateway.graphql(query, headers={"Origin": origin})) is None

    @pytest.mark.parametrize("token", [None, "nobody's"])
    async def test_of_any_shop_hears_that_a_token_is_none(self, gateway: Gateway, token: str | None) -> None:
        assert let_in(await gateway.graphql("{ me { id } }", token=token, headers={"Origin": HERE})) == HERE
        assert let_in(await gateway.graphql("{ me { id } }", token=token, headers={"Origin": UNKNOWN})) is None

    async def test_of_any_shop_passes_a_preflight(self, gateway: Gateway) -> None:
        for origin, seen in ((HERE, HERE), (PREVIEW, PREVIEW), (THERE, THERE), (UNKNOWN, None)):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = await gateway.http.options("/graphql", headers=headers)
            assert answer.headers.get("access-control-allow-origin") == seen
