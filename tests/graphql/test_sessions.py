"""Sessions over the public API: how they begin, go on, act for a company, and end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.factories import PASSWORD
from tests.harness.belongings import Belongings, furnish
from tests.harness.client import Answer, Tokens
from tests.harness.gateway import Gateway
from tests.harness.operations import ANONYMOUS_LOGIN, LOGIN, LOGOUT, REFRESH, USER_ERRORS
from tests.harness.two_shops import HERE, UPDATE_CUSTOMER, Shop, two_shops

pytestmark = pytest.mark.anyio

TOKEN_INFO = "{ tokenInfo { kind legalEntityId } }"
REVOKE = f"mutation ($input: RevokeSessionInput!) {{ revokeSession(input: $input) {{ revoked {USER_ERRORS} }} }}"


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    """Let the other shop not tell why nobody is logged in."""
    environment = two_shops(tmp_path)
    file = Path(environment["TENANTS_FILE"])
    there = 'name = "The shop there"\n'
    file.write_text(file.read_text().replace(there, f"{there}login_tells_status = false\n"))
    return environment


async def refresh(gateway: Gateway, token: str, **fields: Any) -> Answer:
    return await gateway.graphql(REFRESH, {"input": {"refreshToken": token, **fields}})


async def login(gateway: Gateway, token: str, email: str, password: str = PASSWORD) -> Answer:
    return await gateway.graphql(LOGIN, {"input": {"email": email, "password": password}}, token)


class TestAnonymousLogin:
    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"clientId": "nobody"}, "clientId"),
            ({"clientId": f"{HERE}-backend"}, "clientId"),
            ({"clientId": f"{HERE}-storefront", "site": "moon"}, "site"),
        ],
        ids=["unknown client", "no storefront", "unknown site"],
    )
    async def test_refuses(self, gateway: Gateway, given: dict[str, str], field: str) -> None:
        answer = await gateway.graphql(ANONYMOUS_LOGIN, {"input": given})
        assert answer.user_errors("anonymousLogin") == [("INVALID", field)]


class TestRefresh:
    async def test_gives_anew_what_was_lost_on_the_way_and_ends_the_lost_tokens(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        lost = await gateway.refresh(person.tokens.refresh)
        gateway.clock.advance(minutes=5)
        found = await gateway.refresh(person.tokens.refresh)
        gateway.clock.advance(minutes=1)
        assert (await refresh(gateway, lost.refresh)).user_errors("refresh") != []
        assert found.session_id == person.tokens.session_id

    async def test_ends_for_good_at_the_absolute_end(self, gateway: Gateway) -> None:
        tokens = (await Shop(gateway).customer()).tokens
        for _ in range(3):
            gateway.clock.advance(days=9)
            tokens = await gateway.refresh(tokens.refresh)
        gateway.clock.advance(days=3, seconds=1)
        assert (await refresh(gateway, tokens.refresh)).user_errors("refresh") == [("TOKEN_EXPIRED", "refreshToken")]

    async def test_says_that_an_idle_session_has_ended(self, gateway: Gateway) -> None:
        tokens = (await Shop(gateway).customer()).tokens
        gateway.clock.advance(days=14, seconds=1)
        assert (await refresh(gateway, tokens.refresh)).user_errors("refresh") == [("TOKEN_EXPIRED", "refreshToken")]

    async def test_knows_nobody_whom_staff_have_locked_out(self, gateway: Gateway) -> None:
        former = await Shop(gateway).former_customer()
        answer = await refresh(gateway, former.tokens.refresh)
        assert answer.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]


class TestActingForALegalEntity:
    async def act(self, owner: Belongings) -> tuple[Tokens, str]:
        """Trade the owner's refresh token for tokens that act for the owner's confirmed company."""
        (entity,) = (await owner.look())["me"]["b2b"]["legalEntities"]
        answer = await refresh(owner.shop.gateway, owner.person.tokens.refresh, legalEntityId=entity["id"])
        return Tokens.of(answer["refresh"]["tokens"]), entity["id"]

    async def acts_for(self, gateway: Gateway, tokens: Tokens) -> str | None:
        entity_id: str | None = (await gateway.graphql(TOKEN_INFO, token=tokens.access))["tokenInfo"]["legalEntityId"]
        return entity_id

    async def test_goes_on_over_refreshes(self, gateway: Gateway) -> None:
        tokens, entity_id = await self.act(await furnish(Shop(gateway)))
        assert await self.acts_for(gateway, tokens) == entity_id
        assert await self.acts_for(gateway, await gateway.refresh(tokens.refresh)) == entity_id

    async def test_ends_when_staff_take_the_confirmation_back(self, gateway: Gateway) -> None:
        owner = await furnish(Shop(gateway))
        tokens, entity_id = await self.act(owner)
        doubted = [{"id": entity_id, "confirmed": False}]
        await owner.shop.staff_do(UPDATE_CUSTOMER, id=owner.person.id, legalEntities=doubted)
        assert await self.acts_for(gateway, tokens) is None
        assert await self.acts_for(gateway, await gateway.refresh(tokens.refresh)) is None
        answer = await refresh(gateway, owner.person.tokens.refresh, legalEntityId=entity_id)
        assert answer.user_errors("refresh") == [("NOT_FOUND", "legalEntityId")]


class TestLogin:
    @pytest.mark.parametrize(
        ("shop", "told"), [(HERE, ("ACCOUNT_INACTIVE", "email")), ("there", ("INVALID_CREDENTIALS", "password"))]
    )
    async def test_tells_who_is_inactive_only_where_the_shop_wants_that(
        self, gateway: Gateway, shop: str, told: tuple[str, str]
    ) -> None:
        visited = Shop(gateway, shop)
        former = await visited.former_customer()
        answer = await login(gateway, await visited.visitor(), former.email)
        assert answer.user_errors("login") == [told]

    async def test_needs_a_visit_that_goes_on(self, gateway: Gateway) -> None:
        shop = Shop(gateway)
        person, visitor = await shop.customer(), await shop.visitor()
        assert (await login(gateway, visitor, person.email)).user_errors("login") == []
        again = await login(gateway, visitor, person.email)
        assert (again.codes, again.reason) == (["UNAUTHENTICATED"], "REVOKED")


class TestLogout:
    async def test_ends_a_visit(self, gateway: Gateway) -> None:
        visitor = await Shop(gateway).visitor()
        assert (await gateway.graphql(LOGOUT, token=visitor))["logout"]["loggedOut"] is True
        assert (await gateway.graphql(TOKEN_INFO, token=visitor)).reason == "REVOKED"

    @pytest.mark.parametrize("everywhere", [False, True])
    async def test_ends_the_session_or_all(self, gateway: Gateway, *, everywhere: bool) -> None:
        shop = Shop(gateway)
        person = await shop.customer()
        other = await gateway.login(person.email, token=await shop.visitor())
        await gateway.graphql(LOGOUT, {"input": {"everywhere": everywhere}}, person.tokens.access)
        assert (await gateway.graphql(TOKEN_INFO, token=person.tokens.access)).reason == "REVOKED"
        assert (await gateway.graphql(TOKEN_INFO, token=other.access)).codes == ["UNAUTHENTICATED"] * everywhere


class TestRevokeSession:
    async def test_ends_another_of_the_customers_own_once(self, gateway: Gateway) -> None:
        shop = Shop(gateway)
        person = await shop.customer()
        other = await gateway.login(person.email, token=await shop.visitor())
        wanted = {"input": {"sessionId": other.session_id}}
        assert (await gateway.graphql(REVOKE, wanted, person.tokens.access)).user_errors("revokeSession") == []
        assert (await gateway.graphql(TOKEN_INFO, token=other.access)).reason == "REVOKED"
        again = await gateway.graphql(REVOKE, wanted, person.tokens.access)
        assert again.user_errors("revokeSession") == [("NOT_FOUND", "sessionId")]
