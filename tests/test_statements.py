"""How many statements the hottest reads cost: the work of the database is counted, not timed."""

from __future__ import annotations

import pytest

from tests.factories import address_input
from tests.harness.gateway import Gateway
from tests.harness.round_trips import count_round_trips

pytestmark = pytest.mark.anyio


class TestMe:
    async def test_takes_one_statement(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        with gateway.count_statements() as statements:
            answer = await gateway.graphql("{ me { id email customerNumber } }", token=person.tokens.access)
        assert answer["me"]["email"] == person.email
        assert len(statements) == 1, statements

    async def test_takes_two_with_the_addresses(self, gateway: Gateway) -> None:
        person = await gateway.customer(customerAddress=address_input())
        query = "{ me { email addresses { city isDefault } } }"
        with gateway.count_statements() as statements:
            answer = await gateway.graphql(query, token=person.tokens.access)
        assert answer["me"]["addresses"] == [{"city": "Berlin", "isDefault": True}]
        assert len(statements) == 2, statements


class TestRefresh:
    async def test_writes_nothing_more_than_the_trade(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        query = "mutation ($input: RefreshInput!) { refresh(input: $input) { tokens { refreshToken } } }"
        with gateway.count_statements() as statements:
            await gateway.graphql(query, {"input": {"refreshToken": person.tokens.refresh}})
        # Find, lock, read again, customer; claim the token, let the session go on, and write the two new ones.
        assert [statement.split()[0] for statement in statements] == ["SELECT"] * 4 + ["UPDATE"] * 2 + ["INSERT"] * 2

    async def test_writes_of_the_session_only_what_changes(self, gateway: Gateway) -> None:
        person, guest = await gateway.customer(), await gateway.anonymous()
        refresh_token, sliding = person.tokens.refresh, await gateway.refresh(guest.refresh)
        written = []
        for minutes in (0, 20, 20, 20):
            gateway.clock.advance(minutes=minutes)
            with gateway.count_statements() as statements:
                refresh_token = (await gateway.refresh(refresh_token)).refresh
                sliding = await gateway.refresh(sliding.refresh)
            (own, guests) = [each for each in statements if each.startswith("UPDATE session")]
            written.append((own.count("=:new_"), guests.count("=:new_")))
            assert sliding.all["refreshTokenExpiresIn"] == 86_400
        # The time of use, and of a guest once an hour the end, which is in an index.
        assert written == [(1, 1), (1, 2), (1, 1), (1, 1)]

    async def test_keeps_one_more_row_for_the_last_tab_alone(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        kept = []
        for _ in range(4):
            with gateway.count_statements() as statements:
                await gateway.refresh(person.tokens.refresh)
            kept.append(sum("INSERT INTO kept_pair" in statement for statement in statements))
        assert kept == [0, 0, 1, 0]


class TestLogin:
    async def test_keeps_its_pair_with_one_statement(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        token = (await gateway.anonymous()).access
        with gateway.count_statements() as statements:
            await gateway.login(person.email, token=token)
        assert sum("kept_pair" in statement for statement in statements) == 1, statements


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestRoundTrips:
    """How often a mutation waits for PostgreSQL.

    BEGIN goes with the first statement, and what nobody waits for with the next one or with COMMIT.
    """

    async def test_are_few(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        rename = "mutation ($input: UpdateMeInput!) { updateMe(input: $input) { customer { firstName } } }"
        trips: dict[str, list[str]] = {}
        for name in ("Ada", "Grace"):  # the first time, a connection learns statements
            with count_round_trips() as trips["anonymousLogin"]:
                anonymous = await gateway.anonymous()
            with count_round_trips() as trips["login"]:
                tokens = await gateway.login(person.email, token=anonymous.access)
            with count_round_trips() as trips["refresh"]:
                tokens = await gateway.refresh(tokens.refresh)
            with count_round_trips() as trips["updateMe"]:
                await gateway.graphql(rename, {"input": {"firstName": name}}, tokens.access)
        # What the payload selects beside is read after COMMIT. The login makes the visit a session first.
        assert {name: each.index("COMMIT") + 1 for name, each in trips.items()} == {
            "anonymousLogin": 2,
            "login": 12,
            "refresh": 7,
            "updateMe": 5,
        }, trips


class TestMutation:
    async def test_without_a_key_asks_for_no_earlier_answer(self, gateway: Gateway) -> None:
        person = await gateway.customer()
        query = "mutation ($input: AddressInput!) { createAddress(input: $input) { userErrors { code } } }"
        with gateway.count_statements() as statements:
            await gateway.graphql(query, {"input": address_input()}, person.tokens.access)
        assert not any("idempotent_call" in statement for statement in statements), statements
