"""The scripts of staff systems and other services, as people run them, against a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.clients.receiver import receive
from tests.harness.client import Person, Tokens
from tests.harness.server import PATIENCE, ServerClient, ServerProcess

SECRET = "development-only-demo-backend-secret"
OPEN_SECRET = "development-only-open-backend-secret"
WEBHOOK_SECRET = "whsec_" + "MDEy" * 8
OWNER = "aqwDFvELOz"
LOGIN_ON_BEHALF = """mutation ($input: LoginOnBehalfInput!) {
    loginOnBehalf(input: $input) { tokens { saasToken } userErrors { code } }
}"""
CREATE = """mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { userErrors { code } } }"""


def run_script(name: str, server: ServerProcess, **variables: str) -> str:
    ended = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(name))],
        env={
            **os.environ,
            "GATEWAY_URL": server.url,
            "CLIENT_ID": "demo-backend",
            "CLIENT_SECRET": SECRET,
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


class TestStaff:
    def test_lists_every_customer_over_all_pages(self, server: ServerProcess) -> None:
        token = httpx2.post(
            f"{server.url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=("demo-backend", SECRET),
            trust_env=False,
        ).json()["access_token"]

        async def create() -> None:
            client = ServerClient(server)
            async with client.http:
                for number in range(101):
                    email = f"person-{number:03}@example.com"
                    answer = await client.graphql(CREATE, {"input": {"email": email}}, token)
                    assert answer["createCustomer"] == {"userErrors": []}

        anyio.run(create)
        lines = [line.split() for line in run_script("staff.py", server).splitlines()]
        assert [email for _, email, _ in lines] == [f"person-{number:03}@example.com" for number in range(101)]
        assert {status for _, _, status in lines} == {"PROSPECT"}


class TestOwner:
    def test_gets_a_token_that_names_the_person(self, server: ServerProcess) -> None:
        token = run_script("owner.py", server, USER_ID=OWNER).strip()
        answer = httpx2.post(
            f"{server.url}/graphql",
            json={"query": "{ tokenInfo { kind owner { id type } } }"},
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
        expected = {"kind": "INTEGRATION", "owner": {"id": OWNER, "type": "User"}}
        assert answer.json() == {"data": {"tokenInfo": expected}}


class TestService:
    """Another service of the shop, which reads saas tokens."""

    def read(self, server: ServerProcess, saas_token: str, shop: str = "open") -> str:
        return run_script("service.py", server, SAAS_TOKEN=saas_token, SHOP=shop).strip()

    async def ask(self, server: ServerProcess) -> tuple[Tokens, Person, str, dict[str, Any]]:
        """Return the tokens of a guest, of a customer with the customer number, and of staff on their behalf."""
        client = ServerClient(server)
        async with client.http:
            guest, person = await client.anonymous("open-storefront"), await client.customer("open-storefront")
            me = await client.graphql("{ me { customerNumber } }", token=person.tokens.access)
            form = {"grant_type": "client_credentials"}
            issued = await client.http.post("/oauth/token", data=form, auth=("open-backend", OPEN_SECRET))
            acting = {"input": {"customerId": person.id, "reason": "A call"}}
            answer = await client.graphql(LOGIN_ON_BEHALF, acting, issued.json()["access_token"])
        return guest, person, me["me"]["customerNumber"], answer["loginOnBehalf"]["tokens"]

    def test_knows_whose_session_it_is_and_what_it_may(self, server: ServerProcess) -> None:
        guest, person, number, on_behalf = anyio.run(self.ask, server)
        assert self.read(server, guest.saas) == f"guest {guest.session_id} may not save addresses"
        assert self.read(server, person.tokens.saas) == f"customer {number} may save addresses"
        assert self.read(server, on_behalf["saasToken"]) == f"open-backend for customer {number} may save addresses"
        with pytest.raises(AssertionError, match="InvalidAudienceError"):
            self.read(server, guest.saas, "demo")
        header, _, signature = guest.saas.split(".")
        forged = ".".join((header, person.tokens.saas.split(".")[1], signature))
        with pytest.raises(AssertionError, match="InvalidSignatureError"):
            self.read(server, forged)


class TestReceive:
    BODY = '{"type": "customer.created", "timestamp": "2026-01-01T00:00:00Z", "data": {"customerId": "1"}}'

    def signed(self, event_id: str) -> Mapping[str, str]:
        now = datetime.now(UTC)
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(WEBHOOK_SECRET).sign(event_id, now, self.BODY),
        }

    def test_takes_an_event_once(self) -> None:
        headers = self.signed("event-once")
        event = receive(WEBHOOK_SECRET, self.BODY.encode(), headers)
        assert event is not None
        assert event["type"] == "customer.created"
        assert receive(WEBHOOK_SECRET, self.BODY.encode(), headers) is None

    def test_refuses_what_was_changed_on_the_way(self) -> None:
        with pytest.raises(WebhookVerificationError):
            receive(WEBHOOK_SECRET, self.BODY.replace("1", "2").encode(), self.signed("event-forged"))
