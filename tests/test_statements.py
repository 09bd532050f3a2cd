"""How many statements the hottest reads cost: the work of the database is counted, not timed."""

from __future__ import annotations

import pytest

from tests.factories import address_input
from tests.harness.gateway import Gateway

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
