"""Sessions over the public API: how they begin, go on, act for a company, and end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.services.worker.purge import purge_sealed
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
    """Let the other shop not tell why nobody is logged in, and be quick to forget used refresh tokens."""
    environment = two_shops(tmp_path)
    file = Path(environment["TENANTS_FILE"])
    there = 'name = "The shop there"\n'
    own = "login_tells_status = false\nrefresh_sibling_grace_seconds = 2\nrefresh_lost_answer_seconds = 60\n"
    file.write_text(file.read_text().replace(there, f"{there}{own}"))
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
    async def test_gives_the_newest_pair_again_from_the_fourth_time_on(self, gateway: Gateway) -> None:
        old = (await Shop(gateway).customer()).tokens.refresh
        given = [await gateway.refresh(old) for _ in range(6)]
        gateway.clock.advance(seconds=30)
        given.append(await gateway.refresh(old))
        assert len({tokens.refresh for tokens in given}) == 3
        assert {(tokens.access, tokens.refresh) for tokens in given[2:]} == {(given[2].access, given[2].refresh)}
        assert (given[2].all["expiresIn"], given[-1].all["expiresIn"]) == (900, 870)

    async def test_gives_another_pair_when_the_newest_was_traded_already(self, gateway: Gateway) -> None:
        old = (await Shop(gateway).customer()).tokens.refresh
        newest = [await gateway.refresh(old) for _ in range(4)][-1]
        await gateway.refresh(newest.refresh)
        anew = [await gateway.refresh(old) for _ in range(2)]
        assert anew[0].refresh == anew[1].refresh != newest.refresh
        gateway.clock.advance(minutes=15)
        await gateway.refresh(anew[0].refresh)

    async def test_keeps_no_pair_longer_than_the_grace(self, gateway: Gateway) -> None:
        old = (await Shop(gateway).customer()).tokens.refresh
        for _ in range(3):
            await gateway.refresh(old)
        ((sealed,),) = await gateway.rows("SELECT sealed FROM kept_pair WHERE input_hash IS NULL")
        assert "cg_c" not in sealed
        gateway.clock.advance(seconds=31)
        await purge_sealed(gateway.tools)
        assert await gateway.rows("SELECT sealed FROM kept_pair") == []

    async def test_counts_the_tabs_that_trade_one_token_once(self, gateway: Gateway) -> None:
        tokens = (await Shop(gateway).customer()).tokens
        for _ in range(28):
            tokens = await gateway.refresh(tokens.refresh)
        for _ in range(20):
            last = await gateway.refresh(tokens.refresh)
        tokens = await gateway.refresh(last.refresh)
        assert (await refresh(gateway, tokens.refresh)).codes == ["RATE_LIMITED"]

    async def test_gives_anew_what_was_lost_on_the_way_and_ends_the_lost_tokens(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        lost = [await gateway.refresh(person.tokens.refresh) for _ in range(2)]
        gateway.clock.advance(minutes=5)
        found = await gateway.refresh(person.tokens.refresh)
        assert found.session_id == person.tokens.session_id
        for tokens in lost:
            assert (await gateway.graphql(TOKEN_INFO, token=tokens.access)).reason == "REVOKED"
        for token in (person.tokens.access, found.access):
            assert (await gateway.graphql(TOKEN_INFO, token=token))["tokenInfo"]["kind"] == "CUSTOMER"

    async def test_opens_another_grace_with_what_was_lost(self, gateway: Gateway) -> None:
        old = (await Shop(gateway).customer()).tokens.refresh
        await gateway.refresh(old)
        gateway.clock.advance(days=3)
        found = [await gateway.refresh(old)]
        gateway.clock.advance(seconds=30)
        found += [await gateway.refresh(old) for _ in range(5)]
        assert len({tokens.refresh for tokens in found}) == 3
        gateway.clock.advance(minutes=15)
        for tokens in found:
            await gateway.refresh(tokens.refresh)

    async def test_takes_an_answer_for_lost_once_in_a_day(self, gateway: Gateway) -> None:
        old = (await Shop(gateway).customer()).tokens.refresh
        await gateway.refresh(old)
        gateway.clock.advance(minutes=5)
        found = await gateway.refresh(old)
        gateway.clock.advance(hours=24)
        assert (await refresh(gateway, old)).user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]
        gateway.clock.advance(seconds=1)
        again = await gateway.refresh(old)
        assert again.refresh != found.refresh
        await gateway.refresh(again.refresh)

    async def test_ends_nothing_when_an_answer_is_lost_too_often(self, gateway: Gateway) -> None:
        old = (await Shop(gateway).customer()).tokens.refresh
        await gateway.refresh(old)
        gateway.clock.advance(minutes=5)
        found = await gateway.refresh(old)
        gateway.clock.advance(minutes=5)
        for _ in range(2):
            assert (await refresh(gateway, old)).user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]
        await gateway.refresh(found.refresh)

    @pytest.mark.parametrize("held", ["the old token", "the lost one"])
    async def test_ends_the_session_when_two_hold_it(self, gateway: Gateway, held: str) -> None:
        shop = Shop(gateway)
        person = await shop.customer()
        lost = await gateway.refresh(person.tokens.refresh)
        gateway.clock.advance(minutes=5)
        found = await gateway.refresh(person.tokens.refresh)
        if held == "the old token":
            await gateway.refresh(found.refresh)
            gateway.clock.advance(seconds=31)
        copied = person.tokens.refresh if held == "the old token" else lost.refresh
        assert (await refresh(gateway, copied)).user_errors("refresh") == [("TOKEN_REUSED", "refreshToken")]
        assert (await gateway.graphql(TOKEN_INFO, token=found.access)).reason == "REVOKED"
        await gateway.deliver()
        assert [mail.subject for mail in gateway.mails(person.email)].count("We have ended one of your sessions") == 1

    async def test_tells_every_token_of_a_reused_family_why_it_ended(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        family = [person.tokens.refresh]
        for _ in range(3):
            family.append((await gateway.refresh(family[-1])).refresh)
        gateway.clock.advance(minutes=1)
        await refresh(gateway, family[0])
        gateway.clock.advance(days=13)
        for token in family:
            assert (await refresh(gateway, token)).user_errors("refresh") == [("TOKEN_REUSED", "refreshToken")]
        gateway.clock.advance(days=1)
        for token in family:
            assert (await refresh(gateway, token)).user_errors("refresh") == [("TOKEN_EXPIRED", "refreshToken")]
        assert len(await gateway.rows("SELECT 1 FROM audit_event WHERE action = 'session.refresh_reused'")) == 1

    async def test_does_not_call_an_ended_session_reused(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        tokens = await gateway.refresh((await gateway.refresh(person.tokens.refresh)).refresh)
        await gateway.graphql(LOGOUT, token=tokens.access)
        gateway.clock.advance(minutes=1)
        assert (await refresh(gateway, person.tokens.refresh)).user_errors("refresh") == [
            ("TOKEN_INVALID", "refreshToken")
        ]

    async def test_goes_by_the_times_of_the_shop(self, gateway: Gateway) -> None:
        old = (await Shop(gateway, "there").customer()).tokens.refresh
        await gateway.refresh(old)
        gateway.clock.advance(seconds=3)
        await gateway.refresh(old)
        gateway.clock.advance(seconds=4)
        assert (await refresh(gateway, old)).user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]
        gateway.clock.advance(seconds=57)
        await gateway.refresh(old)

    async def test_lets_a_visit_go_on_in_the_same_way(self, gateway: Gateway) -> None:
        old = (await gateway.anonymous(f"{HERE}-storefront")).refresh
        assert len({(await gateway.refresh(old)).refresh for _ in range(5)}) == 3
        gateway.clock.advance(minutes=5)
        await gateway.refresh((await gateway.refresh(old)).refresh)

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
        gateway.clock.advance(seconds=31)
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
