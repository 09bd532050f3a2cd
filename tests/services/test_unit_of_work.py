"""Whose token counts, and in which shop."""

from __future__ import annotations

import pytest

from tests.harness import operations
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio


class TestIgnoreToken:
    async def test_lets_a_visit_begin_with_the_token_of_another_shop(self, gateway: Gateway) -> None:
        elsewhere = await gateway.anonymous("open-storefront")
        begin = {"input": {"clientId": "demo-storefront"}}
        answer = await gateway.graphql(operations.ANONYMOUS_LOGIN, begin, elsewhere.access)
        token = answer["anonymousLogin"]["tokens"]["accessToken"]
        answer = await gateway.graphql("{ tokenInfo { tenant } }", token=token)
        assert answer["tokenInfo"]["tenant"] == "demo"

    async def test_lets_a_session_go_on_with_the_token_of_another_shop(self, gateway: Gateway) -> None:
        tokens, elsewhere = await gateway.anonymous(), await gateway.anonymous("open-storefront")
        trade = {"input": {"refreshToken": tokens.refresh}}
        answer = await gateway.graphql(operations.REFRESH, trade, elsewhere.access)
        assert answer["refresh"]["tokens"]["sessionId"] == tokens.session_id
