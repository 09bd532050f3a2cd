"""Saas tokens over the public API: whose they are, how long they live, and that they cost nothing unless wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.harness.client import Answer, Person
from tests.harness.gateway import Gateway
from tests.harness.saas_tokens import read_saas_token
from tests.harness.two_shops import HERE, THERE, Shop, two_shops

pytestmark = pytest.mark.anyio

SAAS_TOKEN = "{ saasToken { token expiresIn } }"
PLAIN_REFRESH = """mutation ($input: RefreshInput!) {
    refresh(input: $input) { tokens { accessToken refreshToken saasTokenExpiresIn scope } userErrors { code } }
}"""
REFRESH_TWICE = """mutation ($one: RefreshInput!, $two: RefreshInput!) {
    one: refresh(input: $one) { tokens { saasToken } userErrors { code } }
    two: refresh(input: $two) { tokens { saasToken } userErrors { code } }
}"""


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return two_shops(tmp_path)


async def ask(gateway: Gateway, token: str | None) -> Answer:
    return await gateway.graphql(SAAS_TOKEN, token=token)


async def claims_of(gateway: Gateway, token: str) -> dict[str, Any]:
    """Get a saas token with an access token, and read it."""
    return await read_saas_token(gateway, (await ask(gateway, token))["saasToken"]["token"], HERE)


async def scope_of(gateway: Gateway, token: str) -> list[str]:
    scope: list[str] = (await gateway.graphql("{ tokenInfo { scope } }", token=token))["tokenInfo"]["scope"]
    return scope


async def everything_written(gateway: Gateway) -> list[Any]:
    tables = ("visit", "session", "access_token", "refresh_token", "audit_event", "outbox_message")
    return [[tuple(row) for row in await gateway.rows(f"SELECT * FROM {table}")] for table in tables]  # noqa: S608


class TestSaasToken:
    async def test_of_a_guest_is_of_the_session_and_of_no_customer(self, gateway: Gateway) -> None:
        tokens = await gateway.anonymous(f"{HERE}-storefront")
        claims = await claims_of(gateway, tokens.access)
        now = int(gateway.clock.now().timestamp())
        assert claims.pop("jti") != (await claims_of(gateway, tokens.access))["jti"]
        assert claims == {
            "iss": gateway.tools.public_url,
            "aud": HERE,
            "sub": tokens.session_id,
            "sid": tokens.session_id,
            "iat": now,
            "exp": now + 300,
            "client_id": f"{HERE}-storefront",
            "kind": "ANONYMOUS",
            "scope": " ".join(tokens.all["scope"]),
            "groups": [],
        }

    async def test_of_a_customer_has_nothing_personal_but_the_number(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        claims = await claims_of(gateway, person.tokens.access)
        assert (claims["sub"], claims["sid"], claims["kind"]) == (person.id, person.tokens.session_id, "CUSTOMER")
        assert claims.keys() == {
            *("iss", "aud", "sub", "sid", "iat", "exp", "jti", "client_id", "kind", "scope", "groups"),
            *("auth_time", "amr", "acr"),
            "customer_number",
        }

    async def test_of_staff_on_behalf_names_who_acts(self, gateway: Gateway) -> None:
        shop = Shop(gateway)
        person = await shop.customer()
        claims = await claims_of(gateway, await shop.on_behalf(person.id))
        assert (claims["sub"], claims["kind"]) == (person.id, "ON_BEHALF")
        assert claims["act"] == {"sub": f"owner-{HERE}", "type": "User"}
        assert claims["sid"] != person.tokens.session_id

    async def test_is_refused_to_an_integration(self, gateway: Gateway) -> None:
        assert (await ask(gateway, await Shop(gateway).integration("customers.read"))).codes == ["FORBIDDEN"]

    async def test_is_refused_to_who_has_logged_out(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        await gateway.graphql("mutation { logout { loggedOut } }", token=person.tokens.access)
        assert (await ask(gateway, person.tokens.access)).reason == "REVOKED"

    async def test_is_refused_without_a_token(self, gateway: Gateway) -> None:
        assert (await ask(gateway, None)).reason == "MISSING"

    async def test_is_for_one_shop(self, gateway: Gateway) -> None:
        token = (await ask(gateway, await Shop(gateway, THERE).visitor()))["saasToken"]["token"]
        assert (await read_saas_token(gateway, token, THERE))["scope"].endswith(f" tenant={THERE}")
        with pytest.raises(jwt.InvalidAudienceError):
            await read_saas_token(gateway, token, HERE)

    async def test_does_not_outlive_the_access_token(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        gateway.clock.advance(seconds=800)
        saas = (await ask(gateway, person.tokens.access))["saasToken"]
        claims = await read_saas_token(gateway, saas["token"], HERE)
        assert claims["exp"] - claims["iat"] == saas["expiresIn"] == 100

    async def test_writes_nothing_and_leaves_the_tokens_of_the_session(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        before = await everything_written(gateway)
        gateway.clock.advance(seconds=60)
        await ask(gateway, person.tokens.access)
        assert await everything_written(gateway) == before
        assert (await gateway.refresh(person.tokens.refresh)).session_id == person.tokens.session_id

    @pytest.mark.parametrize(("is_customer", "expected"), [(False, 1), (True, 2)], ids=["guest", "customer"])
    async def test_costs_the_look_up_of_the_token_and_that_of_the_groups(
        self, gateway: Gateway, is_customer: bool, expected: int
    ) -> None:
        shop = Shop(gateway)
        token = (await shop.customer()).tokens.access if is_customer else await shop.visitor()
        with gateway.count_statements() as statements:
            await ask(gateway, token)
        assert len(statements) == expected, statements

    async def test_goes_with_the_groups_of_this_moment(self, gateway: Gateway) -> None:
        shop = Shop(gateway)
        person = await shop.customer()
        assert (await claims_of(gateway, person.tokens.access))["groups"] == []
        made = await shop.staff_do(
            """mutation ($input: CreateCustomerGroupInput!) {
                createCustomerGroup(input: $input) { customerGroup { id } userErrors { code } }
            }""",
            name="Press",
            code="press",
        )
        await shop.staff_do(
            "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { userErrors { code } } }",
            id=person.id,
            groupIds=[made["customerGroup"]["id"]],
        )
        assert (await claims_of(gateway, person.tokens.access))["groups"] == ["press"]


class TestSaasTokenOfATokenSet:
    async def signed_for(self, gateway: Gateway, person: Person) -> dict[str, Any]:
        return await read_saas_token(gateway, (await gateway.refresh(person.tokens.refresh)).saas, HERE)

    async def test_is_that_of_the_query(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        issued = await self.signed_for(gateway, person)
        asked = await claims_of(gateway, person.tokens.access)
        assert {**issued, "jti": ""} == {**asked, "jti": ""}

    async def test_lives_as_long_as_is_said(self, gateway: Gateway) -> None:
        for tokens in (await gateway.anonymous(f"{HERE}-storefront"), (await Shop(gateway).customer()).tokens):
            claims = await read_saas_token(gateway, tokens.saas, HERE)
            assert claims["exp"] - claims["iat"] == tokens.all["saasTokenExpiresIn"] == 300

    async def test_is_of_the_customer_as_soon_as_the_session_is(self, gateway: Gateway) -> None:
        guest = await gateway.anonymous(f"{HERE}-storefront")
        person = await gateway.signup_confirmed(f"{HERE}-storefront")
        tokens = await gateway.login(person.email, person.password, guest.access)
        claims = await read_saas_token(gateway, tokens.saas, HERE)
        assert (claims["sub"], claims["sid"]) == (person.id, guest.session_id)

    async def test_costs_its_statement_only_where_it_is_asked_for(self, gateway: Gateway) -> None:
        person = await Shop(gateway).customer()
        with gateway.count_statements() as signed:
            tokens = await gateway.refresh(person.tokens.refresh)
        with gateway.count_statements() as plain:
            answer = await gateway.graphql(PLAIN_REFRESH, {"input": {"refreshToken": tokens.refresh}})
        assert answer["refresh"]["tokens"]["saasTokenExpiresIn"] == 300
        assert len(signed) == len(plain) + 1

    async def test_is_of_its_own_session_where_two_are_refreshed_at_once(self, gateway: Gateway) -> None:
        one, two = (await Shop(gateway).customer()), (await Shop(gateway, THERE).customer())
        trade = {"one": {"refreshToken": one.tokens.refresh}, "two": {"refreshToken": two.tokens.refresh}}
        answer = await gateway.graphql(REFRESH_TWICE, trade)
        for name, person, shop in (("one", one, HERE), ("two", two, THERE)):
            claims = await read_saas_token(gateway, answer[name]["tokens"]["saasToken"], shop)
            assert (claims["sub"], claims["sid"]) == (person.id, person.tokens.session_id)


class TestScope:
    async def test_is_the_same_wherever_it_stands(self, gateway: Gateway) -> None:
        guest = await gateway.anonymous(f"{HERE}-storefront")
        person = await Shop(gateway).customer()
        for tokens in (guest, person.tokens):
            assert tokens.all["scope"] == await scope_of(gateway, tokens.access)
            claims = await read_saas_token(gateway, tokens.saas, HERE)
            assert claims["scope"].split() == tokens.all["scope"]

    async def test_names_the_shop_once(self, gateway: Gateway) -> None:
        for name in (HERE, THERE):
            scope = await scope_of(gateway, await Shop(gateway, name).visitor())
            assert [entry for entry in scope if "=" in entry] == [f"tenant={name}"]

    async def test_of_a_guest_lets_nobody_see_or_change_an_account(self, gateway: Gateway) -> None:
        scope = await scope_of(gateway, await Shop(gateway).visitor())
        assert {"customer.login", "customer.signup"} <= set(scope)
        assert not {"profile.read", "profile.write", "credentials.write", "privacy"} & set(scope)

    async def test_of_a_customer_is_what_an_account_may(self, gateway: Gateway) -> None:
        scope = await scope_of(gateway, (await Shop(gateway).customer()).tokens.access)
        assert {"profile.read", "profile.write", "addresses.write", "credentials.write", "privacy"} <= set(scope)
        assert not {"customer.login", "customer.signup"} & set(scope)
