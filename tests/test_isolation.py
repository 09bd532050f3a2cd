"""Nobody finds, changes or counts what is another shop's, or another customer's, by whatever id and operation."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.principal import TokenKind
from app.domain.scopes import Scope
from tests.factories import PASSWORD
from tests.harness.access import RootField, root_fields
from tests.harness.arguments import UNKNOWN_ID, document, id_paths, with_id
from tests.harness.belongings import CREATE_GROUP, Belongings, furnish
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.operations import LOGIN, REFRESH, RESET_PASSWORD
from tests.harness.staff import CREATE, CUSTOMERS, RECORD_ORDER, RESET_TOKEN
from tests.harness.two_shops import HERE, THERE, Shop, two_shops

pytestmark = pytest.mark.anyio

Path_ = tuple[str, ...]
Call = tuple[RootField, Path_]

# What is not looked up: a customer may claim any legal entity, staff may assign any, and neither shows a thing of it.
CLAIMS = "legalEntities.0.id"
# What needs more than an id to get that far, and has a test of its own.
SHOWN_APART = {"refresh input.legalEntityId", "unlinkSocialAccount input.accountId"}


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return two_shops(tmp_path)


def calls_with_an_id() -> Iterator[Call]:
    """Yield each root field with each place of its arguments where an id may stand."""
    for field in root_fields():
        for path in id_paths(field.shown):
            yield field, path


def named(call: Call) -> str:
    return f"{call[0].name} {'.'.join(call[1])}"


CALLS = {named(call): call for call in calls_with_an_id()}


async def call_with(shop: Shop, call: Call, token: str, id_: str) -> str:
    """Call the field with this id, and return the answer with the id left out of it."""
    field, path = call
    arguments = with_id(field.shown, path, id_)
    shop.come_from_elsewhere()
    answer = await shop.gateway.graphql(document(field.root, field.name, field.shown, arguments), arguments, token)
    assert "RATE_LIMITED" not in answer.codes
    told = [(error["extensions"]["code"], error["message"]) for error in answer.errors]
    return json.dumps([answer.data, told]).replace(id_, "the id")


class Strangers:
    """Whoever has no business with somebody's belongings: those of another shop, and other customers of the same."""

    def __init__(self, here: Shop, there: Shop) -> None:
        self._here, self._there = here, there
        self._tokens: dict[TokenKind, list[str]] = {}

    async def prepare(self) -> None:
        """Let them come."""
        others = [(shop, await shop.customer()) for shop in (self._here, self._there)]
        self._tokens = {
            TokenKind.ANONYMOUS: [await self._here.visitor(), await self._there.visitor()],
            TokenKind.CUSTOMER: [person.tokens.access for _, person in others],
            TokenKind.ON_BEHALF: [await shop.on_behalf(person.id) for shop, person in others],
            TokenKind.INTEGRATION: [await self._there.integration(*Scope)],
        }

    def tokens(self, field: RootField) -> list[str]:
        """Return the tokens by which they may call the field."""
        return [token for kind in TokenKind if kind in field.rule.kinds for token in self._tokens[kind]]


async def own_token(owner: Belongings, field: RootField) -> str:
    """Return a token by which the id of one of the belongings has a meaning."""
    if TokenKind.CUSTOMER in field.rule.kinds:
        return owner.person.tokens.access
    return await owner.shop.integration(*Scope)


class TestIds:
    @pytest.fixture
    def environment(
        self, sqlite_template: Path, tmp_path: Path, settings_environment: dict[str, str]
    ) -> dict[str, str]:
        """Return that of SQLite only: what is bound to a tenant in every statement is shown for both elsewhere."""
        database = tmp_path / "gateway.db"
        shutil.copy(sqlite_template, database)
        return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state"), **settings_environment}

    async def test_of_others_are_answered_as_ids_of_nothing_and_change_nothing(self, gateway: Gateway) -> None:
        here, there = Shop(gateway), Shop(gateway, THERE)
        owner, strangers = await furnish(here), Strangers(here, there)
        await strangers.prepare()
        before, betrayed = await owner.look(), []
        for name, call in CALLS.items():
            for token in strangers.tokens(call[0]):
                nothing = await call_with(here, call, token, UNKNOWN_ID)
                betrayed += [name for id_ in owner.ids if await call_with(here, call, token, id_) != nothing]
        assert betrayed == []
        assert await owner.look() == before

    async def test_of_ones_own_are_found(self, gateway: Gateway) -> None:
        """Without this, what strangers are answered would show nothing."""
        shop, unfound = Shop(gateway), []
        for number, (name, call) in enumerate(CALLS.items()):
            if name in SHOWN_APART or name.endswith(CLAIMS):
                continue
            owner = await furnish(shop, f"group-{number}")
            token = await own_token(owner, call[0])
            nothing = await call_with(shop, call, token, UNKNOWN_ID)
            for id_ in sorted(owner.ids):
                if await call_with(shop, call, token, id_) != nothing:
                    break
            else:
                unfound.append(name)
        assert unfound == []


