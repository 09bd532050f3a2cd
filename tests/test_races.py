"""Sixteen at once for what only one may have: guarded statements decide, on both databases, and nobody sees a 5xx."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.factories import PASSWORD, address_input, signup_input
from tests.harness import operations
from tests.harness.client import Answer, Person, StorefrontClient, Tokens
from tests.harness.gateway import Gateway
from tests.harness.mails import Mail
from tests.harness.server import ServerClient, ServerProcess

pytestmark = pytest.mark.anyio

AT_ONCE = 16
OK = "OK"


# Two shops whose limits are so high that it is the database that decides, and not who was let through to it.
TENANTS = """
[tenants.demo]
name = "Demo shop"
signup = "confirm_email"
sites.main = { url = "https://shop.example", language = "en" }
clients = [{ id = "demo-storefront", kind = "storefront" }]

[tenants.demo.limits]
one_time_token_tries_per_flow = 100
signup_mails_per_recipient_per_hour = 100
mails_per_recipient_per_hour = 100
mails_per_recipient_per_day = 100

[tenants.open]
name = "Open shop"
signup = "open"
sites.main = { url = "https://shop.example", language = "en" }
clients = [{ id = "open-storefront", kind = "storefront" }]
"""


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    """Believe our own X-Forwarded-For: the sixteen come from sixteen addresses."""
    file = tmp_path / "tenants.toml"
    file.write_text(TENANTS)
    return {"TRUSTED_PROXIES": "127.0.0.1", "TENANTS_FILE": str(file)}


def from_address(number: int) -> dict[str, str]:
    return {"X-Forwarded-For": f"203.0.113.{number}"}


async def at_once(calls: Sequence[Coroutine[Any, Any, Answer]], name: str) -> list[dict[str, Any]]:
    """Run the calls all at once and return their payloads."""
    return [answer[name] for answer in await asyncio.gather(*calls)]


def outcomes(payloads: Sequence[dict[str, Any]]) -> Counter[str]:
    """Count how often each first user error came, or `OK`."""
    return Counter(payload["userErrors"][0]["code"] if payload["userErrors"] else OK for payload in payloads)


def refresh_calls(storefronts: Sequence[StorefrontClient], refresh_token: str, amount: int) -> list[Any]:
    """Return calls that trade one refresh token, by the storefronts in turn."""
    return [
        storefronts[number % len(storefronts)].graphql(
            operations.REFRESH, {"input": {"refreshToken": refresh_token}}, headers=from_address(number)
        )
        for number in range(amount)
    ]


def pairs(payloads: Sequence[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Count how often each pair of tokens was answered."""
    assert outcomes(payloads) == {OK: len(payloads)}
    return Counter((each["tokens"]["accessToken"], each["tokens"]["refreshToken"]) for each in payloads)


