"""Two shops on one gateway that have everything alike, and whoever may come with a token to one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.domain.scopes import Scope
from tests.harness.arguments import REDIRECT_URI
from tests.harness.client import Person
from tests.harness.gateway import Gateway
from tests.harness.integrations import JWT_BEARER, SECRET, basic, claims, post, signed_by_secret
from tests.harness.operations import USER_ERRORS
from tests.harness.tenants import integration, shop, storefront, table, user

HERE, THERE = "here", "there"

UPDATE_CUSTOMER = f"""mutation ($input: UpdateCustomerInput!) {{
    updateCustomer(input: $input) {{ customer {{ id }} {USER_ERRORS} }}
}}"""
LOGIN_ON_BEHALF = f"""mutation ($input: LoginOnBehalfInput!) {{
    loginOnBehalf(input: $input) {{ tokens {{ accessToken sessionId }} {USER_ERRORS} }}
}}"""


def two_shops(folder: Path) -> dict[str, str]:
    """Write a tenants file; return the variables of a gateway that reads it."""
    file = folder / "tenants.toml"
    file.write_text("\n".join(_shop(name) for name in (HERE, THERE)))
    return {"TENANTS_FILE": str(file), "BACKEND_SECRET": SECRET}


def _shop(name: str) -> str:
    scopes = [scope.value for scope in Scope]
    return (
        shop(name, name=f"The shop {name}", anonymization_by=["integration", "customer"])
        + table(f"[tenants.{name}.limits]", anonymous_login_per_second=1000)
        + storefront(name, f"{name}-storefront", redirect_uris=[REDIRECT_URI])
        + integration(name, f"{name}-backend", secret_env="BACKEND_SECRET", scopes=scopes)
        + user(name, f"owner-{name}", scopes=scopes)
    )


class Shop:
    """One of the two, with everyone who comes to it."""

    def __init__(self, gateway: Gateway, name: str = HERE) -> None:
        self.gateway = gateway
        self.name = name
        self._arrivals = 0

    def come_from_elsewhere(self) -> None:
        """Let the next request come from an address that has used up none of its limits."""
        self._arrivals += 1
        self.gateway.ip = f"10.{len(self.name)}.{self._arrivals // 250}.{self._arrivals % 250 + 1}"

    async def visitor(self) -> str:
        """Return the token of a new anonymous session."""
        self.come_from_elsewhere()
        return (await self.gateway.anonymous(f"{self.name}-storefront")).access

    async def customer(self, **changes: Any) -> Person:
        """Return somebody new who has just logged in."""
        self.come_from_elsewhere()
        return await self.gateway.customer(f"{self.name}-storefront", **changes)

    async def former_customer(self) -> Person:
        """Return somebody who had logged in before staff made them inactive."""
        person = await self.customer()
        await self.staff_do(UPDATE_CUSTOMER, id=person.id, active=False)
        return person

    async def on_behalf(self, customer_id: str) -> str:
        """Return a token of staff who act for a customer."""
        payload = await self.staff_do(LOGIN_ON_BEHALF, customerId=customer_id, reason="A call")
        token: str = payload["tokens"]["accessToken"]
        return token

    async def integration(self, *scopes: str, owned: bool = True) -> str:
        """Return a token of the staff system with these scopes, in the name of a user of the organisation or not."""
        self.come_from_elsewhere()
        client_id = f"{self.name}-backend"
        owner = {"type": "User", "id": f"owner-{self.name}"} if owned else None
        audience = self.gateway.tools.public_url
        assertion = signed_by_secret(claims(self.gateway.clock.now(), client_id, aud=audience, owner=owner))
        form = {"grant_type": JWT_BEARER, "assertion": assertion, "scope": " ".join(scopes)}
        response = await post(self.gateway, "token", basic(client_id), **form)
        assert response.status_code == 200, response.text
        token: str = response.json()["access_token"]
        return token

    async def staff_do(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Run a mutation with all scopes, which must succeed, and return its payload."""
        answer = await self.gateway.graphql(operation, {"input": fields}, await self.integration(*Scope))
        assert answer.errors == []
        (payload,) = (answer.data or {}).values()
        assert payload["userErrors"] == [], payload
        made: dict[str, Any] = payload
        return made