class TestLegalEntities:
    async def test_of_another_customer_are_nobody_elses_to_act_for(self, gateway: Gateway) -> None:
        shop = Shop(gateway)
        owner = await furnish(shop)
        (entity,) = (await owner.look())["me"]["b2b"]["legalEntities"]
        for other in (await shop.customer(), await Shop(gateway, THERE).customer()):
            trade = {"refreshToken": other.tokens.refresh, "legalEntityId": entity["id"]}
            answer = await gateway.graphql(REFRESH, {"input": trade})
            assert answer.user_errors("refresh") == [("NOT_FOUND", "legalEntityId")]


class TestLists:
    async def test_show_only_what_is_in_the_shop(self, gateway: Gateway) -> None:
        here, there = await furnish(Shop(gateway)), await furnish(Shop(gateway, THERE))
        for own, other in ((here, there), (there, here)):
            staff = await own.shop.integration(*Scope)
            answer = await gateway.graphql(CUSTOMERS, {"first": 100}, staff)
            assert [customer["id"] for customer in answer["customers"]["nodes"]] == [own.person.id]
            assert answer["customers"]["pageInfo"]["hasNextPage"] is False
            groups = await gateway.graphql("{ customerGroups { id } }", token=staff)
            assert [group["id"] in own.ids for group in groups["customerGroups"]] == [True]
            assert own.ids.isdisjoint(other.ids)
            assert not any(id_ in json.dumps(await own.look()) for id_ in other.ids)

    async def test_show_only_what_is_the_customers(self, gateway: Gateway) -> None:
        shop = Shop(gateway)
        one, other = await furnish(shop, "one"), await furnish(shop, "other")
        seen = await one.look()
        assert one.ids.isdisjoint(other.ids)
        assert not any(id_ in json.dumps(seen) for id_ in other.ids)
        assert [len(seen["me"][noun]) for noun in ("addresses", "paymentInstruments", "productLists")] == [1, 1, 1]
        assert len(seen["sessions"]) == 1


class TestUniqueKeys:
    async def test_are_unique_in_each_shop_by_itself(self, gateway: Gateway) -> None:
        person = {"email": "ada@example.com", "customerNumber": "4711", "shopperReference": "ada-1815"}
        for shop in (Shop(gateway), Shop(gateway, THERE)):
            customer = (await shop.staff_do(CREATE, **person))["customer"]
            await shop.staff_do(CREATE_GROUP, name="Trade", code="trade")
            order = {"customerId": customer["id"], "orderReference": "order-1"}
            assert (await shop.staff_do(RECORD_ORDER, **order))["recorded"] is True


class TestTokens:
    async def login(self, shop: Shop, email: str, password: str = PASSWORD) -> Answer:
        login = {"email": email, "password": password}
        return await shop.gateway.graphql(LOGIN, {"input": login}, await shop.visitor())

    async def test_a_login_of_one_shop_is_none_of_the_other(self, gateway: Gateway) -> None:
        here, there = Shop(gateway), Shop(gateway, THERE)
        person = await here.customer(email="ada@example.com", password="cobalt-meadow-19")
        answer = await self.login(there, person.email, person.password)
        assert answer.user_errors("login") == [("INVALID_CREDENTIALS", "password")]
        await there.customer(email="ada@example.com")
        answer = await self.login(there, person.email, person.password)
        assert answer.user_errors("login") == [("INVALID_CREDENTIALS", "password")]
        assert (await self.login(here, person.email, person.password)).user_errors("login") == []

    async def test_a_one_time_token_does_nothing_in_the_other_shop(self, gateway: Gateway) -> None:
        here, there = Shop(gateway), Shop(gateway, THERE)
        person = await here.customer()
        token = (await here.staff_do(RESET_TOKEN, customerId=person.id))["token"]
        reset = {"input": {"token": token, "password": "cobalt-meadow-19"}}
        answer = await gateway.graphql(RESET_PASSWORD, reset, await there.visitor())
        assert answer.user_errors("resetPassword") == [("TOKEN_INVALID", "token")]
        assert (await self.login(here, person.email)).user_errors("login") == []
        answer = await gateway.graphql(RESET_PASSWORD, reset, await here.visitor())
        assert answer.user_errors("resetPassword") == []

    async def test_a_refresh_token_goes_on_in_its_own_shop_whoever_brings_it(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        stranger = await Shop(gateway, THERE).visitor()
        answer = await gateway.graphql(REFRESH, {"input": {"refreshToken": person.tokens.refresh}}, stranger)
        token = answer["refresh"]["tokens"]["accessToken"]
        info = await gateway.graphql("{ tokenInfo { tenant customerId } }", token=token)
        assert info["tokenInfo"] == {"tenant": HERE, "customerId": person.id}
