"""Nobody finds, changes or counts what is another shop's, or another customer's, by whatever id and operation."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.principal import TokenKind
from app.domain.scopes import Scope
from tests.factories import PASSWORD
from tests.harness.access import RootField, root_fields
from tests.harness.arguments import UNKNOWN_ID, document, id_paths, with_id
from tests.harness.belongings import CREATE_GROUP, Belongings, furnish
from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.operations import LOGIN, REFRESH, RESET_PASSWORD
from tests.harness.staff import CREATE, CUSTOMERS, RECORD_ORDER, RESET_TOKEN
from tests.harness.two_shops import HERE, THERE, Shop, two_shops

pytestmark = pytest.mark.anyio

Call = tuple[RootField, tuple[str, ...]]

# What is not looked up: a customer may claim any legal entity, staff may assign any, and neither shows a thing of it.
CLAIMS = ("legalEntities.0.id", "legalEntities.0.contactAssignmentId")
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


@dataclass(frozen=True, slots=True)
class Caller:
    """The bearer of a token, and the customer by whose id they can fill in what else an operation asks for."""

    shop: Shop
    token: str
    customer_id: str


async def call_with(caller: Caller, call: Call, id_: str) -> str:
    """Call the field with this id, and return the answer with the id left out of it."""
    field, path = call
    arguments = with_id(field.shown, path, id_, other_ids=caller.customer_id)
    operation = document(field.root, field.name, field.shown, arguments)
    caller.shop.come_from_elsewhere()
    answer = await caller.shop.gateway.graphql(operation, arguments, caller.token)
    assert "RATE_LIMITED" not in answer.codes
    told = [(error["extensions"]["code"], error["message"]) for error in answer.errors]
    return json.dumps([answer.data, told]).replace(id_, "the id")


class Callers:
    """Everyone who comes to a shop, beside the owner of the belongings."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._callers: dict[TokenKind, Caller] = {}

    async def come(self, person: Person | None = None) -> Callers:
        """Let them come; the customer among them is this one, or else somebody new."""
        shop = self._shop
        customer = person or await shop.customer()
        tokens = {
            TokenKind.ANONYMOUS: await shop.visitor(),
            TokenKind.CUSTOMER: customer.tokens.access,
            TokenKind.ON_BEHALF: await shop.on_behalf(customer.id),
            TokenKind.INTEGRATION: await shop.integration(*Scope),
        }
        self._callers = {kind: Caller(shop, token, customer.id) for kind, token in tokens.items()}
        return self

    def who_may_call(self, field: RootField, *but: TokenKind) -> list[Caller]:
        """Return those who may call the field, but for those of some kinds."""
        return [self._callers[kind] for kind in TokenKind if kind in set(field.rule.kinds) - set(but)]


@pytest.mark.slow
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
        owner = await furnish(Shop(gateway))
        others_here = await Callers(owner.shop).come()
        others_there = await Callers(Shop(gateway, THERE)).come()
        before, betrayed = await owner.look(), []
        for name, call in CALLS.items():
            if name.endswith(CLAIMS):
                # Those so far have claimed something, which is theirs by now.
                await others_here.come()
                await others_there.come()
            strangers = others_there.who_may_call(call[0])
            # Staff of the same shop are no strangers.
            strangers += others_here.who_may_call(call[0], TokenKind.INTEGRATION)
            for stranger in strangers:
                nothing = await call_with(stranger, call, UNKNOWN_ID)
                betrayed += [name for id_ in owner.ids if await call_with(stranger, call, id_) != nothing]
        assert betrayed == []
        assert await owner.look() == before

    async def test_of_ones_own_are_found(self, gateway: Gateway) -> None:
        """Without this, what strangers are answered would show nothing."""
        shop = Shop(gateway)
        unfound = {name for name in CALLS if name not in SHOWN_APART and not name.endswith(CLAIMS)}
        for number, name in enumerate(sorted(unfound)):
            owner = await furnish(shop, f"group-{number}")
            callers = await Callers(shop).come(owner.person)
            if await self.is_found(owner, callers, CALLS[name]):
                unfound.remove(name)
        assert unfound == set()

    async def is_found(self, owner: Belongings, callers: Callers, call: Call) -> bool:
        for caller in callers.who_may_call(call[0]):
            nothing = await call_with(caller, call, UNKNOWN_ID)
            for id_ in sorted(owner.ids):
                if await call_with(caller, call, id_) != nothing:
                    return True
        return False


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
            seen = json.dumps(await own.look())
            assert [id_ for id_ in other.ids if id_ in seen] == []

    async def test_show_only_what_is_the_customers(self, gateway: Gateway) -> None:
        shop = Shop(gateway)
        one, other = await furnish(shop, "one"), await furnish(shop, "other")
        seen = await one.look()
        assert one.ids.isdisjoint(other.ids)
        assert [id_ for id_ in other.ids if id_ in json.dumps(seen)] == []
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