class TestRefresh:
    @pytest.mark.parametrize("tabs", [8, 16, 64])
    async def test_gives_every_tab_tokens_that_work(self, gateway: Gateway, tabs: int) -> None:
        person = await gateway.customer()
        answered = pairs(await at_once(refresh_calls([gateway], person.tokens.refresh, tabs), "refresh"))
        assert sorted(answered.values()) == [1, 1, tabs - 2]
        for access, _ in answered:
            assert (await gateway.graphql("{ me { id } }", token=access))["me"]["id"] == person.id

    @pytest.mark.parametrize("tabs", [8, 16])
    async def test_lets_every_tab_go_on_when_the_next_time_comes(self, gateway: Gateway, tabs: int) -> None:
        person = await gateway.customer()
        payloads = await at_once(refresh_calls([gateway], person.tokens.refresh, tabs), "refresh")
        for _ in range(2):
            gateway.clock.advance(minutes=15)
            held = [payload["tokens"]["refreshToken"] for payload in payloads]
            calls = [
                gateway.graphql(operations.REFRESH, {"input": {"refreshToken": token}}, headers=from_address(number))
                for number, token in enumerate(held)
            ]
            payloads = await at_once(calls, "refresh")
            assert outcomes(payloads) == {OK: tabs}

    @pytest.mark.parametrize("tabs", [8, 16])
    async def test_gives_tabs_that_slept_new_tokens_once_a_day(self, gateway: Gateway, tabs: int) -> None:
        person = await gateway.customer()
        await gateway.refresh(person.tokens.refresh)
        gateway.clock.advance(hours=9)
        payloads = await at_once(refresh_calls([gateway], person.tokens.refresh, tabs), "refresh")
        assert sorted(pairs(payloads).values()) == [1, 1, tabs - 2]
        gateway.clock.advance(seconds=31)
        late = await at_once(refresh_calls([gateway], person.tokens.refresh, tabs), "refresh")
        assert outcomes(late) == {"TOKEN_INVALID": tabs}
        await gateway.refresh(payloads[0]["tokens"]["refreshToken"])

    async def test_ends_the_session_once_when_sixteen_have_an_old_token(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        held = await gateway.refresh((await gateway.refresh(person.tokens.refresh)).refresh)
        gateway.clock.advance(seconds=31)
        payloads = await at_once(refresh_calls([gateway], person.tokens.refresh, AT_ONCE), "refresh")
        assert outcomes(payloads) == {"TOKEN_REUSED": AT_ONCE}
        assert (await gateway.graphql("{ me { id } }", token=held.access)).reason == "REVOKED"
        await gateway.deliver()
        assert [mail.subject for mail in gateway.mails(person.email)].count("We have ended one of your sessions") == 1
        assert len(await gateway.rows("SELECT 1 FROM audit_event WHERE action = 'session.refresh_reused'")) == 1


class TestConfirmSignup:
    async def confirm_calls(self, gateway: Gateway, mail: Mail, person: Person, times: int) -> list[Any]:
        """Return as many confirmations with the password, each in a session of its own, two from one address."""
        given = {"input": {"token": mail.token, "password": person.password}}
        sessions = [await gateway.anonymous() for _ in range(times)]
        return [
            gateway.graphql(operations.CONFIRM_SIGNUP, given, session.access, from_address(number // 2))
            for number, session in enumerate(sessions)
        ]

    async def test_finishes_the_sign_up_once_of_sixteen_sessions(self, gateway: Gateway) -> None:
        person = await gateway.signed_up()
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        payloads = await at_once(await self.confirm_calls(gateway, mail, person, AT_ONCE), "confirmSignup")
        assert outcomes(payloads) == {OK: AT_ONCE}
        assert sorted(payload["alreadyConfirmed"] for payload in payloads) == [False] + [True] * (AT_ONCE - 1)
        assert {payload["customerId"] for payload in payloads} == {person.id}
        await gateway.login(person.email)

    async def test_of_two_sign_ups_for_one_address_one_wins(self, gateway: Gateway) -> None:
        people = [
            await gateway.signed_up(email="ada@example.com", password=password)
            for password in ("copper-lantern-77", "silver-lantern-78")
        ]
        await gateway.deliver()
        mails = gateway.mails("ada@example.com")
        calls = [
            call
            for pair in zip(
                await self.confirm_calls(gateway, mails[0], people[0], AT_ONCE // 2),
                await self.confirm_calls(gateway, mails[1], people[1], AT_ONCE // 2),
                strict=True,
            )
            for call in pair
        ]
        payloads = await at_once(calls, "confirmSignup")
        assert outcomes(payloads) == {OK: AT_ONCE // 2, "TOKEN_INVALID": AT_ONCE // 2}
        (winner,) = {payload["customerId"] for payload in payloads if payload["customerId"]}
        assert [row.id for row in await gateway.rows("SELECT id FROM customer")] == [winner]
        loser = next(person for person in people if person.id != winner)
        await gateway.login("ada@example.com", next(person.password for person in people if person.id == winner))
        given = {"input": {"email": "ada@example.com", "password": loser.password}}
        refused = await gateway.graphql(operations.LOGIN, given, (await gateway.anonymous()).access)
        assert refused.user_errors("login") == [("INVALID_CREDENTIALS", "password")]


class TestSignup:
    async def sixteen(self, gateway: Gateway, client_id: str) -> list[dict[str, Any]]:
        """Sign up with one address, written in sixteen ways, from sixteen sessions."""
        sessions = [await gateway.anonymous(client_id) for _ in range(AT_ONCE)]
        spellings = ["ada@example.com", "ADA@example.com", "ada@EXAMPLE.com", "Ada@Example.com"]
        calls = [
            gateway.graphql(
                operations.SIGNUP,
                {"input": signup_input(email=spellings[number % len(spellings)], customerAddress=address_input())},
                session.access,
                from_address(number),
            )
            for number, session in enumerate(sessions)
        ]
        return await at_once(calls, "signup")

    async def customers(self, gateway: Gateway) -> list[str]:
        return [row.id for row in await gateway.rows("SELECT id FROM customer")]

    async def test_lets_one_have_the_address_in_an_open_shop(self, gateway: Gateway) -> None:
        payloads = await self.sixteen(gateway, "open-storefront")
        assert outcomes(payloads) == {OK: 1, "EMAIL_TAKEN": AT_ONCE - 1}
        (winner,) = [payload["customerId"] for payload in payloads if payload["customerId"]]
        assert await self.customers(gateway) == [winner]
        await gateway.login("ada@example.com", client_id="open-storefront")

    async def test_makes_one_customer_where_all_are_answered_alike(self, gateway: Gateway) -> None:
        payloads = await self.sixteen(gateway, "demo-storefront")
        assert {payload["status"] for payload in payloads} == {"CONFIRMATION_SENT"}
        ids = {payload["customerId"] for payload in payloads}
        assert len(ids) == AT_ONCE
        assert await self.customers(gateway) == []
        await gateway.deliver()
        links = [mail.token for mail in gateway.mails() if "token=" in mail.text]
        assert len(links) == AT_ONCE
        given = [{"input": {"token": token, "password": PASSWORD}} for token in links]
        confirmed = [await gateway.graphql(operations.CONFIRM_SIGNUP, each) for each in given]
        (customer,) = await self.customers(gateway)
        assert customer in ids
        assert confirmed[0]["confirmSignup"]["customerId"] == customer
        for later in confirmed[1:]:
            assert later.user_errors("confirmSignup") == [("TOKEN_INVALID", "token")]
        await gateway.login("ada@example.com", PASSWORD)


class TestResetPassword:
    async def test_takes_one_of_sixteen_passwords(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        sessions = [await gateway.anonymous() for _ in range(AT_ONCE)]
        given = {"input": {"email": person.email}}
        await gateway.graphql(operations.REQUEST_PASSWORD_RESET, given, sessions[0].access)
        await gateway.deliver()
        token = gateway.mails(person.email)[-1].token
        calls = [
            gateway.graphql(
                operations.RESET_PASSWORD,
                {"input": {"token": token, "password": f"copper-lantern-{number:02}"}},
                session.access,
                from_address(number),
            )
            for number, session in enumerate(sessions)
        ]
        payloads = await at_once(calls, "resetPassword")
        assert outcomes(payloads) == {OK: 1, "TOKEN_INVALID": AT_ONCE - 1}
        (winner,) = [number for number, payload in enumerate(payloads) if payload["passwordReset"]]
        await gateway.login(person.email, f"copper-lantern-{winner:02}")


class TestConfirmEmailChange:
    async def test_takes_the_token_once(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        new = {"input": {"newEmail": "countess@example.org", "password": PASSWORD}}
        await gateway.graphql(operations.CHANGE_EMAIL, new, person.tokens.access)
        await gateway.deliver()
        (mail,) = gateway.mails("countess@example.org")
        sessions = [await gateway.anonymous() for _ in range(AT_ONCE)]
        calls = [
            gateway.graphql(
                operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": mail.token}}, session.access, from_address(number)
            )
            for number, session in enumerate(sessions)
        ]
        payloads = await at_once(calls, "confirmEmailChange")
        assert {payload["email"] for payload in payloads} == {"countess@example.org"}
        changes = await gateway.rows("SELECT id FROM audit_event WHERE action = 'email.changed'")
        assert len(changes) == 1, "Whoever comes later is told what is true already."
        await gateway.login("countess@example.org")

    async def test_gives_one_of_eight_customers_an_address_that_all_want(self, gateway: Gateway) -> None:
        people = [await gateway.customer() for _ in range(AT_ONCE // 2)]
        tokens = []
        for person in people:
            new = {"input": {"newEmail": "countess@example.org", "password": PASSWORD}}
            await gateway.graphql(operations.CHANGE_EMAIL, new, person.tokens.access)
            await gateway.deliver()
            tokens.append(gateway.mails("countess@example.org")[-1].token)
        calls = [
            gateway.graphql(
                operations.CONFIRM_EMAIL_CHANGE, {"input": {"token": token}}, person.tokens.access, from_address(number)
            )
            for number, (token, person) in enumerate(zip(tokens, people, strict=True))
        ]
        payloads = await at_once(calls, "confirmEmailChange")
        assert outcomes(payloads) == {OK: 1, "EMAIL_TAKEN": len(people) - 1}
        (winner,) = [number for number, payload in enumerate(payloads) if payload["email"]]
        answer = await gateway.graphql("{ me { email } }", token=people[winner].tokens.access)
        assert answer["me"] == {"email": "countess@example.org"}


class TestDefaultAddress:
    async def defaults(self, gateway: Gateway, token: str) -> list[bool]:
        answer = await gateway.graphql("{ addresses { isDefault } }", token=token)
        return [address["isDefault"] for address in answer["addresses"]]

    async def test_is_one_of_sixteen_new_addresses(self, gateway: Gateway) -> None:
        token = (await gateway.customer()).tokens.access
        calls = [
            gateway.graphql(operations.CREATE_ADDRESS, {"input": address_input(isDefault=True)}, token)
            for _ in range(AT_ONCE)
        ]
        assert outcomes(await at_once(calls, "createAddress")) == {OK: AT_ONCE}
        assert sorted(await self.defaults(gateway, token)) == [False] * (AT_ONCE - 1) + [True]

    async def test_is_one_when_sixteen_addresses_are_to_become_it(self, gateway: Gateway) -> None:
        token = (await gateway.customer()).tokens.access
        ids = [
            (await gateway.graphql(operations.CREATE_ADDRESS, {"input": address_input()}, token))["createAddress"][
                "address"
            ]["id"]
            for _ in range(AT_ONCE)
        ]
        calls = [
            gateway.graphql(operations.UPDATE_ADDRESS, {"input": {"id": address_id, "isDefault": True}}, token)
            for address_id in ids
        ]
        assert outcomes(await at_once(calls, "updateAddress")) == {OK: AT_ONCE}
        assert sorted(await self.defaults(gateway, token)) == [False] * (AT_ONCE - 1) + [True]

    async def test_of_a_purpose_is_one_when_sixteen_addresses_are_to_become_it(self, gateway: Gateway) -> None:
        token = (await gateway.customer()).tokens.access
        ids = [
            (await gateway.graphql(operations.CREATE_ADDRESS, {"input": address_input()}, token))["createAddress"][
                "address"
            ]["id"]
            for _ in range(AT_ONCE // 2)
        ]
        changes = [
            gateway.graphql(operations.UPDATE_ADDRESS, {"input": {"id": address_id, "defaultFor": ["BILLING"]}}, token)
            for address_id in ids
        ]
        new = address_input(defaultFor=["BILLING", "SHIPPING"])
        creations = [gateway.graphql(operations.CREATE_ADDRESS, {"input": new}, token) for _ in ids]
        answers = await asyncio.gather(*changes, *creations)
        assert [answer.errors for answer in answers if answer.errors] == []
        answer = await gateway.graphql("{ addresses { defaultFor } }", token=token)
        purposes = [purpose for address in answer["addresses"] for purpose in address["defaultFor"]]
        assert sorted(purposes) == ["BILLING", "SHIPPING"]

    async def test_is_one_again_when_it_and_its_heirs_are_deleted_at_once(self, gateway: Gateway) -> None:
        token = (await gateway.customer()).tokens.access
        ids = [
            (await gateway.graphql(operations.CREATE_ADDRESS, {"input": address_input()}, token))["createAddress"][
                "address"
            ]["id"]
            for _ in range(AT_ONCE)
        ]
        calls = [
            gateway.graphql(operations.DELETE_ADDRESS, {"input": {"id": address_id}}, token) for address_id in ids[:-2]
        ]
        assert outcomes(await at_once(calls, "deleteAddress")) == {OK: AT_ONCE - 2}
        assert sorted(await self.defaults(gateway, token)) == [False, True]


class TestTwoProcesses:
    async def test_agree_about_sessions_tokens_and_addresses(self, start_server: Callable[..., ServerProcess]) -> None:
        servers = [start_server(), start_server()]
        here, there = (ServerClient(server) for server in servers)
        async with here.http, there.http:
            person = await here.signed_up("open-storefront")
            await self.feel_a_logout_at_once(here, there, person.email)
            await self.trade_one_refresh_token(here, there, person.email)
            await self.give_an_address_to_one(here, there)
        for server in servers:
            server.stop()

    async def feel_a_logout_at_once(self, here: ServerClient, there: ServerClient, email: str) -> None:
        tokens = await here.login(email, client_id="open-storefront")
        assert (await there.graphql("{ me { email } }", token=tokens.access))["me"] == {"email": email}
        assert (await here.graphql(operations.LOGOUT, token=tokens.access))["logout"]["loggedOut"] is True
        assert (await there.graphql("{ me { email } }", token=tokens.access)).reason == "REVOKED"

    async def trade_one_refresh_token(self, here: ServerClient, there: ServerClient, email: str) -> None:
        tokens = await here.login(email, client_id="open-storefront")
        for _ in range(2):
            payloads = await at_once(refresh_calls([here, there], tokens.refresh, AT_ONCE), "refresh")
            assert sorted(pairs(payloads).values()) == [1, 1, AT_ONCE - 2]
            tokens = Tokens.of(payloads[-1]["tokens"])

    async def give_an_address_to_one(self, here: ServerClient, there: ServerClient) -> None:
        sessions = [await here.anonymous("open-storefront") for _ in range(AT_ONCE)]
        calls = [
            (here, there)[number % 2].graphql(
                operations.SIGNUP, {"input": signup_input()}, session.access, from_address(number)
            )
            for number, session in enumerate(sessions)
        ]
        assert outcomes(await at_once(calls, "signup")) == {OK: 1, "EMAIL_TAKEN": AT_ONCE - 1}
