"""Staff at work: an integration's token, and the operations that most tests of it begin with."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.integrations import SECRET, integration_token
from tests.harness.operations import USER_ERRORS

# Two shops of the built-in tenants file, each with an integration of its own.
ENVIRONMENT = {"DEMO_BACKEND_SECRET": SECRET, "OPEN_BACKEND_SECRET": SECRET}

CUSTOMER = """
    id customerNumber email emailVerified firstName lastName contactEmail company active onHold status shopperReference
    groups { id code name privateMarkets } metadata { version }
    b2b { companyRegistrationId legalEntities { id name confirmed } }
"""
CREATE = f"""mutation ($input: CreateCustomerInput!) {{
    createCustomer(input: $input) {{ customer {{ {CUSTOMER} }} {USER_ERRORS} }}
}}"""
UPDATE = f"""mutation ($input: UpdateCustomerInput!) {{
    updateCustomer(input: $input) {{ customer {{ {CUSTOMER} }} {USER_ERRORS} }}
}}"""
CUSTOMERS = f"""query ($first: Int! = 20, $after: String, $filter: CustomerFilter) {{
    customers(first: $first, after: $after, filter: $filter) {{
        nodes {{ {CUSTOMER} }} edges {{ cursor node {{ id }} }}
        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    }}
}}"""
CREATE_GROUP = f"""mutation ($input: CreateCustomerGroupInput!) {{
    createCustomerGroup(input: $input) {{ customerGroup {{ id name code privateMarkets }} {USER_ERRORS} }}
}}"""
RECORD_ORDER = f"""mutation ($input: RecordOrderInput!) {{
    recordOrder(input: $input) {{ customer {{ id status }} recorded {USER_ERRORS} }}
}}"""
RESET_TOKEN = f"""mutation ($input: CreatePasswordResetTokenInput!) {{
    createPasswordResetToken(input: $input) {{ token expiresAt {USER_ERRORS} }}
}}"""


class Staff:
    """The staff system of one shop."""

    def __init__(self, gateway: Gateway, token: str) -> None:
        self.token = token
        self._gateway = gateway
        self._people = count(1)

    @classmethod
    async def of(cls, gateway: Gateway, client_id: str = "demo-backend", **form: str) -> Staff:
        """Get a token with all scopes of the client, or with the `scope` of the form."""
        return cls(gateway, await integration_token(gateway, client_id, **form))

    async def graphql(self, query: str, variables: Mapping[str, Any] | None = None) -> Answer:
        """Post one operation with the token."""
        return await self._gateway.graphql(query, variables, self.token)

    async def try_to(self, query: str, **fields: Any) -> Answer:
        """Run one mutation with this `input`, whatever comes of it."""
        return await self.graphql(query, {"input": fields})

    async def create(self, **fields: Any) -> dict[str, Any]:
        """Make a customer, of whom only what matters to the test is given."""
        wanted = {"email": f"customer-{next(self._people)}@example.com", **fields}
        return _succeeded(await self.try_to(CREATE, **wanted), "createCustomer", "customer")

    async def update(self, customer_id: str, **fields: Any) -> dict[str, Any]:
        """Change a customer."""
        return _succeeded(await self.try_to(UPDATE, id=customer_id, **fields), "updateCustomer", "customer")

    async def create_group(self, code: str, **fields: Any) -> dict[str, Any]:
        """Make a customer group."""
        answer = await self.try_to(CREATE_GROUP, **{"name": code.title(), "code": code, **fields})
        return _succeeded(answer, "createCustomerGroup", "customerGroup")

    async def find(self, **arguments: str) -> dict[str, Any] | None:
        """Ask for one customer."""
        given = ", ".join(f'{name}: "{value}"' for name, value in arguments.items())
        found: dict[str, Any] | None = (await self.graphql(f"{{ customer({given}) {{ {CUSTOMER} }} }}"))["customer"]
        return found

    async def list(self, first: int = 20, after: str | None = None, **terms: Any) -> dict[str, Any]:
        """Ask for one page of customers."""
        answer = await self.graphql(CUSTOMERS, {"first": first, "after": after, "filter": terms or None})
        page: dict[str, Any] = answer["customers"]
        return page


def _succeeded(answer: Answer, name: str, result: str) -> dict[str, Any]:
    payload = answer[name]
    assert payload["userErrors"] == [], payload
    made: dict[str, Any] = payload[result]
    return made
